/** A broker over several spreadsheets of one account, in a time moved by hand: one quota for all, a breaker for each. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { makeLogger } from "../../src/base/log.ts";
import { mebibytes, perMinute, seconds } from "../../src/base/units.ts";
import { Broker } from "../../src/broker/broker.ts";
import type { Outcome, Upstream } from "../../src/broker/upstream.ts";
import { parseTables } from "../../src/sheets/tables.ts";
import type { SnapshotHead, Unavailable } from "../../src/sheets/types.ts";
import { temporaryFolder } from "../support/folder.ts";
import { FakeTime, randoms } from "./time.ts";

const MAIN = "spreadsheet-for-the-tests-1";
const OTHER = "another-spreadsheet-0002";
const THIRD = "a-third-spreadsheet-0003";

function world(t: TestContext, tables: Readonly<Record<string, object>>, perMin = 60) {
  const time = new FakeTime();
  const calls: { at: number; id: string; ranges: readonly string[] }[] = [];
  const down = new Set<string>();
  const google = (id: string): Upstream => ({
    async read(ranges): Promise<Outcome<readonly unknown[]>> {
      calls.push({ at: time.now(), id, ranges: ranges.map((range) => range.replaceAll("'", "")) });
      await time.sleep(300);
      if (down.has(id)) return { is: "unavailable", message: "Google answered 500" };
      return { is: "ok", value: ranges.map((range) => [["id"], [`${id} ${range.replaceAll("'", "")}`]]) };
    },
    tabs: () => Promise.resolve({ is: "ok", value: ["a"] }),
    close: () => {},
  });
  const lines: string[] = [];
  const broker = new Broker({
    spreadsheetId: MAIN,
    tables: parseTables(JSON.stringify({ tables }), "tables.json", seconds(30)),
    ttl: seconds(30),
    readsPerMinute: perMinute(perMin),
    dataDir: temporaryFolder("books"),
    journalSize: mebibytes(1),
    upstream: google(MAIN),
    elsewhere: google,
    clock: time,
    alarm: time.alarm,
    random: randoms(3),
    log: makeLogger({ role: "broker" }, "info", { write: (line: string) => void lines.push(line) }),
  });
  t.after(() => broker.close());
  const heads = new Map<string, SnapshotHead>();
  const failed: Unavailable[] = [];
  const keep = (head: SnapshotHead): void => void heads.set(head.table, head);
  broker.start();
  broker.subscribe({ snapshot: keep, renewed: keep, failed: (why) => void failed.push(why), tables: () => {} });
  /** Eight workers whose clients read all tables all the time: each asks when its rows' TTL is over, or up to a tenth before. */
  const use = async (wait: number, names = Object.keys(tables)): Promise<void> => {
    for (let at = 0; at < wait; at += 100) {
      const old = names.filter((name) => {
        const head = heads.get(name);
        const ttl = head?.ttl ?? parseTables(JSON.stringify({ tables }), "f", seconds(30)).find((table) => table.name === name)?.ttl ?? 0;
        return head === undefined || time.wall() - head.checkedAt >= ttl * 0.9;
      });
      broker.touch(old);
      await time.advance(100);
    }
  };
  const most = (): number => Math.max(...calls.map(({ at }) => calls.filter((other) => other.at >= at && other.at < at + 60_000).length));
  return { time, calls, down, broker, heads, failed, lines, use, most };
}

test("each table from its own spreadsheet, one call for each, and the same one named or not is one", async (t) => {
  const w = world(t, { a: {}, same: { spreadsheet: MAIN }, b: { spreadsheet: OTHER }, c: { spreadsheet: OTHER } });
  await w.use(2_000);
  assert.deepEqual(
    w.calls.map(({ id, ranges }) => [id, ranges]),
    [
      [MAIN, ["a", "same"]],
      [OTHER, ["b", "c"]],
    ],
  );
  assert.match(Buffer.from(w.broker.peek("b")?.bytes ?? []).toString(), new RegExp(OTHER));
  const report = w.broker.report();
  assert.deepEqual(report.spreadsheets?.map(({ id, breaker }) => [id, breaker]), [[MAIN, "closed"], [OTHER, "closed"]]); // prettier-ignore
  assert.equal(report.quota.used, 2);
});

test("one that fails is left alone, and costs the others nothing", async (t) => {
  const w = world(t, { a: { ttl: "5s" }, b: { ttl: "5s", spreadsheet: OTHER } });
  await w.use(6_000);
  w.down.add(OTHER);
  await w.use(60_000);
  const report = w.broker.report();
  assert.deepEqual(report.spreadsheets?.map(({ breaker, failures }) => [breaker, failures >= 3]), [["closed", false], ["open", true]]); // prettier-ignore
  assert.deepEqual([report.state, report.message], ["down", "Google answered 500"]);
  assert.deepEqual(
    report.tables.map(({ name, cause }) => [name, cause]),
    [
      ["a", undefined],
      ["b", "upstream"],
    ],
  );
  const ages = ["a", "b"].map((name) => w.time.wall() - (w.heads.get(name)?.checkedAt ?? 0));
  assert.ok((ages[0] ?? 0) < 6_000 && (ages[1] ?? 0) > 55_000, String(ages));
  w.down.clear();
  await w.use(6_000);
  assert.deepEqual([w.broker.report().state, w.broker.report().spreadsheets?.[1]?.breaker], ["ok", "closed"]);
});

test("TTLs that plan more than the budget are stretched just enough, clients are told, and they shrink back", async (t) => {
  const w = world(t, {
    a: { ttl: "2s" },
    b: { ttl: "2s", spreadsheet: OTHER },
    c: { ttl: "2s", spreadsheet: THIRD },
    slow: { ttl: "1m", spreadsheet: THIRD },
  });
  await w.use(180_000);
  const { pace, tables, quota } = w.broker.report();
  const steady = w.calls.filter(({ at }) => at > 60_000).length / 2;
  console.log(
    `three spreadsheets with TTL 2 s: planned ${pace?.planned}, budget ${pace?.budget}, floor ${pace?.floor} ms; made ${steady} a minute, most in any ${w.most()}`,
  );
  assert.deepEqual([pace?.planned, pace?.budget, pace?.floor, quota.limit], [100, 45, 5_000, 51]);
  assert.deepEqual(
    tables.map(({ name, ttl, stretchedTo }) => [name, ttl, stretchedTo]),
    [
      ["a", 2_000, 5_000],
      ["b", 2_000, 5_000],
      ["c", 2_000, 5_000],
      ["slow", 60_000, 60_000],
    ],
  );
  assert.deepEqual(
    ["a", "b", "c", "slow"].map((name) => w.heads.get(name)?.ttl),
    [5_000, 5_000, 5_000, undefined],
  );
  assert.ok(steady >= 30 && w.most() <= 45, `${steady}, ${w.most()}`);
  assert.deepEqual(w.failed, []);
  assert.match(w.lines.join(""), /no table is refreshed more often than every 5000 ms/);
  await w.use(150_000, ["a"]); // nobody uses the others any more
  assert.equal(w.broker.report().pace?.floor, 0);
  assert.deepEqual([w.heads.get("a")?.ttl, w.heads.get("b")?.ttl], [undefined, undefined]);
  assert.match(w.lines.join(""), /the TTLs fit into the quota again/);
});
