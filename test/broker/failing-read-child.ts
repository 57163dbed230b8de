/** Opens a database of a data directory, reads it and closes it: `node failing-read-child.ts WHAT DIR`. Exits with 1 when it can't; for a lock with its error's code. */
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { knownError } from "../../src/base/storage.ts";
import { ms } from "../../src/base/units.ts";
import { openHistory } from "../../src/broker/feed/history.ts";
import { takeLock } from "../../src/broker/journal/lock.ts";
import { openJournal } from "../../src/broker/journal/open.ts";
import { KINDS, openKept } from "../../src/broker/ledger/kept.ts";
import { lockDataDir } from "../../src/master/shell/lock.ts";
import { silent } from "./journal/world.ts";

const [, , what, dir = ""] = process.argv;
if (what === "journal") {
  const journal = await openJournal({ dir, now: () => systemClock.wall(), log: silent, onFatal: () => process.exit(1) });
  await journal.close();
} else if (what === "ledger") {
  const kept = openKept(dir, silent);
  for (const kind of KINDS) kept.load(kind);
  kept.close();
} else if (what === "lock" || what === "journal lock") {
  try {
    const lock = what === "lock" ? lockDataDir(dir) : takeLock(join(dir, "journal.lock"), ms(0));
    lock.release();
  } catch (e) {
    process.exit(knownError(e).exit);
  }
} else {
  const opening = openHistory(dir, { epoch: 1, seq: 0 });
  if (opening.is !== "open") process.exit(1);
  opening.history.close();
}
