/** Looks at everything that the checklist is evaluated by. What can't be looked at says why. */
import { existsSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Lines } from "../../admin/history.ts";
import { merged, peaksOf, type Peaks } from "../../admin/peaks.ts";
import { readTimeline, TIMELINE_FILE, type Told } from "../../admin/timeline-file.ts";
import { DroverError, errnoOf, messageOf } from "../../base/errors.ts";
import { capacityOf } from "../../base/slots.ts";
import type { Timestamp } from "../../base/units.ts";
import { parseFlags, type CommandFlag } from "../../settings/flags.ts";
import { detectMachine } from "../../settings/machine.ts";
import { resolveSettings, SettingsError, type Resolved } from "../../settings/resolve.ts";
import { SETTINGS, type Settings } from "../../settings/table.ts";
import { inspect } from "../check.ts";
import { ask, askStatus } from "../client.ts";
import { currentFolder } from "../options.ts";
import type { Status } from "../snapshot.ts";
import { version } from "../version.ts";
import { seen, unseen, type DiskFacts, type Facts, type Seen, type SettingsFacts } from "./facts.ts";
import { lookAtPage } from "./page.ts";
import { readRecords } from "./records.ts";

/** @param own the command's flags. @throws DroverError for a command line or settings that lead to no data directory. */
export async function gather(argv: readonly string[], own: readonly CommandFlag[], settings: Settings): Promise<Facts> {
  const now = Date.now() as Timestamp;
  const status = await look(() => askStatus(settings));
  const records = await look(() => readRecords(settings.data_dir, now));
  const told = await look((): Told => readTimeline(join(settings.data_dir, TIMELINE_FILE), now));
  const live = status.is === "seen" ? await liveOf(settings, told) : undefined;
  const page = status.is === "seen" ? await look(() => pageOf(settings, status.value)) : status;
  return {
    now,
    version: version(),
    settings: settingsOf(argv, own, settings, status),
    status,
    page,
    records,
    told,
    live,
    disks: await look(() => disksOf(settings, status)),
  };
}

async function look<T>(work: () => T | Promise<T>): Promise<Seen<T>> {
  try {
    return seen(await work());
  } catch (error) {
    const denied = errnoOf(error) === "EACCES" ? ". Run it as the daemon's user, or as root" : "";
    const isAway = error instanceof DroverError && error.code === "DROVER_E_NO_DAEMON";
    return isAway ? unseen(messageOf(error), "no daemon answers") : unseen(`${messageOf(error)}${denied}`);
  }
}

/** The same as `drover check`, by the settings of this command's folder. */
function settingsOf(argv: readonly string[], own: readonly CommandFlag[], settings: Settings, status: Seen<Status>): SettingsFacts {
  const { alert_webhook: webhook, alert_command: command, alert_disk: diskLimit, alert_quota: quotaLimit } = settings;
  const sinks = [...(webhook === undefined ? [] : ["webhook" as const]), ...(command === undefined ? [] : ["command" as const])];
  const facts = { sinks, diskLimit, quotaLimit, warnings: [], certificateEnds: undefined, problem: undefined };
  try {
    const machine = detectMachine(process.env);
    const { flags } = parseFlags(argv, SETTINGS, own);
    const resolved: Resolved = resolveSettings({ flags, env: process.env, cwd: currentFolder(), machine });
    const isDemo = status.is === "seen" && status.value.demo;
    const { plan, warnings } = inspect({ resolved, machine }, isDemo ? "start" : "serve", () => {});
    return { ...facts, warnings, certificateEnds: plan.certificate?.validToDate.getTime() as Timestamp | undefined };
  } catch (error) {
    if (error instanceof SettingsError || error instanceof DroverError) return { ...facts, problem: messageOf(error) };
    throw error;
  }
}

/** The peaks of the last minutes that the file does not have yet. */
async function liveOf(settings: Settings, told: Seen<Told>): Promise<Peaks | undefined> {
  const answer = await look(async () => (await ask(settings, "GET", "/api/admin/history")).body as { readonly lines: Lines });
  if (answer.is === "unseen") return undefined;
  const kept = told.is === "seen" ? Date.parse(told.value.peaks.at(-1)?.at ?? "") || 0 : 0;
  const { lines } = answer.value;
  const samples = lines.at.map((at, i) => ({
    at,
    slots: lines.slots[i] ?? null,
    rps: lines.rps[i] ?? 0,
    p95: lines.p95[i] ?? null,
    errors: lines.errors[i] ?? 0,
    refused: lines.refused[i] ?? 0,
    cpu: lines.cpu[i] ?? null,
    ram: lines.ram[i] ?? null,
    connections: lines.connections[i] ?? 0,
    errorRate: lines.errorRate[i] ?? null,
  }));
  return samples
    .filter(({ at }) => at * 1_000 > kept)
    .map((sample) => peaksOf(sample))
    .reduce<Peaks | undefined>((most, one) => (most === undefined ? one : merged(most, one)), undefined);
}

/** The numbers on the page are pushed to workers once a second: they may be late. */
const TRIES = 6;
const PAUSE_MS = 500;

async function pageOf(settings: Settings, first: Status): ReturnType<typeof lookAtPage> {
  let status = first;
  for (let tries = 1; ; tries += 1) {
    const found = await lookAtPage(first.urls);
    const { slots } = status;
    const isRight = slots === null || found.shown === capacityOf(slots).percentUsed;
    if (isRight || tries === TRIES) return found;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    status = await askStatus(settings);
  }
}

function disksOf({ data_dir: data, log_file: target }: Settings, status: Seen<Status>): readonly DiskFacts[] {
  const log = status.is === "seen" ? status.value.log : "file" in target && existsSync(target.file) ? target.file : "-";
  const paths = new Set([data, ...(log === "-" ? [] : [dirname(log)])]);
  return [...paths].map((path) => {
    const { blocks, bavail } = statfsSync(path);
    return { path, used: blocks === 0 ? 0 : 100 * (1 - bavail / blocks) };
  });
}
