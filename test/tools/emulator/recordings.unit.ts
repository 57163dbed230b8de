/**
 * Replays recorded conversations with the real Google Sheets API against the engine and scores it: an interaction counts
 * when status and JSON agree after dropping what must differ (URLs, themes) and renaming the ids that each side invents.
 * Extra keys in our answers are allowed, as Google adds some over the years. Drive calls are not the Sheets API: create
 * becomes spreadsheets.create, the others are left out, and with them the reads of files that only Drive knows.
 * Only conversations of kept methods and kinds count; which they are follows from the recording alone.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createEngine } from "../../../src/tools/emulator/engine/engine.ts";
import type { Engine, EngineAnswer, EngineCall } from "../../../src/tools/emulator/engine.types.ts";
import { matchRoute } from "../../../src/tools/emulator/api/router.ts";
import { KEPT_KINDS, KEPT_METHODS } from "./engine/scope.ts";
import { strange } from "./response.ts";

const FOLDER = fileURLToPath(new URL("../../../../shared/recordings/", import.meta.url));

interface Interaction {
  readonly request: { readonly method: string; readonly uri: string; readonly body: string | null };
  readonly response: {
    readonly status: { readonly code: number };
    readonly body: { readonly string: string };
  };
}

/** A call by the URL that a client sent. */
function callOf({ method, uri, body }: Interaction["request"]): EngineCall | undefined {
  const url = new URL(uri);
  const match = matchRoute(method, url.pathname);
  if (match === undefined) return undefined;
  const query = Object.fromEntries(
    Array.from(new Set(url.searchParams.keys()), (key) => [key, url.searchParams.getAll(key)]),
  );
  return {
    method: match.route.id,
    path: match.path,
    query,
    body: body === null || body === "" ? undefined : JSON.parse(body),
  };
}

const DROPPED = new Set([
  "spreadsheetTheme",
  "defaultFormat",
  "spreadsheetUrl",
  "createdTime",
  "modifiedTime",
]);
/** Ids that the API invents: what Google invented is renamed to what the engine did. */
const IDS = new Set([
  "sheetId",
  "namedRangeId",
  "protectedRangeId",
  "filterViewId",
  "bandedRangeId",
  "spreadsheetId",
]);

const isId = (value: unknown): value is string | number =>
  typeof value === "string" || typeof value === "number";

/** Pairs Google's ids with ours where both answers have one in the same place. */
function learn(theirs: unknown, ours: unknown, known: Map<string, string>, key = ""): void {
  if (IDS.has(key) && theirs !== ours && isId(theirs) && isId(ours))
    known.set(String(theirs), String(ours));
  if (typeof theirs !== "object" || theirs === null || typeof ours !== "object" || ours === null)
    return;
  for (const [name, inner] of Object.entries(theirs))
    learn(inner, (ours as Record<string, unknown>)[name], known, name);
}

const renamed = (text: string, known: ReadonlyMap<string, string>): string =>
  text.replace(/[\w-]{5,}/g, (word) => known.get(word) ?? word);

/** Everything that Google answered is there, with the same value. */
function agrees(theirs: unknown, ours: unknown): boolean {
  if (Array.isArray(theirs))
    return (
      Array.isArray(ours) &&
      theirs.length === ours.length &&
      theirs.every((item, i) => agrees(item, ours[i]))
    );
  if (typeof theirs !== "object" || theirs === null) return Object.is(theirs, ours);
  if (typeof ours !== "object" || ours === null || Array.isArray(ours)) return false;
  return Object.entries(theirs).every(
    ([key, value]) => DROPPED.has(key) || agrees(value, (ours as Record<string, unknown>)[key]),
  );
}

interface Scored {
  readonly call: EngineCall;
  readonly equal: boolean;
  readonly theirs: unknown;
  readonly ours: EngineAnswer;
}

/** Sends one conversation to an engine, in order. */
class Replay {
  readonly #engine: Engine = createEngine();
  readonly #known = new Map<string, string>();
  readonly #files = new Set<string>();
  readonly scored: Scored[] = [];

  step({ request, response }: Interaction): void {
    if (request.uri.includes("/drive/")) this.#drive(request, response);
    else this.#sheets(request, response);
  }

