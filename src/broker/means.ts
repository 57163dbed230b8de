/** The journal and the flusher of a broker, as the daemon has them. */
import { systemClock } from "../base/clock.ts";
import { systemAlarm } from "./alarm.ts";
import { startFlusher } from "./flusher/flusher.ts";
import { openJournal } from "./journal/open.ts";
import type { WritesNeed } from "./main.ts";
import { Ledger } from "./quota.ts";
import type { WriteMeans } from "./writing.ts";

/**
 * Opens the journal in the data directory; who had it before has a few seconds to give it up.
 * @throws DroverError as `openJournal`.
 */
export async function openWrites({ config, upstream, log, fatal, lastAccepted }: WritesNeed): Promise<WriteMeans> {
  const clock = systemClock;
  const now = (): ReturnType<typeof clock.wall> => clock.wall();
  const journal = await openJournal({
    dir: config.dataDir,
    spreadsheet: config.spreadsheetId,
    lastAccepted,
    now,
    log,
    limits: { waitingBytes: config.journalSize },
    onFatal: fatal,
  });
  return {
    journal,
    startFlusher({ writes, ...ground }) {
      const ledger = new Ledger(config.writesPerMinute, clock, writes.state(), writes.shared);
      const counted = { ledger, keep: writes.keep };
      return startFlusher({ ...ground, journal, upstream, writes: counted, clock, alarm: systemAlarm(clock), random: Math.random, log });
    },
  };
}
