/** Adds until it is told to stop, one write after the other, and says how each ended: `node disk-child.ts DIR COUNT`. */
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../../src/base/clock.ts";
import { openJournal } from "../../../src/broker/journal/open.ts";
import { entry, silent } from "./world.ts";

const [, , dir = "", count = "0"] = process.argv;
const journal = await openJournal({ dir, now: () => systemClock.wall(), log: silent, onFatal: () => process.exit(1) });
for (let i = 0; i < Number(count); i += 1) {
  const added = await journal.add({ entries: [entry({ id: `w${i}` })] });
  writeSync(1, `${added.is} w${i} ${added.is === "disk" ? added.message : ""}\n`);
  if (added.is === "disk") await sleep(20);
}
await journal.close();
