/**
 * A run on the emulator as it is: every assumption holds, for it was made to be what they say. The run is recorded. It is run again without
 * the API: doctor finds the same, and an emulator answers the same.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import test, { type TestContext } from "node:test";
import { seconds, perMinute } from "../../../src/base/units.ts";
import { Ledger } from "../../../src/broker/quota.ts";
import { ASSUMPTION_IDS, ASSUMPTIONS, type Assumption } from "../../../src/cli/doctor/sheets/assumptions.ts";
import type { Ports } from "../../../src/cli/doctor/sheets/bench.ts";
import { recording, recordingText, redacted, replaying, SOMEBODYS, type Recording } from "../../../src/cli/doctor/sheets/recording.ts";
import { countsText } from "../../../src/cli/doctor/sheets/report.ts";
import { emulated, examined, ID, PLAIN, ports } from "./world.ts";

type Recorded = Awaited<ReturnType<typeof record>>;
let kept: Recorded | undefined;

/** A run on an emulator, recorded once for all tests of this file. */
async function recordRun(t: TestContext): Promise<Recorded> {
  return (kept ??= await record(t));
}

async function record(t: TestContext) {
  const { emulator, url } = await emulated(t);
  const through = ports(t, { emulator, url });
  const recorder = recording(through.raw, ID, through.clock);
  const found = await examined({ ...through, raw: recorder.raw });
  const doctor = { drover: "0", seed: through.seed, wanted: PLAIN, timeout: through.timeout, findings: Object.fromEntries(found.findings) };
  const made = JSON.parse(recordingText({ version: 1, interactions: recorder.interactions, doctor })) as Recording;
  return { made, found, metadata: await emulator.metadata(ID), rows: await emulator.rows(ID, "Sheet1") };
}

/** Runs doctor on a recording. @returns what was found, and how many of its answers were not asked for. */
async function again(made: Recording) {
  const { raw, clock, left } = replaying(made);
  const ledger = (): Ledger => new Ledger(perMinute(1e6), clock);
  const quiet: Pick<Ports, "sleep" | "say" | "stopped"> = { sleep: async () => {}, say: () => {}, stopped: () => false };
  const { seed, timeout, wanted } = made.doctor;
  const found = await examined(
    { raw, clock, ledgers: { read: ledger(), write: ledger() }, seed, timeout: seconds(timeout / 1_000), ...quiet },
    wanted,
  );
  return { found, left: left() };
}

const words = (findings: Iterable<readonly [string, { readonly is: string }]>): Record<string, string> =>
  Object.fromEntries(Array.from(findings, ([id, { is }]) => [id, is]));

/** Everything that was answered then is in the answer now, with the same value. */
function agrees(then: unknown, now: unknown): boolean {
  if (Array.isArray(then)) return Array.isArray(now) && then.length === now.length && then.every((item, i) => agrees(item, now[i]));
  if (typeof then !== "object" || then === null) return Object.is(then, now);
  return Object.entries(then).every(([key, value]) => agrees(value, (Object(now) as Record<string, unknown>)[key]));
}

/** Sends a recording's requests to a fresh emulator. @returns those that it answers otherwise. */
async function onEmulator(t: TestContext, made: Recording): Promise<readonly string[]> {
  const { raw } = ports(t, await emulated(t));
  const other: string[] = [];
  for (const { request, response } of made.interactions) {
    const url = new URL(request.uri);
    const [, somebodys = "", path = ""] = /^\/v4\/spreadsheets\/([\w-]+)(.*)$/.exec(url.pathname) ?? [];
    const verb = request.method as "GET";
    const call = { verb, path, query: [...url.searchParams], body: request.body ?? undefined, pool: "read" } as const;
    const spreadsheetId = somebodys === SOMEBODYS ? ID : somebodys;
    const outcome = await raw.call({ ...call, spreadsheetId });
    assert.equal(outcome.is, "ok");
    if (outcome.is !== "ok") continue;
    const [then, now] = [response.body.string, redacted(outcome.value.text, ID)].map((text) => JSON.parse(text) as unknown);
    if (outcome.value.status !== response.status.code || !agrees(then, now))
      other.push(`${verb} ${path} ${request.body ?? ""}`.slice(0, 300));
  }
  return other;
}

