/** Recorded answers of the real API agree with each claim that docs/sheets.md calls recorded, and the page calls no others so. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { CLAIMS } from "./claims.ts";

const FOLDER = fileURLToPath(new URL("../../../shared/recordings/", import.meta.url));
const skip = existsSync(FOLDER) ? false : "no recordings next to this repository";

interface Interaction {
  readonly request: { readonly method: string; readonly uri: string; readonly body: string | null };
  readonly response: {
    readonly status: { readonly code: number };
    readonly headers: Readonly<Record<string, unknown>>;
    readonly body: { readonly string: string };
  };
}
type Rows = readonly (readonly unknown[])[];

/** Calls of the Sheets API, each with the one before it. */
function* recorded(): Generator<{ readonly now: Interaction; readonly before: Interaction | undefined }> {
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".json"))) {
    const { interactions } = JSON.parse(readFileSync(`${FOLDER}${file}`, "utf8")) as { interactions: readonly Interaction[] };
    let before: Interaction | undefined;
    for (const now of interactions.filter(({ request }) => request.uri.startsWith("https://sheets.googleapis.com/"))) {
      yield { now, before };
      before = now;
    }
  }
}

const isReading = ({ request }: Interaction): boolean => request.method === "GET" && request.uri.includes("/values/");
const answerOf = ({ response }: Interaction): { readonly range?: string; readonly values?: Rows } =>
  JSON.parse(response.body.string) as { range?: string; values?: Rows };
const isTrimmed = (values: Rows | undefined): boolean =>
  values === undefined ||
  (values.length > 0 &&
    values.at(-1)?.length !== 0 &&
    values.every((row) => row.length === 0 || (row.at(-1) !== "" && row.every((cell) => cell !== null))));

/** Rows without what is empty at their ends. */
function trimmed(rows: Rows): Rows {
  const short = rows.map((row) => row.slice(0, row.findLastIndex((cell) => cell !== "" && cell !== null) + 1));
  return short.slice(0, short.findLastIndex((row) => row.length > 0) + 1);
}

/** @returns whether an answer agrees; undefined: it says nothing about the claim. */
type Check = (now: Interaction, before: Interaction | undefined) => boolean | undefined;

const CHECKS: Readonly<Record<string, Check>> = {
  // Typed in the same recording: =4/2, 2020-01-01, string, 53 and =3/2, 0.12, 1999-01-02.
  "read-cells": (now) => {
    const { searchParams } = new URL(now.request.uri);
    if (searchParams.get("valueRenderOption") !== "UNFORMATTED_VALUE" || searchParams.get("dateTimeRenderOption") !== "FORMATTED_STRING")
      return undefined;
    return JSON.stringify(answerOf(now).values) === '[[2,"2020-01-01","string",53],[1.5,0.12,"1999-01-02"]]';
  },
  "read-trimmed": (now) => (isReading(now) && now.response.status.code === 200 ? isTrimmed(answerOf(now).values) : undefined),
  // Texts that were written, and then read in the very range.
  "read-own": (now, before) => {
    if (before?.request.method !== "PUT" || !isReading(now) || now.request.uri.includes("majorDimension=COLUMNS")) return undefined;
    const [wrote, read] = [before, now].map(({ request }) => decodeURIComponent(new URL(request.uri).pathname));
    const { values } = JSON.parse(before.request.body ?? "{}") as { values: Rows };
    if (
      wrote !== read ||
      before.response.status.code !== 200 ||
      !values.flat().every((cell) => typeof cell === "string" && !/^[=\d]/.test(cell))
    )
      return undefined;
    return JSON.stringify(answerOf(now).values ?? []) === JSON.stringify(trimmed(values));
  },
  "no-validators": ({ response }) => !Object.keys(response.headers).some((name) => /^(?:etag|last-modified)$/i.test(name)),
  unseen: ({ response }) =>
    /permission|not found/i.test(response.status.code === 200 ? "" : response.body.string)
      ? [403, 404].includes(response.status.code)
      : undefined,
};

test("recorded answers agree with the claims", { skip }, (t) => {
  const named = [...CLAIMS].filter(([, { asked }]) => asked.includes("recordings")).map(([id]) => id);
  assert.deepEqual(Object.keys(CHECKS).toSorted(), named.toSorted());
  const all = [...recorded()];
  for (const [id, check] of Object.entries(CHECKS)) {
    const answers = all.map(({ now, before }) => check(now, before)).filter((agrees) => agrees !== undefined);
    t.diagnostic(`${id}: ${answers.filter(Boolean).length} of ${answers.length} recorded answers`);
    assert.ok(answers.length > 0 && answers.every(Boolean), `${id}: ${answers.filter((agrees) => !agrees).length} disagree`);
  }
});