  #drive(request: Interaction["request"], response: Interaction["response"]): void {
    if (request.method !== "POST" || !/\/drive\/v3\/files(\?|$)/.test(request.uri)) return;
    const { name } = JSON.parse(request.body ?? "{}") as { name: string };
    const { id } = JSON.parse(response.body.string) as { id: string };
    const made = this.#engine.call({
      method: "sheets.spreadsheets.create",
      path: {},
      query: {},
      body: { properties: { title: name } },
    });
    this.#known.set(id, (made.body as { spreadsheetId: string }).spreadsheetId);
    this.#files.add(id);
  }

  #sheets(request: Interaction["request"], response: Interaction["response"]): void {
    const id = /\/spreadsheets\/([\w-]+)/.exec(request.uri)?.[1] ?? "";
    if (!this.#files.has(id)) return;
    const call = callOf({
      ...request,
      uri: renamed(request.uri, this.#known),
      body: request.body === null ? null : renamed(request.body, this.#known),
    });
    assert.ok(call, `a route for ${request.method} ${request.uri}`);
    const theirs: unknown = JSON.parse(response.body.string);
    const ours = this.#engine.call(call);
    const asked = `${call.method} ${JSON.stringify(call.path)}`;
    assert.deepEqual(
      strange(call.method, ours),
      [],
      `${asked}: ours is not as the API's tables have it`,
    );
    const google = { status: response.status.code, body: theirs };
    assert.deepEqual(
      strange(call.method, google),
      [],
      `${asked}: Google's is not as the tables have it, so they are wrong`,
    );
    learn(theirs, ours.body, this.#known);
    const expected: unknown = rename(theirs, this.#known);
    this.scored.push({
      call,
      theirs: expected,
      ours,
      equal: response.status.code === ours.status && agrees(expected, ours.body),
    });
  }
}

/** Ids in an answer, as numbers where they are numbers. */
function rename(value: unknown, known: ReadonlyMap<string, string>, key = ""): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => rename(item, known, key));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, rename(v, known, k)]));
  if (!IDS.has(key)) return value;
  const mine = known.get(String(value));
  return mine === undefined ? value : typeof value === "number" ? Number(mine) : mine;
}

/** A recording holds several conversations: each begins with the creation of a file. */
function conversations(interactions: readonly Interaction[]): Interaction[][] {
  const found: Interaction[][] = [];
  for (const interaction of interactions) {
    const { method, uri, body } = interaction.request;
    const begins =
      method === "POST" && /\/drive\/v3\/files(\?|$)/.test(uri) && (body ?? "").includes('"Test ');
    if (begins || found.length === 0) found.push([]);
    found.at(-1)?.push(interaction);
  }
  return found;
}

/** A call of a kept method, and of batchUpdate one with kept kinds only. */
function isKept({ method, body }: EngineCall): boolean {
  if (!KEPT_METHODS.has(method)) return false;
  if (method !== "sheets.spreadsheets.batchUpdate") return true;
  const { requests = [] } = body as { requests?: readonly object[] };
  return requests.every((request) => Object.keys(request).every((kind) => KEPT_KINDS.has(kind)));
}

const share = (list: readonly boolean[]): string =>
  `${list.filter(Boolean).length} of ${list.length}`;

test(
  "recorded conversations with Google get the same answers from the engine",
  {
    skip: existsSync(FOLDER)
      ? false
      : "no recordings next to this repository: nothing to compare with",
  },
  (t) => {
    const all: (Scored & { readonly file: string })[] = [];
    const whole: boolean[] = [];
    let others = 0;
    for (const file of readdirSync(FOLDER)
      .filter((name) => name.endsWith(".json"))
      .toSorted()) {
      const { interactions } = JSON.parse(readFileSync(`${FOLDER}${file}`, "utf8")) as {
        interactions: Interaction[];
      };
      for (const conversation of conversations(interactions)) {
        const replay = new Replay();
        for (const interaction of conversation) replay.step(interaction);
        if (!replay.scored.every((s) => isKept(s.call))) {
          others += 1;
          continue;
        }
        whole.push(replay.scored.every((s) => s.equal));
        all.push(...replay.scored.map((s) => ({ ...s, file })));
      }
    }
    t.diagnostic(
      `kept methods and kinds: ${share(all.map((s) => s.equal))} interactions, ${share(whole)} whole conversations`,
    );
    t.diagnostic(`${others} conversations with other methods or kinds are left out`);
    for (const s of all.filter((one) => !one.equal).slice(0, 20))
      t.diagnostic(
        `${s.file}: ${s.call.method} ${JSON.stringify(s.call.path)}\n  theirs ${JSON.stringify(s.theirs).slice(0, 600)}\n  ours   ${JSON.stringify(s.ours).slice(0, 600)}`,
      );
    const values = all.filter((s) => s.call.method.startsWith("sheets.spreadsheets.values."));
    t.diagnostic(
      `values.*: ${share(values.map((s) => s.equal))} interactions; every answer, theirs and ours, is as the API's tables have it`,
    );
    const bar = (list: readonly boolean[], least: number, what: string): void =>
      assert.ok(
        list.length > 0 && list.filter(Boolean).length / list.length >= least,
        `${share(list)} ${what} agree: the bar is ${least}`,
      );
    bar(
      values.map((s) => s.equal),
      0.99,
      "interactions of values.*",
    );
    bar(whole, 0.95, "conversations");
  },
);
