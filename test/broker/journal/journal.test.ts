import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Timestamp } from "../../../src/base/units.ts";
import type { Journal } from "../../../src/broker/journal/journal.ts";
import { addOne, batch, clocks, entry, folder, open, settlement, START } from "./world.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

test("what was added is there after it was opened again, as it was, in its order", async (t) => {
  const dir = folder(t);
  const journal = await open(t, dir);
  const odd = { "": "", __proto__: "x", "a\u0000b": "\ud800 \u2028 '\"\\", big: 1e308, small: -0.1, yes: false, none: null };
  const values = Object.fromEntries(Object.entries(odd)) as Record<string, string | number | boolean | null>;
  const first = await journal.add({ entries: [entry({ key: "\udc00 key", values }), entry({ op: "delete", values: {} })] });
  assert.ok(first.is === "added");
  assert.deepEqual(
    first.entries.map(({ lsn }) => lsn),
    [1, 2],
  );
  const more = await Promise.all(Array.from({ length: 300 }, () => addOne(journal)));
  await journal.close();
  const again = await open(t, dir);
  assert.deepEqual(again.recovered.entries, [...first.entries, ...more]);
  assert.equal(again.recovered.identity, journal.recovered.identity);
  assert.equal(again.recovered.damage, undefined);
  assert.equal((await addOne(again)).lsn, 303);
});

test("its files are its owner's alone", async (t) => {
  const dir = folder(t);
  const journal = await open(t, dir);
  await addOne(journal);
  const files = readdirSync(dir).filter((name) => name.startsWith("journal"));
  assert.deepEqual(files.sort(), ["journal.db", "journal.db-wal", "journal.lock", "journal.reserve"]);
  for (const name of files) assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600, name);
});

test("the life of a write", async (t) => {
  const dir = folder(t);
  const journal = await open(t, dir);
  const [one, two, three] = [await addOne(journal), await addOne(journal), await addOne(journal)];
  const state = async (id: string): Promise<unknown> => (await journal.find(id))?.state;
  assert.equal(await state(one.id), "journaled");
  await journal.seal(batch(1, [1, 2, 3]), 77);
  assert.equal(await state(one.id), "journaled");
  await journal.sent(1, START);
  assert.equal(await state(one.id), "sent");
  await journal.settle(1, settlement({ landed: [1], parked: [{ lsn: 2, reason: "too long" }], again: [3] }));
  const { id, table, op, key, at } = one;
  assert.deepEqual(await journal.find(id), { id, table, op, key, at, state: "landed", landedAt: START });
  assert.deepEqual(await journal.parked(5), [{ id: two.id, table, op, key: two.key, at, state: "parked", reason: "too long" }]);
  assert.equal(await state(three.id), "journaled");
  assert.equal(await state("nobody"), undefined);
  await journal.close();
  const { recovered } = await open(t, dir);
  assert.deepEqual(recovered.entries, [three]);
  assert.deepEqual(recovered.batches, []);
  assert.deepEqual(recovered.fences, [{ id: 1_001, settledAt: START }]);
  assert.deepEqual([recovered.landed, recovered.parked, recovered.nextBatch, recovered.nextMetadataId], [1, 1, 2, 77]);
});

test("a sealed batch comes back byte for byte, with when it was first sent", async (t) => {
  const dir = folder(t);
  const journal = await open(t, dir);
  await addOne(journal);
  await addOne(journal);
  const large = { body: Buffer.alloc(2_000_000, "é") };
  await journal.seal(batch(7, [1], large), 5);
  await journal.seal(batch(8, [2]), 6);
  await journal.seal(batch(9, []), 7);
  await journal.sent(7, START);
  await journal.sent(7, (START + 5) as Timestamp);
  await journal.seal(batch(7, [1], large), 8); // who does not know whether it was taken may say it again
  await assert.rejects(journal.seal(batch(7, [2]), 8), /other bytes/);
  await assert.rejects(journal.seal(batch(10, [3]), 8), /write 3 does not wait/);
  await assert.rejects(journal.sent(10, START), /not sealed/);
  await journal.settle(9, settlement({}));
  await journal.close();
  const { recovered } = await open(t, dir);
  const expected = [batch(7, [1], { ...large, sentAt: START }), batch(8, [2])];
  assert.deepEqual(
    recovered.batches.map((found) => ({ ...found, body: Buffer.from(found.body) })),
    expected,
  );
  assert.deepEqual(recovered.fences, [{ id: 1_009, settledAt: START }]);
});

