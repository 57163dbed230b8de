/** The thread's end: what it had in its hands is done by the next one; the second end is the process's affair. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Worker } from "node:worker_threads";
import { batch, entry, folder, open, settlement } from "./world.ts";

/** The journals' threads that were started while it listens, the last one at the end. */
function threads(t: TestContext): Worker[] {
  const found: Worker[] = [];
  const listener = (worker: Worker): void => void found.push(worker);
  process.on("worker", listener);
  t.after(() => process.off("worker", listener));
  return found;
}

test("it dies with writes in its hands: each is there once, and nobody noticed", async (t) => {
  const dir = folder(t);
  const found = threads(t);
  const journal = await open(t, dir);
  const adds = Array.from({ length: 200 }, () =>
    journal.add({ entries: [entry(), entry()], once: { key: `k${Math.random()}`, digest: "d" } }),
  );
  const seal = journal.seal(batch(1, [1, 2]), 9);
  await adds[0];
  await found.at(-1)?.terminate();
  const answers = await Promise.all(adds);
  await seal;
  assert.ok(answers.every(({ is }) => is === "added"));
  const lsns = answers.flatMap((answer) => (answer.is === "added" ? answer.entries.map(({ lsn }) => lsn) : []));
  assert.deepEqual(
    lsns.sort((a, b) => a - b),
    Array.from({ length: 400 }, (_, i) => i + 1),
  );
  await journal.close();
  const { recovered } = await open(t, dir);
  assert.equal(recovered.entries.length, 400);
  assert.equal(recovered.batches.length, 1);
});

test("it dies while parked writes are tried again and given up: each is done once, and answered", async (t) => {
  const dir = folder(t);
  const found = threads(t);
  const journal = await open(t, dir);
  const lsns = Array.from({ length: 60 }, (_, i) => i + 1);
  await journal.add({ entries: lsns.map(() => entry()), once: { key: "all", digest: "d" } });
  await journal.settle(undefined, settlement({ parked: lsns.map((lsn) => ({ lsn, reason: "no" })) }));
  const retries = lsns.filter((lsn) => lsn % 2 === 1).map((lsn) => journal.retry([lsn, lsn]));
  const discards = lsns.filter((lsn) => lsn % 2 === 0).map((lsn) => journal.discard([lsn]));
  await retries[0];
  await found.at(-1)?.terminate();
  const again = (await Promise.all(retries)).map(([first, second]) => {
    assert.deepEqual(first, second, "asked for twice, it is the same entry");
    return first?.lsn ?? 0;
  });
  assert.deepEqual(
    (await Promise.all(discards)).flat(),
    lsns.filter((lsn) => lsn % 2 === 0).map(() => true),
  );
  assert.deepEqual(
    again,
    Array.from({ length: 30 }, (_, i) => 61 + i),
  );
  assert.equal(journal.setAside, 0);
  await journal.close();
  const next = await open(t, dir);
  assert.equal(next.recovered.entries.length, 30);
  const recalled = await next.recall({ key: "all", digest: "d" });
  assert.equal(recalled?.is === "repeated" && recalled.writes.length, 60, "the client's own name leads to all of them");
});

test("it dies again: nothing hangs, and the broker is told once", async (t) => {
  const found = threads(t);
  const told: string[] = [];
  const journal = await open(t, folder(t), { onFatal: (why) => told.push(why) });
  for (let i = 0; i < 2; i += 1) {
    const under = Array.from({ length: 20 }, () => journal.add({ entries: [entry()] }));
    await found.at(-1)?.terminate();
    const answers = await Promise.all(under);
    assert.ok(answers.every(({ is }) => is === (i === 0 ? "added" : "disk")) || i === 1);
  }
  assert.equal((await journal.add({ entries: [entry()] })).is, "disk");
  await assert.rejects(journal.sent(1, 0 as never), /died again/);
  await assert.rejects(journal.find("x"), /died again/);
  assert.equal(told.length, 1);
  await journal.close();
});

test("its directory is wiped under it: nothing more is acknowledged, and the broker is told", async (t) => {
  const dir = folder(t);
  const told = Promise.withResolvers<string>();
  const journal = await open(t, dir, { onFatal: told.resolve });
  assert.equal((await journal.add({ entries: [entry()] })).is, "added");
  for (const name of ["journal.db", "journal.db-wal", "journal.lock"]) rmSync(join(dir, name));
  assert.equal((await journal.add({ entries: [entry()] })).is, "disk");
  assert.match(await told.promise, /removed or replaced.*another one/);
});