test("all that can be asked without more is confirmed, and nothing is left behind", async (t) => {
  const { found, metadata, rows } = await recordRun(t);
  const asked = ASSUMPTION_IDS.filter((id) => (ASSUMPTIONS[id] as Assumption).asks === undefined);
  assert.deepEqual(
    [...found.findings].filter(([id, { is }]) => asked.includes(id) && is !== "confirmed"),
    [],
  );
  assert.deepEqual(found.confirmed, asked);
  assert.equal(found.left, undefined);
  assert.deepEqual(metadata, []);
  assert.deepEqual(rows, []);
  assert.match(
    countsText(found.findings),
    new RegExp(`^listed ${ASSUMPTION_IDS.length}, confirmed ${asked.length}, falsified 0, not tested`),
  );
  t.diagnostic(`${countsText(found.findings)}; ${found.calls.read} reads, ${found.calls.write} writes`);
});

test("a recording is run again without the API: the same is found", async (t) => {
  const { made } = await recordRun(t);
  const { found, left } = await again(made);
  assert.deepEqual(words(found.findings), words(Object.entries(made.doctor.findings)));
  assert.equal(left, 0);
  const [first] = made.interactions;
  assert.ok(first !== undefined);
  const changed = { ...made, interactions: [{ ...first, request: { ...first.request, method: "PUT" } }, ...made.interactions.slice(1)] };
  await assert.rejects(again(changed), /call 1 of the recording is another/);
  assert.deepEqual(await onEmulator(t, made), []);
  t.diagnostic(`${made.interactions.length} requests`);
});

test("a false answer in a recording is found again", async (t) => {
  const { made } = await recordRun(t);
  const at = made.interactions.findIndex(({ response }) => /already exists/.test(response.body.string));
  const interactions = made.interactions.map((each, i) =>
    i === at ? { ...each, response: { ...each.response, status: { code: 200, message: "" }, body: { string: "{}" } } } : each,
  );
  const { found } = await again({ ...made, interactions });
  assert.deepEqual(found.falsified, ["taken-id"]);
});

test("nothing in a recording says whose it was", async (t) => {
  const { made } = await recordRun(t);
  const text = JSON.stringify(made);
  for (const secret of [ID, "gserviceaccount", "ya29", "Bearer", "authorization", "127.0.0.1", "throw-away spreadsheet"])
    assert.ok(!text.includes(secret), secret);
  const said = redacted(
    'for consumer project_number:123456789 "consumer": "projects/123456789" for me.too+x@some-project.iam.gserviceaccount.com and b%40c.de "spreadsheetUrl": "https://docs.google.com/a/corp.example/spreadsheets/d/SHEET/edit" ya29.c.b0Aa-x_y Bearer abc.def',
    "SHEET",
  );
  assert.doesNotMatch(said, /\d{5}|some-project|corp\.example|c\.de|b0Aa|abc|SHEET/);
});

/** Where recordings of the real API are put. */
const KEPT = "test/recordings/";

test(
  "recordings of the real API that are kept here: doctor finds the same again",
  { skip: existsSync(KEPT) ? false : `none in ${KEPT}` },
  async (t) => {
    for (const file of readdirSync(KEPT).filter((name) => name.endsWith(".json"))) {
      const made = JSON.parse(readFileSync(`${KEPT}${file}`, "utf8")) as Recording;
      const { found } = await again(made);
      assert.deepEqual(words(found.findings), words(Object.entries(made.doctor.findings)), file);
      const other = await onEmulator(t, made);
      t.diagnostic(`${file}: the emulator answers ${made.interactions.length - other.length} of ${made.interactions.length} the same`);
      for (const call of other) t.diagnostic(call);
    }
  },
);
