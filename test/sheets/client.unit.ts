import assert from "node:assert/strict";
import { test } from "node:test";
import { ms, seconds, type Instant, type Timestamp } from "../../src/base/units.ts";
import { createTables, UnavailableError, type Tables } from "../../src/sheets/client.ts";
import { share } from "../../src/sheets/direct-transport.ts";
import { encodeSnapshot, stamp } from "../../src/sheets/snapshot.ts";
import type { Transport, TransportEvents } from "../../src/sheets/transport.ts";
import { EVERY_TABLE, type SnapshotHead, type TableInfo, type Unavailable } from "../../src/sheets/types.ts";

const INFO: TableInfo = { name: "players", definition: "d1", ttl: seconds(30), read: "public", append: "nobody", update: "nobody" };
const WHY: Unavailable = { table: "players", reason: "upstream", message: "Google answered 503", retryAfter: seconds(20) };

/** A client whose other end and time are moved by hand. */
function world(random = 0) {
  const time = { now: 1_000, wall: 1_800_000_000_000 };
  const touched: string[] = [];
  const wants: { table: string; held: string | undefined; settle: (e?: Error) => void }[] = [];
  const priorities: (string | undefined)[] = [];
  let events!: TransportEvents;
  const transport: Transport = {
    want: (table, held, priority) => {
      priorities.push(priority);
      return new Promise((resolve, reject) => wants.push({ table, held, settle: (e) => (e === undefined ? resolve(false) : reject(e)) }));
    },
    write: () => Promise.resolve({ is: "refused", refusal: { reason: "away", message: "nobody is there" } }),
    find: () => Promise.resolve(undefined),
    touch: (table) => void touched.push(table),
    listen: (listener) => (events = listener),
    close: () => {},
  };
  const clock = { now: () => time.now as Instant, wall: () => time.wall as Timestamp };
  const tables: Tables = createTables(transport, { clock, patience: ms(50), random: () => random });
  let version = 0;
  const head = (id: string): { head: SnapshotHead; bytes: SharedArrayBuffer } => {
    const { bytes, hash } = encodeSnapshot({ columns: [{ name: "id", type: "auto" }], key: 0, rows: [[id]] });
    version += 1;
    stamp(bytes, 1, version);
    const at = clock.wall();
    return { head: { table: "players", epoch: 1, version, hash, asOf: at, checkedAt: at }, bytes: share(bytes) };
  };
  const advance = (wait: number): void => void ((time.now += wait), (time.wall += wait));
  const loaded = () => (events.tables([INFO]), events.snapshot(head("a")), tables.peek("players")!);
  return { tables, touched, wants, priorities, events, head, advance, loaded, time };
}
const isReason = (reason: string) => (e: unknown) => e instanceof UnavailableError && e.why.reason === reason;
const pending = async (p: Promise<unknown>): Promise<boolean> =>
  (await Promise.race([p.catch(() => {}), new Promise((r) => setImmediate(r, "pending"))])) === "pending";

test("fresh rows: no question, the same view, all from one source", async () => {
  const w = world();
  const view = w.loaded();
  w.advance(29_999);
  assert.equal(await w.tables.table("players"), view);
  assert.deepEqual([w.touched, w.wants.length], [[], 0]);
  assert.deepEqual([view.version, view.source.version, view.source.freshUntil, view.source.staleUntil], [1, 1, 31_000, 61_000]);
  assert.deepEqual(w.tables.list(), [INFO]);
});

test("0.12: stale rows are served at once and asked for once a second", async () => {
  const w = world();
  const view = w.loaded();
  w.advance(30_000);
  for (let i = 0; i < 100; i += 1) assert.equal(await w.tables.table("players"), view);
  for (let i = 0; i < 100; i += 1) view.source.expired();
  assert.deepEqual(w.touched, ["players"]);
  w.advance(1_000);
  view.source.expired();
  assert.equal(w.touched.length, 2);
  assert.equal(w.wants.length, 0);
});

test("0.12: beyond, callers wait for one refresh; a renewal moves the times and nothing else", async () => {
  const w = world();
  const view = w.loaded();
  w.advance(60_000);
  const waiting = Promise.all([w.tables.table("players"), w.tables.table("players")]);
  assert.deepEqual([w.wants.length, w.wants[0]?.held], [1, view.head.hash]);
  w.events.renewed({ ...view.head, checkedAt: w.time.wall as Timestamp });
  w.wants[0]?.settle();
  const [one, two] = await waiting;
  assert.equal(one, two);
  assert.deepEqual([one.snapshot, one.version, view.source.version], [view.snapshot, 1, 1]);
  assert.deepEqual([view.source.checkedAt, view.source.freshUntil], [w.time.wall, w.time.now + 30_000]);
});

