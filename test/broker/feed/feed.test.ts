/** The broker's feed over its life and those of its successors, on a real disk. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { fc } from "../../support/fast-check.ts";
import { makeLogger } from "../../../src/base/log.ts";
import { seconds, type Timestamp } from "../../../src/base/units.ts";
import { Feed } from "../../../src/broker/feed/feed.ts";
import { openHistory, untold } from "../../../src/broker/feed/history.ts";
import { idOf, type Changes, type FeedEvent, type Position } from "../../../src/sheets/events.ts";
import { LiveFeed } from "../../../src/sheets/feed.ts";
import { MOST_EVENTS } from "../../../src/sheets/ring.ts";
import { encodeSnapshot, type Cell } from "../../../src/sheets/snapshot.ts";
import type { Audience, TableInfo } from "../../../src/sheets/types.ts";
import { fillUp, tinyDisk } from "../../support/tiny-disk.ts";
import { eventually } from "../../support/wait.ts";

let dataDir: string;
let lines: string[];
let feeds: Feed[];
let epoch: number;
let clock: number;
const log = makeLogger({ role: "broker" }, "debug", { write: (line: string) => void lines.push(line) });

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "drover-f-"));
  [lines, feeds, epoch, clock] = [[], [], 100, 0];
});
afterEach(() => {
  for (const feed of feeds) feed.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const info = (name: string, definition = "d1", read: Audience = "public"): TableInfo => ({
  name,
  definition,
  ttl: seconds(30),
  read,
  append: "nobody",
  update: "nobody",
});

/** A broker's feed, and what a worker has heard of it. */
interface Life {
  readonly feed: Feed;
  readonly heard: FeedEvent[];
  readonly batches: Changes[];
}

function begin(infos: readonly TableInfo[] = [info("players")], from?: Position): Life {
  const feed = new Feed({ dataDir, epoch: (epoch += 1), log });
  feeds.push(feed);
  const life: Life = { feed, heard: [], batches: [] };
  feed.follow(from, (changes) => {
    life.batches.push(changes);
    life.heard.push(...changes.events);
  });
  feed.tables(infos);
  return life;
}

type Rows = readonly (readonly Cell[])[];
function see({ feed }: Life, rows: Rows, table = "players", names: readonly string[] = ["id", "score"], at = (clock += 1)): void {
  const columns = names.map((name) => ({ name, type: "auto" as const }));
  const { bytes, hash } = encodeSnapshot({ columns, key: 0, rows });
  feed.seen({ table, epoch, version: at, hash, asOf: 0 as Timestamp, checkedAt: at as Timestamp }, bytes);
}

/** Rows that are looked at before the next ones are seen. */
function told(life: Life, rows: Rows, table?: string, names?: readonly string[], at?: number): void {
  see(life, rows, table, names, at);
  life.feed.flush();
}
const inShort = (events: readonly FeedEvent[]): string[] =>
  events.map(({ what }) => (what.kind === "reset" ? `reset ${what.reason}` : `${what.kind.slice(4)} ${what.key}`));
const last = ({ heard }: Life): Position => heard.at(-1) as Position;

test("on a full disk the feed goes on where the last broker ended", async (t) => {
  const disk = tinyDisk(t, 1_000_000);
  if (disk === undefined) return;
  const first = openHistory(disk, { epoch: 1, seq: 0 });
  assert.ok(first.is === "open");
  first.history.keep({
    ends: { floor: { epoch: 1, seq: 0 }, head: { epoch: 1, seq: 3 } },
    events: [],
    table: "t",
    told: untold(""),
    base: undefined,
  });
  first.history.close();
  fillUp(disk);
  const second = openHistory(disk, { epoch: 2, seq: 0 });
  assert.deepEqual(second.is === "open" && second.kept.head, { epoch: 1, seq: 3 });
  if (second.is === "open") second.history.close();
});

test("a table that is seen for the first time is no event; afterwards each change is one, numbered without a gap", async () => {
  const life = begin();
  told(life, [
    ["a", 1],
    ["b", 2],
  ]);
  assert.equal(life.heard.length, 0);
  told(life, [
    ["a", 1],
    ["b", 3],
    ["c", 4],
  ]);
  told(life, [
    ["c", 4],
    ["b", 3],
  ]);
  assert.deepEqual(inShort(life.heard), ["updated b", "created c", "deleted a"]);
  assert.deepEqual(life.heard.map(idOf), [`${epoch}-1`, `${epoch}-2`, `${epoch}-3`]);
  assert.deepEqual(life.heard[0]?.what, { kind: "row.updated", key: "b", row: '{"id":"b","score":3}' });
  assert.deepEqual(
    life.batches.map(({ after, upTo }) => [after.seq, upTo.seq]),
    [
      [0, 0],
      [0, 2],
      [2, 3],
    ],
  );
  // A burst is one difference, a moment later.
  for (let i = 0; i < 20; i += 1)
    see(life, [
      ["c", i],
      ["b", 3],
    ]);
  assert.equal(life.heard.length, 3);
  await eventually("the moment is over", () => life.heard.length > 3);
  assert.equal(life.heard.length, 4);
});

