/** The tables of a spreadsheet without a tables file: its tabs, asked for until Google has named them. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { errnoOf, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { after, between, ms, type Instant } from "../base/units.ts";
import { EVERY_TABLE, type Unavailable } from "../sheets/types.ts";
import type { Alarm } from "./alarm.ts";
import { backoff } from "./backoff.ts";
import { latest } from "./demand.ts";
import type { Ledger } from "./quota.ts";
import type { Outcome } from "./upstream.ts";

export interface DiscoveryPort {
  readonly clock: Clock;
  readonly alarm: Alarm;
  readonly random: () => number;
  readonly quota: Ledger;
  readonly log: Logger;
  /** Counts the call, makes it, and closes the ledger when it is refused. */
  tabs(): Promise<Outcome<readonly string[]>>;
  found(titles: readonly string[]): void;
  failed(why: Unavailable): void;
}

/** Asks once, and again after each failure. @returns a function that stops it. */
export function discoverTabs(port: DiscoveryPort): () => void {
  const { clock, alarm, quota, random } = port;
  let failures = 0;
  let stopped = false;
  let cancel: (() => void) | undefined;
  const again = (at: Instant): void => void (cancel = alarm(latest(at, quota.next()), () => void attempt()));
  const attempt = async (): Promise<void> => {
    if (quota.next() > clock.now()) return again(quota.next());
    const outcome = await port.tabs();
    if (stopped) return;
    if (outcome.is === "ok") return port.found(outcome.value);
    failures += 1;
    const now = clock.now();
    const at = latest(after(now, backoff(failures, random())), quota.next());
    const reason = outcome.is === "denied" ? "denied" : outcome.is === "locked" ? "quota" : "upstream";
    port.failed({ table: EVERY_TABLE, reason, message: outcome.message, retryAfter: ms(Math.max(1_000, between(now, at))) });
    again(at);
  };
  void attempt();
  return () => {
    stopped = true;
    cancel?.();
  };
}

/** The tabs as the last broker knew them, so that a restart needs no Google to know its tables. */
export interface TabsFile {
  read(): readonly string[] | undefined;
  write(titles: readonly string[]): void;
}

/** `dataDir/tabs.json`; of another spreadsheet it is as if it were not there. */
export function tabsFile(dataDir: string, spreadsheetId: string, log: Logger): TabsFile {
  const path = join(dataDir, "tabs.json");
  return {
    read() {
      try {
        const kept = Object(JSON.parse(readFileSync(path, "utf8"))) as { spreadsheetId?: unknown; titles?: unknown };
        const sound = kept.spreadsheetId === spreadsheetId && Array.isArray(kept.titles) && kept.titles.every((t) => typeof t === "string");
        return sound ? (kept.titles as string[]) : undefined;
      } catch (e) {
        if (errnoOf(e) !== "ENOENT") log.warn({ path }, `the list of tabs is lost and will be asked for: ${messageOf(e)}`);
        return undefined;
      }
    },
    write(titles) {
      try {
        writeFileSync(`${path}.${process.pid}`, JSON.stringify({ spreadsheetId, titles }), { mode: 0o600 });
        renameSync(`${path}.${process.pid}`, path);
      } catch (e) {
        log.error({ path }, `the list of tabs can't be kept: ${messageOf(e)}`);
      }
    },
  };
}
