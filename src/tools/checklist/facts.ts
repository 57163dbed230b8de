/** What the items are evaluated by: plain data, collected once. A text in place of a fact is the reason why it is unknown. */
import { existsSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Peaks } from "../../admin/peaks.ts";
import type { TimelineEvent } from "../../admin/timeline.ts";
import { readTimeline, TIMELINE_FILE } from "../../admin/timeline-file.ts";
import { DroverError, errnoOf, messageOf } from "../../base/errors.ts";
import { record } from "../../base/fields.ts";
import { capacityOf } from "../../base/slots.ts";
import { seconds, type Timestamp } from "../../base/units.ts";
import { inspect } from "../../cli/check.ts";
import { askStatus } from "../../cli/client.ts";
import { currentFolder } from "../../cli/options.ts";
import type { Status } from "../../cli/snapshot.ts";
import { version } from "../../cli/version.ts";
import { parseFlags, type CommandFlag } from "../../settings/flags.ts";
import { detectMachine } from "../../settings/machine.ts";
import { resolveSettings, SettingsError } from "../../settings/resolve.ts";
import { SETTINGS, type Settings } from "../../settings/table.ts";
import { localUrl, request } from "../http.ts";
import { readRecords, type Entry } from "./records.ts";

export type Known<T> = T | string;

export interface SettingsFacts {
  /** Why a start would fail. */
  readonly problem?: string;
  readonly warnings: readonly string[];
  /** Of the certificate that drover serves itself. */
  readonly certificateEnds?: Timestamp | undefined;
  readonly sinks: readonly string[];
  /** Percent: the thresholds of the alerts. */
  readonly diskLimit: number;
  readonly quotaLimit: number;
}

export interface PageFacts {
  readonly url: string;
  /** Status codes of `/` and `/api/admin/health`. */
  readonly page: number;
  readonly health: number;
  /** Percent of the slots in the public health; null: none. */
  readonly shown: number | null;
}

export interface Facts {
  readonly now: Timestamp;
  readonly version: string;
  readonly settings: SettingsFacts;
  readonly status: Known<Status>;
  readonly page: Known<PageFacts>;
  readonly records: Known<readonly Entry[]>;
  readonly timeline: Known<{
    readonly events: readonly TimelineEvent[];
    readonly peaks: readonly Peaks[];
  }>;
  /** `used`: percent. */
  readonly disks: Known<readonly { readonly path: string; readonly used: number }[]>;
}

const TIMEOUT = seconds(5);
/** Workers get the number of sessions once a second. */
const LATE = seconds(1);

/** @param own the command's flags. */
export async function collect(
  argv: readonly string[],
  own: readonly CommandFlag[],
  settings: Settings,
): Promise<Facts> {
  const now = Date.now() as Timestamp;
  const { data_dir: dir } = settings;
  const status = await known(() => askStatus(settings));
  const isDemo = typeof status !== "string" && status.demo;
  return {
    now,
    version: version(),
    settings: settingsFacts(argv, own, settings, isDemo),
    status,
    page: typeof status === "string" ? status : await known(() => pageFacts(settings, status)),
    records: await known(() => readRecords(dir, now)),
    timeline: await known(() => readTimeline(join(dir, TIMELINE_FILE), now)),
    disks: await known(() => disks(settings, status)),
  };
}

async function known<T>(look: () => T | Promise<T>): Promise<Known<T>> {
  try {
    return await look();
  } catch (error) {
    const denied = errnoOf(error) === "EACCES" ? ". Run it as the daemon's user, or as root" : "";
    return `${messageOf(error)}${denied}`;
  }
}

/** What `drover check` finds, by the settings of this command. */
function settingsFacts(
  argv: readonly string[],
  own: readonly CommandFlag[],
  settings: Settings,
  isDemo: boolean,
): SettingsFacts {
  const sinks = { webhook: settings.alert_webhook, command: settings.alert_command };
  const facts = {
    sinks: Object.entries(sinks).flatMap(([name, value]) => (value === undefined ? [] : [name])),
    diskLimit: settings.alert_disk,
    quotaLimit: settings.alert_quota,
    warnings: [],
  };
  try {
    const machine = detectMachine(process.env);
    const { flags } = parseFlags(argv, SETTINGS, own);
    const cwd = currentFolder();
    const resolved = resolveSettings({ flags, env: process.env, cwd, machine });
    const found = inspect({ resolved, machine }, isDemo ? "start" : "serve", () => {});
    const certificateEnds = found.plan.certificate?.validToDate.getTime() as Timestamp | undefined;
    return { ...facts, warnings: found.warnings, certificateEnds };
  } catch (error) {
    if (error instanceof SettingsError || error instanceof DroverError)
      return { ...facts, problem: messageOf(error) };
    throw error;
  }
}

/** Asks the public address, and again if the numbers differ: they may be a second old. */
async function pageFacts(settings: Settings, status: Status, isLast = false): Promise<PageFacts> {
  const url = localUrl(status.urls);
  if (url === undefined)
    throw new Error(
      `no address of ${status.urls.join(", ")} speaks HTTP over TCP: look at the page, then tick it`,
    );
  const options = { timeout: TIMEOUT, agent: "drover-checklist", anyCertificate: true } as const;
  const page = await request(`${url}/`, options);
  const health = await request(`${url}/api/admin/health`, options);
  const shown = percentUsed(health.body);
  const isRight = status.slots === null || shown === capacityOf(status.slots).percentUsed;
  if (isRight || isLast) return { url, page: page.status, health: health.status, shown };
  await sleep(LATE);
  return await pageFacts(settings, await askStatus(settings), true);
}

function percentUsed(body: string): number | null {
  try {
    const read: unknown = JSON.parse(body);
    const capacity = record(read) ? read["capacity"] : undefined;
    const percent = record(capacity) ? capacity["percent_used"] : undefined;
    return typeof percent === "number" ? percent : null;
  } catch {
    return null; // an application's own page
  }
}

function disks(
  { data_dir: data, log_file: target }: Settings,
  status: Known<Status>,
): { path: string; used: number }[] {
  const configured = "file" in target && existsSync(target.file) ? target.file : "-";
  const log = typeof status === "string" ? configured : status.log;
  const paths = new Set([data, ...(log === "-" ? [] : [dirname(log)])]);
  return [...paths].map((path) => {
    const { blocks, bavail } = statfsSync(path);
    return { path, used: blocks === 0 ? 0 : 100 * (1 - bavail / blocks) };
  });
}
