/** Whose the journal is while successors come and go: no process, the journal is a promise. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test, type TestContext } from "node:test";
import { DroverError } from "../../src/base/errors.ts";
import { makeLogger } from "../../src/base/log.ts";
import type { Broker } from "../../src/broker/broker.ts";
import { Custody } from "../../src/broker/custody.ts";
import type { WriteMeans } from "../../src/broker/writing.ts";
import { temporaryFolder } from "../support/folder.ts";
import { addOne, open } from "./journal/world.ts";

let isOpen: boolean;
let lines: string[];
let attempts: PromiseWithResolvers<void>[];
let custody: Custody;
let dataDir: string;

beforeEach(() => {
  isOpen = false;
  lines = [];
  attempts = [];
  dataDir = temporaryFolder("c");
  const broker = {
    writable: true,
    get takesWrites() {
      return isOpen;
    },
    openWrites: () => void (isOpen = true),
    refuseWrites: () => {},
    closeWrites: async () => void (isOpen = false),
  };
  custody = new Custody({
    broker: broker as unknown as Broker,
    dataDir,
    spreadsheet: "two",
    log: makeLogger({ role: "broker" }, "debug", { write: (line: string) => void lines.push(line) }),
    open: async () => {
      const attempt = Promise.withResolvers<void>();
      attempts.push(attempt);
      await attempt.promise;
      return { journal: { recovered: { entries: [] } } } as unknown as WriteMeans;
    },
  });
});
afterEach(() => custody.leave());

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const says = (text: string): boolean => lines.some((line) => line.includes(text));

/** Opens the journal, yields it to a successor that fails, and begins to open it again. */
async function takingBack(): Promise<void> {
  const opened = custody.open();
  attempts[0]?.resolve();
  await opened;
  await custody.yield();
  assert.equal(isOpen, false);
  void custody.reclaim().then((mine) => (mine ? custody.takeBack() : undefined));
  await settle();
  assert.equal(attempts.length, 2);
}

test("a second successor gets the journal only once the opening that is under way has ended, and the journal is closed", async () => {
  await takingBack();
  let yielded = false;
  const handed = custody.yield().then(() => (yielded = true));
  await settle();
  assert.equal(yielded, false);
  attempts[1]?.resolve();
  await handed;
  assert.deepEqual([isOpen, custody.isYielding], [false, true]);
});

test("an opening that fails because a second successor has the journal is not tried again", async (t: TestContext) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  await takingBack();
  const handed = custody.yield();
  attempts[1]?.reject(new DroverError("DROVER_E_RUNNING", "another broker has the journal"));
  await handed;
  await settle();
  t.mock.timers.tick(60_000);
  await settle();
  assert.deepEqual([attempts.length, custody.isYielding], [2, true]);
});

test("the end of one successor leaves the journal to another that has asked too", async () => {
  const opened = custody.open();
  attempts[0]?.resolve();
  await opened;
  const [first, second] = [custody.yield(), custody.yield()];
  assert.equal(await custody.reclaim(), false);
  await Promise.all([first, second]);
  assert.equal(custody.isYielding, true);
  assert.equal(await custody.reclaim(), true);
});

test("a journal that can't be opened again for lack of room is not reported as open", async (t: TestContext) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  await takingBack();
  attempts[1]?.reject(new DroverError("DROVER_E_DISK", "the disk is full"));
  await settle();
  assert.deepEqual([says("writes are refused until"), says("open here again")], [true, false]);
  t.mock.timers.tick(2_000);
  attempts[2]?.resolve();
  await settle();
  assert.deepEqual([isOpen, says("writes are accepted again")], [true, true]);
});

async function failsToOpen(): Promise<boolean> {
  const opened = custody.open();
  opened.catch(() => {});
  attempts.at(-1)?.reject(new DroverError("DROVER_E_DISK", "the disk is full"));
  await settle();
  return opened;
}

test("writes that wait for another spreadsheet are not shown while the journal can't be opened", async (t: TestContext) => {
  const journal = await open(t, dataDir, { spreadsheet: "one" });
  await addOne(journal);
  await journal.close();
  await assert.rejects(failsToOpen(), { code: "DROVER_E_JOURNAL", message: /for the spreadsheet one/ });
});

test("a repaired journal that is not in its place yet is not taken for an empty one", async () => {
  writeFileSync(join(dataDir, "journal.next"), "");
  await assert.rejects(failsToOpen(), { code: "DROVER_E_DISK" });
});
