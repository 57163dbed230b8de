/** A read that fails once, or always, is a failing disk: it does not make a sound database a damaged one. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { EXIT } from "../../src/base/exit.ts";
import { ms } from "../../src/base/units.ts";
import { openHistory, untold } from "../../src/broker/feed/history.ts";
import { takeLock } from "../../src/broker/journal/lock.ts";
import { openKept } from "../../src/broker/ledger/kept.ts";
import { lockDataDir } from "../../src/master/shell/lock.ts";
import { needsStrace } from "../support/needs.ts";
import { times } from "../support/times.ts";
import { addOne, folder, open, silent } from "./journal/world.ts";

const STRACE = needsStrace();
const CHILD = fileURLToPath(new URL("failing-read-child.ts", import.meta.url));
/** Single reads of the file that fail, and then all of them. */
const READS = ["2", "4", "5", "1+"];

interface Kind {
  readonly file: string;
  /** Makes the database, and leaves a part of it in the WAL. */
  make(t: TestContext, dir: string): Promise<void>;
  /** @returns how many rows of it are there. */
  count(t: TestContext, dir: string): Promise<number>;
}

const START = { epoch: 1, seq: 0 };
const KINDS: Readonly<Record<string, Kind>> = {
  journal: {
    file: "journal.db",
    async make(t, dir) {
      const work = folder(t);
      const first = await open(t, work);
      for (let i = 0; i < 60; i += 1) await addOne(first, { values: { text: "x".repeat(2_000) } });
      await first.close();
      const second = await open(t, work);
      for (let i = 0; i < 40; i += 1) await addOne(second);
      for (const name of readdirSync(work)) copyFileSync(join(work, name), join(dir, name));
    },
    count: async (t, dir) => (await open(t, dir)).recovered.entries.length,
  },
  ledger: {
    file: "ledger.db",
    make(_, dir) {
      for (const round of [1, 2]) {
        const kept = openKept(dir, silent);
        const facts = Array.from(
          { length: 50 },
          (__, i) => ({ kind: "ended", key: `${round} ${i}`, value: { text: "x".repeat(300) } }) as const,
        );
        kept.write(facts);
        if (round === 1) kept.close();
        else copyFileSync(join(dir, "ledger.db-wal"), join(dir, "kept-wal")); // as a kill leaves it
        kept.close();
      }
      copyFileSync(join(dir, "kept-wal"), join(dir, "ledger.db-wal"));
      return Promise.resolve();
    },
    count(_, dir) {
      const kept = openKept(dir, silent);
      const { length } = kept.load("ended");
      kept.close();
      return Promise.resolve(length);
    },
  },
  feed: {
    file: "feed.db",
    make(_, dir) {
      const opening = openHistory(dir, START);
      assert.ok(opening.is === "open");
      for (let seq = 1; seq <= 100; seq += 1) {
        const what = { kind: "row.deleted", key: "x".repeat(300) } as never;
        const event = { epoch: 1, seq, table: "t", definition: "d", version: 1, what };
        const ends = { floor: START, head: { epoch: 1, seq } };
        opening.history.keep({ ends, events: [event], table: "t", told: untold("d"), base: undefined });
      }
      opening.history.close();
      return Promise.resolve();
    },
    count(_, dir) {
      const opening = openHistory(dir, START);
      assert.ok(opening.is === "open");
      opening.history.close();
      return Promise.resolve(opening.kept.events.length);
    },
  },
};

/** Opens the database in a process in which reads of its file fail. @param when as strace's: "3" is the third, "3+" all from there on. */
function opensWith(what: string, path: string, when: string): number | null {
  const inject = ["-f", "-qq", "-o", "/dev/null", "-P", path, "-e", `inject=pread64:error=EIO:when=${when}`];
  const [dir, args] = [join(path, ".."), ["--disable-warning=ExperimentalWarning", CHILD, what]];
  const { status, stderr } = spawnSync("strace", [...inject, process.execPath, ...args, dir], { encoding: "utf8", timeout: 60_000 });
  assert.ok(status !== null, stderr);
  return status;
}

for (const [name, kind] of Object.entries(KINDS))
  test(`${name}: a read that fails is not taken for damage`, { timeout: times(120_000), skip: STRACE }, async (t) => {
    const origin = folder(t);
    await kind.make(t, origin);
    const outcomes: string[] = [];
    for (const when of READS) {
      const dir = folder(t);
      for (const file of readdirSync(origin)) copyFileSync(join(origin, file), join(dir, file));
      const status = opensWith(name, join(dir, kind.file), when);
      outcomes.push(`${when}: ${status}`);
      assert.deepEqual(
        readdirSync(dir).filter((file) => /unreadable|damaged/.test(file)),
        [],
        `the read ${when} failed`,
      );
      assert.equal(await kind.count(t, dir), 100, `the read ${when} failed`);
    }
    t.diagnostic(outcomes.join(", "));
    assert.ok(
      outcomes.some((outcome) => outcome.endsWith("1")),
      "no read failed",
    );
  });

for (const [what, file] of [
  ["lock", "drover.lock"],
  ["journal lock", "journal.lock"],
] as const)
  test(`${what}: a read that fails may pass`, { timeout: times(60_000), skip: STRACE }, (t) => {
    for (const when of ["1", "2", "3", "1+"]) {
      const dir = folder(t);
      lockDataDir(dir).release();
      takeLock(join(dir, "journal.lock"), ms(0)).release();
      const status = opensWith(what, join(dir, file), when);
      t.diagnostic(`${when}: ${status}`);
      assert.ok(status === 0 || status === EXIT.temporary.code, `the read ${when} failed: ${status}`);
    }
  });
