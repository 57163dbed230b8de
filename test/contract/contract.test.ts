/** On the emulator each claim of docs/sheets.md holds, and each is found false where an API breaks it. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { systemClock, type Clock } from "../../src/base/clock.ts";
import { after, later, ms, perMinute, seconds } from "../../src/base/units.ts";
import { readServiceAccount } from "../../src/broker/credentials.ts";
import { Ledger } from "../../src/broker/quota.ts";
import { world } from "../tools/emulator/world.ts";
import { CLAIMS } from "./claims.ts";
import { has, LIES, lying, refusal, type Lie } from "./lies.ts";
import { connect, type Finding, type Ports } from "./sheet.ts";
import { PROBES, run } from "./suite.ts";

const ID = "an-empty-spreadsheet-to-throw-away";

/** An emulator with Google's quota, on a clock that jumps where the suite waits; a person sorts the tab that the suite names. */
async function emulated(t: TestContext) {
  let jumped = ms(0);
  let tab: string | undefined;
  const clock: Clock = { now: () => after(systemClock.now(), jumped), wall: () => later(systemClock.wall(), jumped) };
  const spreadsheets = [{ id: ID, title: "Throw-away", tabs: [{ title: "Sheet1", rows: [] }] }];
  const { emulator, url } = await world(t, { quota: true, clock, spreadsheets });
  const timeout = seconds(10);
  const endpoints = { sheetsEndpoint: `${url}/`, oauthEndpoint: `${url}/` };
  const { ask, close } = connect({ spreadsheetId: ID, account: readServiceAccount(emulator.keyFile), ...endpoints, timeout, clock });
  t.after(close);
  const ledgers = { read: new Ledger(perMinute(60), clock), write: new Ledger(perMinute(60), clock) };
  const say = (line: string): void => void (tab = /drover-contract-\d+/.exec(line)?.[0]);
  const sleep: Ports["sleep"] = async (time) => {
    if (tab !== undefined) await emulator.edit(ID, `sort=${tab},column=B`);
    tab = undefined;
    jumped = ms(jumped + time);
  };
  const ports: Ports = { ask, ledgers, clock, sleep, say, timeout, stop: new AbortController().signal };
  return { emulator, ports };
}

/** @returns the ids by finding. */
async function found(ports: Ports, lie?: Lie, only?: readonly string[]) {
  const lied = lie === undefined ? ports : { ...ports, ask: lying(ports.ask, lie) };
  const done = await run(lied, { flags: new Set(["exhaust", "by-hand"]), ...(only === undefined ? {} : { only }) });
  const of = (is: Finding["is"]): string[] => [...done.findings].filter(([, one]) => one.is === is).map(([id]) => id);
  return { ...done, holds: of("holds"), fails: of("does not hold"), untested: of("not tested") };
}

test("each claim has a probe, and holds on the emulator within the quota; nothing is left behind", async (t) => {
  assert.deepEqual([...CLAIMS.keys()].toSorted(), [...Object.keys(PROBES), "longest-work"].toSorted());
  const { emulator, ports } = await emulated(t);
  const statuses: number[] = [];
  const watched: Lie = { to: /^/, answer: (answer) => (statuses.push(answer.status), answer) };
  const { findings, untested, fails, left, calls } = await found(ports, watched);
  assert.deepEqual([fails, untested], [[], ["longest-work"]], JSON.stringify([...findings]));
  assert.deepEqual([left, await emulator.metadata(ID), await emulator.rows(ID, "Sheet1")], [undefined, [], []]);
  assert.equal(statuses.filter((status) => status === 429).length, 2, "the exhaustion's refusals alone");
  t.diagnostic(`${CLAIMS.size} claims, ${calls.read} reads, ${calls.write} writes`);
});

test("each claim is found false where the API breaks it", async (t) => {
  const { ports } = await emulated(t);
  for (const [id, lie] of Object.entries(LIES)) {
    const { fails, findings } = await found(ports, lie, [id]);
    assert.deepEqual(fails, [id], JSON.stringify([...findings]));
    assert.equal((await found(ports, undefined, [])).left, undefined); // what the lie kept from being removed
  }
});

test("an API that breaks one claim fails that one and those that rest on it", async (t) => {
  const { ports } = await emulated(t);
  const { fails } = await found(ports, LIES["tag-stays"]);
  assert.deepEqual(fails, ["tag-sorts", "tag-shifts", "tag-stays", "tag-by-hand", "guard-moves"]);
});

test("what fails is not tested, never false; a 429 is waited for", async (t) => {
  const { ports } = await emulated(t);
  const only = ["tag-sorts", "filter-writes", "tag-shifts"];
  const away: Lie = {
    to: /^/,
    answer: (answer, call) => (has(call, "sortRange") || call.path.endsWith("Filter") ? refusal(503, "Away") : answer),
  };
  const one = await found(ports, away, only);
  assert.deepEqual([one.holds, one.untested], [["tag-shifts"], ["tag-sorts", "filter-writes"]]);
  assert.match(one.findings.get("tag-sorts")?.saw ?? "", /503 Away/);
  let refusals = 2;
  const slept: number[] = [];
  const busy: Lie = {
    to: /^/,
    answer: (answer, call) => (has(call, "sortRange") && refusals-- > 0 ? refusal(429, "Quota exceeded") : answer),
  };
  const sleep: Ports["sleep"] = (time, stop) => ports.sleep(time, stop).then(() => void slept.push(time));
  assert.deepEqual((await found({ ...ports, sleep }, busy, ["tag-sorts"])).holds, ["tag-sorts"]);
  assert.equal(slept.filter((time) => time > 60_000).length, 2);
});