test("what changed while no broker was there is told by the next, and nothing of before is told again", () => {
  const first = begin();
  told(first, [
    ["a", 1],
    ["b", 2],
  ]);
  told(first, [
    ["a", 2],
    ["b", 2],
  ]);
  first.feed.close();
  const second = begin(undefined, last(first));
  assert.deepEqual(second.batches, [], "a worker that has heard everything is told nothing");
  told(second, [
    ["a", 2],
    ["b", 2],
  ]); // the same rows
  told(second, [
    ["a", 2],
    ["c", 2],
  ]);
  assert.deepEqual(inShort(second.heard), ["deleted b", "created c"]);
  assert.deepEqual(second.heard.map(idOf), [`${epoch}-2`, `${epoch}-3`], "the count goes on, under a larger epoch");
  second.feed.close();
  const third = begin(undefined, { epoch: epoch - 1, seq: 1 }); // an id of the first broker
  assert.deepEqual(inShort(third.heard), ["deleted b", "created c"]);
  for (const strange of [
    { epoch: 1, seq: 2 },
    { epoch, seq: 99 },
  ]) {
    const batches: Changes[] = [];
    third.feed.follow(strange, (changes) => batches.push(changes))();
    assert.equal(batches[0]?.events.length, 3, "who names a place that is none gets everything");
  }
});

test("a successor waits for the broker before it, tells its end first, and does not believe an older reading", async () => {
  const old = begin();
  told(old, [["a", 1]]);
  told(old, [["a", 2]], "players", undefined, 50);
  const next = begin(undefined, { epoch: 0, seq: 0 });
  told(next, [["a", 1]], "players", undefined, 49); // asked for before the other one's last
  await new Promise((resolve) => setTimeout(resolve, 120));
  assert.deepEqual(next.batches, []);
  old.feed.close();
  await eventually("the successor has it", () => next.batches.length === 1);
  assert.deepEqual(inShort(next.heard), ["updated a"]);
  told(next, [["a", 3]], "players", undefined, 51);
  assert.deepEqual(inShort(next.heard), ["updated a", "updated a"]);
  assert.equal(last(next).epoch, epoch);
});

test("after the clock was set back a successor believes its own readings, and still not what it has from disk", () => {
  const first = begin();
  const future = Date.now() + 3_600_000;
  told(first, [["a", 1]], "players", undefined, future);
  told(first, [["a", 2]], "players", undefined, future + 1);
  first.feed.close();
  const second = begin(undefined, last(first));
  const now = Date.now();
  told(second, [["a", 1]], "players", undefined, now); // from disk
  assert.deepEqual(inShort(second.heard), []);
  told(second, [["a", 3]], "players", undefined, now + 1); // its own
  assert.deepEqual(inShort(second.heard), ["updated a"]);
});

test("other columns, too many changes, another definition, a table that was away: read it again", () => {
  const life = begin([info("players"), info("teams")]);
  const wide = ["id", "score", "more"];
  const rows = (n: number, by: number): Cell[][] => Array.from({ length: n }, (_, i) => [`k${i}`, i + by]);
  told(life, rows(3_000, 0));
  told(life, [["t", 1]], "teams");
  told(life, [["t", 2]], "teams");
  told(life, rows(3_000, 1));
  told(life, [["t", 2, 3]], "teams", wide);
  told(life, [["t", 3, 3]], "teams", wide);
  assert.deepEqual(inShort(life.heard), ["updated t", "reset many", "reset columns", "updated t"]);
  life.feed.close();

  const cut = begin([info("players", "d2"), info("teams", "d1", "nobody")], last(life));
  assert.deepEqual(inShort(cut.heard), ["reset columns"], "and no row that was made under the other definition");
  told(cut, rows(10, 0));
  told(cut, [["t", 9, 3]], "teams", wide);
  told(cut, rows(11, 0));
  assert.deepEqual(inShort(cut.heard), ["reset columns", "created k10"]);
  cut.feed.close();

  const back = begin([info("players", "d2"), info("teams")], last(cut));
  told(back, [["t", 10, 3]], "teams", wide);
  assert.deepEqual(inShort(back.heard), ["reset columns"], "teams are back");
  assert.equal(back.heard[0]?.table, "teams");
});