test("a client's key: the same answer to the same, a refusal to another, nothing after a day", async (t) => {
  const time = clocks();
  const journal = await open(t, folder(t), time.clocks);
  time.pass(HOUR);
  const entries = [entry(), entry()];
  const once = { key: "k\ud800", digest: "a" };
  assert.equal((await journal.add({ entries, once })).is, "added");
  await journal.settle(0, settlement({ landed: [1] }));
  const again = await journal.add({ entries: [entry(), entry()], once });
  assert.ok(again.is === "repeated");
  assert.deepEqual(
    again.writes.map(({ id, state }) => [id, state]),
    [
      [entries[0]?.id, "landed"],
      [entries[1]?.id, "journaled"],
    ],
  );
  assert.deepEqual(await journal.add({ entries: [entry()], once: { ...once, digest: "b" } }), { is: "reused" });
  time.pass(DAY + 1);
  assert.equal((await journal.add({ entries: [entry()], once: { ...once, digest: "b" } })).is, "added");
});

for (const [what, step] of [
  ["forward", 8 * DAY],
  ["back", -8 * DAY],
] as const)
  test(`a wall clock that is set ${what} by eight days forgets no key of this day, and no landed write of this week`, async (t) => {
    const time = clocks();
    const dir = folder(t);
    const once = { key: "k", digest: "a" };
    const isKnown = async (journal: Journal): Promise<string> => (await journal.add({ entries: [entry()], once })).is;
    let journal = await open(t, dir, time.clocks);
    const { id } = await addOne(journal);
    await journal.settle(0, settlement({ landed: [1], at: time.clocks.now() }));
    time.pass(2 * HOUR); // steady long enough to forget
    assert.equal(await isKnown(journal), "added");
    time.step(step);
    assert.equal(await isKnown(journal), "repeated");
    time.pass(2 * HOUR);
    assert.equal(await isKnown(journal), "repeated");
    await journal.close();

    journal = await open(t, dir, time.clocks); // this process has seen no step
    time.pass(2 * HOUR);
    assert.equal(await isKnown(journal), "repeated");
    time.pass(18 * HOUR);
    assert.equal(await isKnown(journal), "repeated");
    assert.equal((await journal.find(id))?.state, "landed");
    time.pass(5 * HOUR);
    assert.equal(await isKnown(journal), "added", "a day without a step");
  });

test("a wall clock that was set back while no process ran, and is corrected afterwards, forgets no key", async (t) => {
  const time = clocks();
  const dir = folder(t);
  const once = { key: "k", digest: "a" };
  let journal = await open(t, dir, time.clocks);
  await journal.add({ entries: [entry()], once });
  await journal.close();
  time.step(-10 * 365 * DAY);
  journal = await open(t, dir, time.clocks);
  time.pass(2 * HOUR);
  assert.equal((await journal.add({ entries: [entry()], once })).is, "repeated");
  time.step(10 * 365 * DAY);
  time.pass(2 * HOUR);
  assert.equal((await journal.add({ entries: [entry()], once })).is, "repeated");
});

test("one key in one commit counts once", async (t) => {
  const journal = await open(t, folder(t));
  const once = { key: "k", digest: "a" };
  const answers = await Promise.all(Array.from({ length: 20 }, () => journal.add({ entries: [entry()], once })));
  assert.deepEqual(answers.map(({ is }) => is).sort(), ["added", ...Array.from({ length: 19 }, () => "repeated")]);
});

test("a write that is there already is not there twice", async (t) => {
  const journal = await open(t, folder(t));
  const entries = [entry()];
  assert.equal((await journal.add({ entries })).is, "added");
  const again = await journal.add({ entries });
  assert.ok(again.is === "repeated" && again.writes[0]?.id === entries[0]?.id);
  const twin = entry();
  await assert.rejects(journal.add({ entries: [twin, twin] }), /UNIQUE/);
  assert.equal(await journal.find(twin.id), undefined);
});

test("landed writes go after a week, keys after a day, parked ones stay", async (t) => {
  const time = clocks();
  t.mock.timers.enable({ apis: ["setInterval"] });
  const journal = await open(t, folder(t), time.clocks);
  const added = await journal.add({ entries: Array.from({ length: 600 }, () => entry()), once: { key: "k", digest: "d" } });
  assert.ok(added.is === "added");
  const lsns = added.entries.map(({ lsn }) => lsn);
  await journal.settle(1, settlement({ landed: lsns.slice(0, 599), parked: [{ lsn: 600, reason: "no" }] }));
  const there = async (): Promise<number> =>
    (await Promise.all(added.entries.map(({ id }) => journal.find(id)))).filter((found) => found?.state === "landed").length;
  t.mock.timers.tick(60_000);
  assert.equal(await there(), 599);
  time.pass(6 * DAY);
  t.mock.timers.tick(60_000);
  assert.equal(await there(), 599);
  assert.equal((await journal.add({ entries: [entry()], once: { key: "k", digest: "another" } })).is, "added");
  time.pass(DAY + 1);
  const seen: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    t.mock.timers.tick(i === 0 ? 60_000 : 1_000);
    seen.push(await there());
    await new Promise(setImmediate);
  }
  assert.deepEqual(seen, [349, 99, 0, 0, 0], "in small steps");
  assert.equal((await journal.parked(9)).length, 1);
});