test("new rows: a new version of the same source; the old view keeps its own", async () => {
  const w = world();
  const view = w.loaded();
  w.events.snapshot(w.head("b"));
  const next = await w.tables.table("players");
  assert.equal(next.source, view.source);
  assert.deepEqual([view.version, next.version, view.source.version], [1, 2, 2]);
  assert.deepEqual([view.snapshot.row(0), next.snapshot.row(0)], [{ id: "a" }, { id: "b" }]);
  w.events.snapshot(w.head("b"));
  assert.equal(view.source.version, 2, "the same rows under another version, from a broker's successor, change nothing");
});

test("a failed refresh: what is there, with its reason, and no waiting until it may be tried again", async () => {
  const w = world();
  const view = w.loaded();
  w.advance(100_000);
  const waiting = w.tables.table("players");
  w.events.failed(WHY);
  w.wants[0]?.settle(new UnavailableError(WHY));
  assert.deepEqual((await waiting).failure, WHY);
  assert.equal(view.source.staleUntil, w.time.now + 50_000);
  w.advance(20_000 + 29_999); // it may be tried again at 20 s, and a Google that hangs takes its time to fail again
  for (let i = 0; i < 50; i += 1) assert.equal((await w.tables.table("players")).snapshot, view.snapshot);
  assert.equal(w.wants.length, 1);
  w.events.renewed({ ...view.head, checkedAt: w.time.wall as Timestamp });
  assert.equal((await w.tables.table("players")).failure, undefined);
});

test("rows that were read after a failure end it, also when the wall clock was set back meanwhile", async () => {
  const w = world();
  const view = w.loaded();
  w.events.failed(WHY);
  w.time.wall -= 3_600_000;
  w.events.renewed({ ...view.head, ttl: ms(60_000) }); // the same reading
  assert.deepEqual((await w.tables.table("players")).failure, WHY);
  w.events.renewed({ ...view.head, checkedAt: w.time.wall as Timestamp });
  assert.equal((await w.tables.table("players")).failure, undefined);
});

test("while the broker is away rows are served however old, and wait for nothing", async () => {
  const w = world();
  const view = w.loaded();
  w.events.link(false);
  w.advance(86_400_000);
  const served = await w.tables.table("players");
  assert.deepEqual([served.snapshot, served.failure?.reason, w.wants.length], [view.snapshot, "broker", 0]);
  w.touched.length = 0;
  w.events.link(true);
  const back = await w.tables.table("players");
  assert.deepEqual([back.snapshot, w.wants.length, w.touched], [view.snapshot, 0, ["players"]], "served, and a refresh is asked for");
  w.advance(30_000);
  assert.ok(await pending(w.tables.table("players")));
  assert.equal(w.wants.length, 1);
});

test("a table that nobody knows, and rows that were never seen", async () => {
  const w = world();
  w.events.tables([INFO]);
  await assert.rejects(w.tables.table("nope"), isReason("unknown"));
  await assert.rejects(w.tables.table("__proto__"), isReason("unknown"));
  assert.equal(w.wants.length, 0, "unknown names do not reach the broker");
  const waiting = w.tables.table("players");
  await pending(waiting);
  w.wants[0]?.settle(new UnavailableError({ ...WHY, reason: "denied" }));
  await assert.rejects(waiting, isReason("denied"));
});

test("before the list: callers wait for it, get its reason, or give up", async () => {
  await assert.rejects(world().tables.table("players"), isReason("broker"));
  const w = world();
  const waiting = w.tables.table("players");
  w.events.failed({ ...WHY, table: EVERY_TABLE, reason: "denied" });
  await assert.rejects(waiting, isReason("denied"));
  w.events.tables([INFO]);
  w.events.snapshot(w.head("a"));
  assert.equal((await w.tables.table("players")).snapshot.rowCount, 1);
});

test("a caller that goes away leaves the others waiting, and the flight with them", async () => {
  const w = world();
  w.loaded();
  w.advance(100_000);
  const gone = new AbortController();
  const first = w.tables.table("players", gone.signal);
  const second = w.tables.table("players");
  gone.abort(new Error("the client has left"));
  await assert.rejects(first, /the client has left/);
  assert.ok(await pending(second));
  w.wants[0]?.settle();
  await second;
  await assert.rejects(w.tables.table("players", gone.signal), /the client has left/);
});

test("who may read changes: the rows stay, every answer dies; cut otherwise: the rows go too", async () => {
  const w = world();
  const view = w.loaded();
  w.events.tables([{ ...INFO, read: "nobody" }]);
  const next = await w.tables.table("players");
  assert.deepEqual([next.info.read, next.version, view.source.version, next.snapshot], ["nobody", 2, 2, view.snapshot]);
  w.events.tables([{ ...INFO, definition: "d2" }]);
  assert.deepEqual([w.tables.peek("players"), view.source.version], [undefined, 3]);
});

test("a damaged snapshot never replaces a good one", () => {
  const w = world();
  const view = w.loaded();
  const { head } = w.head("b");
  w.events.snapshot({ head, bytes: new SharedArrayBuffer(100) });
  assert.equal(w.tables.peek("players"), view);
});