test("the history is bounded, and a table's rows are known however old its last event is", () => {
  const life = begin([info("players"), info("quiet")]);
  told(life, [["q", 1]], "quiet");
  told(life, [["q", 2]], "quiet");
  const rows: Cell[][] = Array.from({ length: 900 }, (_, i) => [`k${i}`, 0]);
  for (let round = 0; round <= 7; round += 1)
    told(
      life,
      rows.map(([key], i) => [key ?? "", round * 1_000 + i]),
    );
  life.feed.close();
  assert.ok(life.heard.length > MOST_EVENTS + 500, `${life.heard.length} events`);
  const next = begin([info("players"), info("quiet")]);
  assert.ok(next.heard.length <= MOST_EVENTS && next.heard.length > 3_000, `${next.heard.length} are kept`);
  assert.deepEqual(next.heard.at(-1), life.heard.at(-1));
  const had = next.heard.length;
  told(
    next,
    [
      ["q", 2],
      ["r", 1],
    ],
    "quiet",
  );
  assert.deepEqual(inShort(next.heard.slice(had)), ["created r"]);
});

test("whenever a broker ends, a worker that follows its successors ends with the rows that are there", async () => {
  const key = fc.constantFrom("a", "b", "c", "d");
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.array(fc.tuple(key, fc.nat(3)), { maxLength: 5 }).map((rows) => ({ rows }) as const) },
    { weight: 1, arbitrary: fc.constant({ restart: true } as const) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const live = new LiveFeed();
      const held = new Map<string, string>();
      const ids: string[] = [];
      let begins = 0;
      const take = (events: readonly FeedEvent[]): void => {
        for (const event of events) {
          ids.push(idOf(event));
          if (event.what.kind === "reset") assert.fail("a reset");
          else if (event.what.kind === "row.deleted") assert.ok(held.delete(event.what.key));
          else {
            assert.equal(event.what.kind === "row.created", !held.has(event.what.key));
            held.set(event.what.key, event.what.row);
          }
        }
      };
      live.subscribe({ events: take, began: () => void (begins += 1) });
      const folder = mkdtempSync(join(tmpdir(), "drover-g-"));
      const start = (): Feed => {
        const feed = new Feed({ dataDir: folder, epoch: (epoch += 1), log });
        feed.follow(live.head, (changes) => live.arrived(changes));
        feed.tables([info("players")]);
        return feed;
      };
      let feed = start();
      let rows: Rows = [];
      const look = (): void => told({ feed, heard: [], batches: [] }, rows);
      look();
      for (const next of steps) {
        if ("rows" in next) rows = next.rows;
        else {
          feed.close();
          feed = start();
        }
        look();
      }
      feed.close();
      const wanted = new Map(rows.toReversed().map(([id, score]) => [String(id), JSON.stringify({ id, score })]));
      rmSync(folder, { recursive: true });
      assert.deepEqual(held, wanted);
      assert.deepEqual([begins, new Set(ids).size], [1, ids.length]);
    }),
    { numRuns: 30 },
  );
});

test("only the owner may read it; one that is damaged, or can't be written, costs the past and not the present", () => {
  const first = begin();
  told(first, [["a", 1]]);
  told(first, [["a", 2]]);
  for (const name of readdirSync(dataDir)) assert.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600, name);
  first.feed.close();
  writeFileSync(join(dataDir, "feed.db"), "no database at all, but long enough to be looked at as one".repeat(100));
  const second = begin(undefined, last(first));
  assert.deepEqual(second.batches, [{ after: { epoch, seq: 0 }, events: [], upTo: { epoch, seq: 0 } }], "a new sequence");
  told(second, [["a", 5]]);
  told(second, [["a", 6]]);
  assert.equal(second.heard.length, 1);
  assert.ok(readdirSync(dataDir).includes("feed.db.unreadable"));
  second.feed.close();

  rmSync(dataDir, { recursive: true });
  const third = begin(); // there is no directory
  assert.match(lines.join(""), /can't be kept/);
  told(third, [["a", 1]]);
  told(third, [["a", 2]]);
  assert.equal(third.heard.length, 1, "an event all the same");
});