test("too much that waits is refused, and taken again when it has landed", async (t) => {
  const limits = { waiting: 10, waitingBytes: 3_000 };
  const dir = folder(t);
  const journal = await open(t, dir, { limits });
  for (let i = 0; i < 10; i += 1) await addOne(journal);
  const rows = await journal.add({ entries: [entry()] });
  assert.ok(rows.is === "full" && /10 writes wait/.test(rows.message), rows.is);
  await journal.settle(1, settlement({ landed: [1, 2] }));
  const bytes = await journal.add({ entries: [entry({ values: { a: "é".repeat(1_400) } })] });
  assert.ok(bytes.is === "full" && /bytes wait/.test(bytes.message), JSON.stringify(bytes));
  await addOne(journal);
  await journal.close();
  const again = await open(t, dir, { limits });
  await addOne(again);
  assert.equal((await again.add({ entries: [entry()] })).is, "full");
  assert.equal(again.recovered.entries.length, 9);
});

test("parked and landed writes have bounds; how many there were is known", async (t) => {
  const dir = folder(t);
  const journal = await open(t, dir, { limits: { parked: 3, landed: 4 } });
  const added = await journal.add({ entries: Array.from({ length: 20 }, () => entry()) });
  assert.ok(added.is === "added");
  const parked = added.entries.slice(0, 10).map(({ lsn }) => ({ lsn, reason: "no" }));
  await journal.settle(1, settlement({ parked, landed: added.entries.slice(10).map(({ lsn }) => lsn) }));
  assert.deepEqual(
    (await journal.parked(100)).map(({ id }) => id),
    added.entries
      .slice(7, 10)
      .map(({ id }) => id)
      .toReversed(),
  );
  const found = await Promise.all(added.entries.slice(10).map(({ id }) => journal.find(id)));
  assert.equal(found.filter((write) => write !== undefined).length, 4);
  await journal.close();
  const { recovered } = await open(t, dir);
  assert.deepEqual([recovered.parked, recovered.landed], [10, 10]);
});

test("tags and fences are kept and dropped", async (t) => {
  const dir = folder(t);
  const journal = await open(t, dir);
  const tag = (id: number): { id: number; table: string; key: string; usedAt: Timestamp } => ({
    id,
    table: "t",
    key: `k${id}`,
    usedAt: START,
  });
  await journal.keepTags([tag(1), tag(2), tag(3)], [], 40);
  await journal.keepTags([tag(4)], [1, 3], 50);
  await journal.seal(batch(1, []), 60);
  await journal.settle(1, settlement({}));
  await journal.seal(batch(2, []), 61);
  await journal.settle(2, settlement({}));
  await journal.dropFences([1_001, 9]);
  await journal.close();
  const { recovered } = await open(t, dir);
  assert.deepEqual(recovered.tags, [tag(2), tag(4)]);
  assert.deepEqual(
    recovered.fences.map(({ id }) => id),
    [1_002],
  );
  assert.equal(recovered.nextMetadataId, 61);
});

test("a number is never given twice, however much is purged", async (t) => {
  const dir = folder(t);
  let now = START;
  const journal = await open(t, dir, { now: () => now, limits: { landed: 1 } });
  for (let lsn = 1; lsn <= 5; lsn += 1) {
    assert.equal((await addOne(journal)).lsn, lsn);
    await journal.settle(lsn, settlement({ parked: [{ lsn, reason: "no" }] }));
  }
  now = (now + 10 * 24 * 3_600_000) as Timestamp;
  await journal.close();
  const again = await open(t, dir);
  assert.equal((await addOne(again)).lsn, 6);
});

test("closed, it takes nothing more and says so", async (t) => {
  const journal = await open(t, folder(t));
  const under = Array.from({ length: 50 }, () => journal.add({ entries: [entry()] }));
  await journal.close();
  assert.ok((await Promise.all(under)).every(({ is }) => is === "added"));
  assert.equal((await journal.add({ entries: [entry()] })).is, "disk");
  await assert.rejects(journal.sent(1, START), /closed/);
  await journal.close();
});

test("what is no cell's value is not taken", async (t) => {
  const journal = await open(t, folder(t));
  await assert.rejects(journal.add({ entries: [entry({ values: { n: NaN } })] }), /column n: NaN/);
});
