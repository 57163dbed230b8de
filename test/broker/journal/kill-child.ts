/**
 * A process that has a journal and works with it until it is killed: `node kill-child.ts DIR`. Says on stdout what is durable, a line each:
 * `a ID LSN`, `l LSN` (landed), `s NR` (sealed). A line is written after the journal's promise, in one write.
 */
import { writeSync } from "node:fs";
import { systemClock } from "../../../src/base/clock.ts";
import { errnoOf } from "../../../src/base/errors.ts";
import { openJournal } from "../../../src/broker/journal/open.ts";
import { batch, entry, settlement, silent } from "./world.ts";

const journal = await openJournal({
  dir: process.argv[2] ?? "",
  now: () => systemClock.wall(),
  log: silent,
  onFatal: () => process.exit(1),
});

/** Whoever reads may be busy: the pipe is full then. */
function say(line: string): void {
  for (;;)
    try {
      return void writeSync(1, `${line}\n`);
    } catch (e) {
      if (errnoOf(e) !== "EAGAIN") throw e;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
}

const sealed = new Set(journal.recovered.batches.flatMap(({ lsns }) => lsns));
const waiting = journal.recovered.entries.map(({ lsn }) => lsn).filter((lsn) => !sealed.has(lsn));
say(`ready ${waiting.length} ${journal.recovered.damage ?? ""}`);

async function writer(nr: number): Promise<never> {
  for (let i = 0; ; i += 1) {
    const id = `${process.pid}-${nr}-${i}`;
    // Some larger than a page, so that kills fall between the pages of one row.
    const added = await journal.add({ entries: [entry({ id, values: { text: "x".repeat(i % 7 === 0 ? 9_000 : 50) } })] });
    if (added.is !== "added") throw new Error(JSON.stringify(added));
    for (const { lsn } of added.entries) {
      waiting.push(lsn);
      say(`a ${id} ${lsn}`);
    }
  }
}

async function flusher(): Promise<never> {
  for (const { nr, lsns } of journal.recovered.batches) {
    await journal.settle(nr, settlement({ landed: lsns }));
    for (const lsn of lsns) say(`l ${lsn}`);
  }
  let nr = journal.recovered.nextBatch;
  for (;;) {
    await new Promise(setImmediate);
    const lsns = waiting.splice(0, 5);
    await journal.seal(batch(nr, lsns), nr);
    say(`s ${nr}`);
    await journal.sent(nr, systemClock.wall());
    await journal.settle(nr, settlement({ landed: lsns }));
    for (const lsn of lsns) say(`l ${lsn}`);
    nr += 1;
  }
}

await Promise.all([...Array.from({ length: 6 }, (_, i) => writer(i)), flusher()]);