test("rows that were used are said to be used at their renewal; unused ones are not", () => {
  const w = world();
  const view = w.loaded();
  const renew = (): void => w.events.renewed({ ...view.head, checkedAt: w.time.wall as Timestamp });
  renew();
  w.touched.length = 0;
  renew();
  assert.deepEqual(w.touched, []);
  assert.ok(view.source.freshUntil > 0);
  renew();
  assert.deepEqual(w.touched, ["players"]);
});

test("rows expire up to a tenth before their TTL, by chance, so that one asks for all", async () => {
  for (const [random, left] of [
    [0, 30_000],
    [0.5, 28_500],
    [0.999, 27_003],
  ] as const) {
    const w = world(random);
    const view = w.loaded();
    assert.equal(view.source.freshUntil, w.time.now + left);
    w.advance(left - 1);
    await w.tables.table("players");
    assert.deepEqual(w.touched, []);
    w.advance(1);
    await w.tables.table("players");
    assert.deepEqual(w.touched, ["players"]);
  }
});

test("a stretched TTL holds for freshness, and answers that named the old one die; the reason for stale rows stays until there are newer", async () => {
  const w = world();
  const view = w.loaded();
  w.events.failed({ ...WHY, cause: "timeout" });
  assert.equal(view.source.reason, "timeout");
  w.events.renewed({ ...view.head, ttl: seconds(90) });
  const longer = w.tables.peek("players");
  assert.deepEqual([view.source.version, longer?.version, longer?.head.ttl, longer?.snapshot], [2, 2, 90_000, view.snapshot]);
  assert.deepEqual([view.source.freshUntil, view.source.reason], [w.time.now + 90_000, "timeout"]);
  w.events.renewed({ ...view.head, ttl: seconds(90), checkedAt: (w.time.wall + 1) as Timestamp });
  assert.deepEqual([view.source.version, view.source.reason, w.tables.peek("players")?.failure], [2, undefined, undefined]);
  w.events.renewed({ ...view.head, checkedAt: (w.time.wall + 1) as Timestamp });
  assert.deepEqual([view.source.version, view.source.freshUntil], [3, w.time.now + 30_001 - 1]);
});

test("why rows are stale, in one word: of each failure, of a broker that is away, and of a call that nobody answered", async () => {
  const w = world();
  const view = w.loaded();
  for (const [why, word] of [
    [WHY, "upstream"],
    [{ ...WHY, reason: "quota" }, "quota"],
    [{ ...WHY, reason: "denied" }, "denied"],
    [{ ...WHY, cause: "network" }, "network"],
  ] as const) {
    w.events.failed(why);
    assert.equal(view.source.reason, word);
  }
  w.events.link(false);
  assert.equal(view.source.reason, "broker");
  w.events.link(true);
  w.events.renewed(view.head);
  assert.equal(view.source.reason, undefined);
  w.advance(100_000);
  const waiting = w.tables.table("players");
  w.wants.at(-1)?.settle(new UnavailableError({ ...WHY, reason: "broker", message: "the broker did not answer in time" }));
  assert.equal((await waiting).failure?.reason, "broker");
  assert.equal(view.source.reason, "broker");
  const wants = w.wants.length;
  assert.equal((await w.tables.table("players")).failure?.reason, "broker");
  assert.equal(w.wants.length, wants, "the next caller does not wait for it again");
});

test("an urgent read does not join a flight that may wait", async () => {
  const w = world();
  w.loaded();
  w.advance(100_000);
  for (const priority of ["export", "urgent", "urgent", undefined] as const) void w.tables.table("players", undefined, priority);
  await pending(Promise.resolve());
  assert.deepEqual(w.priorities, ["export", "urgent", "refresh"]);
  for (const want of w.wants) want.settle();
});

test("changed rows are laid over those that are here; where they do not fit nothing changes, and all are asked for", () => {
  const w = world();
  const view = w.loaded();
  const { head } = w.head("b");
  const added = encodeSnapshot({ columns: [{ name: "id", type: "auto" }], key: 0, rows: [["b"]] }).bytes;
  const step = { head, from: 1, edits: [[1, 0, 1]] as const, added };
  assert.equal(w.events.edited({ ...step, from: 7 }), false, "of another version");
  assert.equal(w.events.edited({ ...step, head: { ...head, epoch: 2 } }), false, "of another broker");
  assert.equal(w.events.edited({ ...step, edits: [[2, 0, 1]] }), false, "in no place");
  assert.equal(w.events.edited({ ...step, added: added.subarray(8) }), false, "damaged");
  assert.equal(w.tables.peek("players"), view);
  assert.equal(w.events.edited({ ...step, head: { ...head, table: "other" } }), true, "nobody has it here: it will be asked for");
  assert.equal(w.events.edited(step), true);
  const now = w.tables.peek("players");
  assert.deepEqual(now?.snapshot.columnValues("id"), ["a", "b"]);
  assert.deepEqual([now?.head, now?.version, view.snapshot.rowCount], [head, 2, 1]);
  assert.ok(now?.snapshot.buffer instanceof SharedArrayBuffer);
});
