/** Claims about reads and their quota. */
import { seconds } from "../../src/base/units.ts";
import { append, equal, KEY, tag, Untested, verdict, type Answer, type Probe, type Sheet } from "./sheet.ts";

/** Cells that a person types, as a read returns them. */
async function typed(s: Sheet, cells: readonly string[]): Promise<readonly unknown[]> {
  const tab = await s.tab([]);
  const query = { valueInputOption: "USER_ENTERED" };
  await s.good({ verb: "PUT", path: `/values/${tab.title}!A1:D1`, pool: "write", query, body: { values: [cells] } });
  return (await s.rows(tab))[0] ?? [];
}

/** A read of 30 rows. */
async function large(s: Sheet, query?: Record<string, string>): Promise<Answer> {
  const tab = await s.tab(Array.from({ length: 30 }, (_, i) => [`k${i}`, "the same words again and again"]));
  const call = { verb: "GET", path: "/values:batchGet", pool: "read", query: { ...query, ranges: tab.title } } as const;
  const answer = await (query === undefined ? s.read([tab.title]) : s.call(call));
  if (answer.status !== 200) throw new Untested(s.refusal);
  return answer;
}

const LOCKOUT = seconds(61);
const MOST_READS = 200;
/** What drover's ledger allows of 60 calls a minute. */
const LEDGER = 51;

const runs = new WeakMap<Sheet, ReturnType<typeof exhaust>>();
/** Uses up the account's reads, once a run. */
function exhausted(s: Sheet): ReturnType<typeof exhaust> {
  const run = runs.get(s) ?? exhaust(s);
  runs.set(s, run);
  return run;
}

async function exhaust(s: Sheet) {
  const tab = await s.tab([["id"], ["k1"]]);
  const ranges = ["A1:A2", "B1:B2", "A1:B1"].map((range) => `${tab.title}!${range}`);
  s.ports.say("Using up the reads of this account: about two minutes.");
  await s.pause(LOCKOUT);
  let [passed, refusal] = [0, await s.read(ranges, true)];
  for (; refusal.status === 200 && passed < MOST_READS; passed += 1) refusal = await s.read(ranges, true);
  if (refusal.status !== 429) throw new Untested(`${passed} reads of 3 ranges were answered, then ${refusal.status}`);
  const at = s.ports.clock.wall();
  const write = await s.batch([append(tab, [["k2"]])], {}, undefined, true);
  const more = { includeSpreadsheetInResponse: true, responseRanges: [`${tab.title}!A2`], responseIncludeGridData: true };
  const readback = await s.batch([tag(s.id(), tab, 1)], more, undefined, true);
  const still = await s.read(ranges, true);
  await s.pause(LOCKOUT);
  return { passed, refusal, at, write, readback, still, later: await s.read(ranges, true) };
}

const details = ({ json }: Answer): Readonly<Record<string, string>> =>
  (json.error?.details ?? []).find(({ metadata }: { metadata?: object }) => metadata !== undefined)?.metadata ?? {};

/** The status of a write that was sent while reads were refused. */
async function meanwhile(s: Sheet, which: "write" | "readback") {
  const run = await exhausted(s);
  if (run.still.status !== 429) throw new Untested("reads were answered again too early");
  return equal(run[which].status, 200);
}

export const READS = {
  "read-cells": async (s) => {
    const row = await typed(s, ["2020-01-01", "=5/2", "text"]);
    return verdict(typeof row[0] === "string" && row[0].includes("2020") && row[1] === 2.5 && row[2] === "text", row);
  },
  "read-booleans": async (s) => equal(await typed(s, ["=1=1", "=1=2"]), [true, false]),
  "read-trimmed": async (s) => {
    const tab = await s.tab([["id", null, "a", null], [null], ["k1"]]);
    const { status, json } = await s.read([tab.title, `${tab.title}!G1:H9`]);
    const saw = (json.valueRanges ?? []).map(({ values }: { values?: unknown }) => values ?? "no values");
    return equal([status, saw], [200, [[["id", "", "a"], [], ["k1"]], "no values"]]);
  },
  "read-own": async (s) => {
    const tab = await s.tab([["id"]]);
    const saw = [];
    for (const key of ["k1", "k2", "k3"]) {
      await s.made(append(tab, [[key]]));
      saw.push((await s.rows(tab)).at(-1)?.[0]);
    }
    return equal(saw, ["k1", "k2", "k3"]);
  },
  "no-validators": async (s) => {
    const { headers } = await large(s);
    return equal([headers["etag"] ?? "no ETag", headers["last-modified"] ?? "no Last-Modified"], ["no ETag", "no Last-Modified"]);
  },
  gzip: async (s) => equal((await large(s)).headers["content-encoding"] ?? "none", "gzip"),
  masks: async (s) => {
    const [masked, plain] = [await large(s), await large(s, { prettyPrint: "true" })];
    const saw = [Object.keys(masked.json), masked.text.includes("\n"), masked.text.length < plain.text.length];
    return equal(saw, [["valueRanges"], false, true]);
  },
  "no-range": async (s) => {
    const tab = await s.tab([["id"]]);
    const { status, json } = await s.read([tab.title, `'${KEY} is not here'!A1:C`]);
    return verdict(status === 400 && /Unable to parse range: .*is not here/.test(json.error?.message), [status, json.error?.message]);
  },
  unseen: async (s) => {
    const spreadsheetId = "1droverAsksForASpreadsheetThatDoesNotExist00";
    const { status } = await s.call({ verb: "GET", path: "", pool: "read", query: { fields: "spreadsheetId" }, spreadsheetId });
    return verdict(status === 403 || status === 404, status);
  },
  "one-call": async (s) => {
    const { passed } = await exhausted(s);
    return verdict(passed >= LEDGER, `${passed} reads of 3 ranges before the first 429`);
  },
  "quota-answer": async (s) => {
    const { refusal } = await exhausted(s);
    const [limit, after] = [details(refusal)["quota_limit"], refusal.headers["retry-after"]];
    return verdict(limit !== undefined && after === undefined, [limit ?? "no quota_limit", after ?? "no Retry-After"]);
  },
  "quota-window": async (s) => {
    const { refusal, at } = await exhausted(s);
    const start = details(refusal)["window_start_time"];
    if (start === undefined) throw new Untested("the 429 has no window_start_time");
    const ago = at / 1_000 - Number(start);
    return verdict(ago > -5 && ago < 66, `${start}, ${Math.round(ago)} s before the 429`);
  },
  "quota-apart": (s) => meanwhile(s, "write"),
  "quota-readback": (s) => meanwhile(s, "readback"),
  "quota-ends": async (s) => equal((await exhausted(s)).later.status, 200),
} satisfies Readonly<Record<string, Probe>>;
