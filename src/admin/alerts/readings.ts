/** What the rules judge, from what the master knows: pure. */
import { WINDOWS } from "./rules.ts";
import { othersShow } from "../../base/cpu-share.ts";
import type { Measured } from "../../base/measured.ts";
import type { UpstreamReport } from "../../base/upstreamreport.ts";
import type { Snapshot } from "../../master/snapshot.ts";
import { said, UNSAID, type Said } from "../said.ts";
import type { AlertName, Reading } from "./model.ts";
import { grown, type Past, type Seen } from "./past.ts";

export type Readings = Readonly<Record<AlertName, Reading | undefined>>;

const percent = (share: number): number => Math.round(share * 1_000) / 10;
const reading = (value: number, words: Said): Reading => ({ value, text: words.text, said: words });
const is = (value: boolean, words: Said): Reading => (value ? reading(1, words) : reading(0, UNSAID));

export function readingsOf(seen: Seen, past: Past): Readings {
  return {
    ...service(seen, past),
    ...google(seen, past),
    ...writing(seen, past),
    "table-size": fullestTable(seen.snapshot),
    disk: fullestDisk(seen.measured),
    ...days(seen),
    ...answers(seen, past),
    "worker-memory": largestWorker(seen.snapshot),
  };
}

/** The launch schedule, and the last 24 hours. */
function days({ schedule, above80 }: Seen): Part<"slot-schedule" | "time_above_80pct"> {
  const hours = Math.round((above80 / 3_600_000) * 10) / 10;
  return {
    "slot-schedule": is(schedule?.state === "blocked", schedule?.said ?? UNSAID),
    time_above_80pct: reading(Math.round(above80 / 1_000), said`80 % of the slots or more were taken for ${hours} hours of the last 24`),
  };
}

/** Fewer answers within a minute make no share: one failure of three is not 33 %. Without any there is none to complain of. */
const LEAST_ANSWERS = 20;
const NOTHING = reading(0, UNSAID);

/** Shares of the last minute's answers. */
function answers({ now }: Seen, past: Past): Part<"errors" | "refusals"> {
  const [all, errors, refusals] = [grown(past, "answers", now), grown(past, "errors", now), grown(past, "refusals", now)];
  if (all === 0) return { errors: NOTHING, refusals: NOTHING };
  if (all < LEAST_ANSWERS) return { errors: undefined, refusals: undefined };
  return {
    errors: reading(
      percent(errors / all),
      said`${errors} of the last minute's ${all} answers are errors with a status from 500 on (${percent(errors / all)} %)`,
    ),
    refusals: reading(
      percent(refusals / all),
      said`${refusals} of the last minute's ${all} answers are refusals with 503 (${percent(refusals / all)} %)`,
    ),
  };
}

const MEBIBYTE = 1_048_576;

function largestWorker({ places }: Snapshot): Reading | undefined {
  const sizes = places.flatMap(({ id, role, child }) => (role === "worker" && child?.rss != null ? [{ id, rss: child.rss }] : []));
  const [largest] = sizes.toSorted((a, b) => b.rss - a.rss);
  if (largest === undefined) return undefined;
  const size = Math.round(largest.rss / MEBIBYTE);
  return reading(size, said`${largest.id} takes ${size} MiB of memory`);
}

type Part<N extends AlertName> = Pick<Readings, N>;

function service(
  seen: Seen,
  past: Past,
): Part<"capacity" | "latency" | "cpu" | "memory" | "restarts" | "workers" | "broker" | "session-store" | "other-writer" | "reload"> {
  const { snapshot, measured, now } = seen;
  const { slots, machine, workers, state, health } = snapshot;
  const p95 = Math.round(measured.minuteP95 ?? 0);
  const restarts = grown(past, "restarts", now);
  const up = state === "running" || state === "reloading";
  const missing = up && workers.target > 0 ? Math.max(0, 1 - workers.ready / workers.target) : 0;
  return {
    capacity:
      slots === null
        ? withoutBroker(snapshot)
        : reading(
            percent(slots.used / slots.max),
            said`${slots.used} of ${slots.max} slots are taken (${percent(slots.used / slots.max)} %)`,
          ),
    latency: reading(p95, said`95 % of the last minute's answers took up to ${p95} ms`),
    cpu: machine === null ? undefined : reading(percent(machine.cpu), cpuWords(machine)),
    memory: machine === null ? undefined : reading(percent(machine.ram), said`memory is at ${percent(machine.ram)} %`),
    restarts: reading(
      restarts,
      restarts === 1
        ? said`1 unexpected restart within 5 minutes${lastDeath(snapshot)}`
        : said`${restarts} unexpected restarts within 5 minutes${lastDeath(snapshot)}`,
    ),
    workers: reading(percent(missing), said`${workers.ready} of ${workers.target} workers are ready`),
    broker: is(up && health.broker === "away", said`the broker is away: rows go stale, and writes are refused`),
    "session-store": is(
      snapshot.sessionStore?.problem !== undefined,
      said`the session store is away: ${firstLine(snapshot.sessionStore?.problem ?? "")}`,
    ),
    "other-writer": is(
      snapshot.sessionStore?.notWriter !== undefined && snapshot.sessionStore.problem === undefined,
      said`no writes are accepted here: ${firstLine(snapshot.sessionStore?.notWriter ?? "")}`,
    ),
    reload: is(...failedReload(seen)),
  };
}

function cpuWords(machine: NonNullable<Snapshot["machine"]>): Said {
  const { cpu, ownCpu } = machine;
  if (ownCpu === undefined || !othersShow(machine)) return said`the CPU is at ${percent(cpu)} %`;
  return said`the CPU is at ${percent(cpu)} %: drover uses ${percent(ownCpu)} %, other processes ${percent(cpu - ownCpu)} %`;
}

/** The last death of those that are counted. A place that has been rolled since does not know its own any more. */
function lastDeath({ places, at }: Snapshot): Said {
  const [last] = places
    .flatMap(({ id, lastDeath: death }) => (death === null || death.expected || at - death.at > WINDOWS.restarts ? [] : [{ id, ...death }]))
    .toSorted((a, b) => b.at - a.at);
  return last === undefined ? UNSAID : said`; the last: ${last.id} ${last.name}`;
}

function failedReload({ snapshot: { roll, lastRoll }, refusedReload }: Seen): [boolean, Said] {
  if (refusedReload !== null) return [true, said`the last reload was refused: ${firstLine(refusedReload)}`];
  if (roll === null && lastRoll?.is === "rolledBack") return [true, said`the last reload was rolled back: ${firstLine(lastRoll.why)}`];
  return [false, UNSAID];
}

const LONGEST = 300;
const firstLine = (text: string): string => (text.split("\n", 1)[0] ?? "").slice(0, LONGEST);

/** A table that fails and has no rows to show meanwhile: version 0. */
const NO_ROWS = 2;

function google(seen: Seen, past: Past): Part<"quota" | "rate-limited" | "google" | "credentials" | "tables"> {
  const { upstream } = seen.snapshot;
  if (upstream === null) {
    const unseen = withoutBroker(seen.snapshot);
    return { quota: unseen, "rate-limited": unseen, google: unseen, credentials: unseen, tables: unseen };
  }
  const limited = grown(past, "limited", seen.now);
  const refused = credentials(upstream);
  const denied = upstream.writes?.denied;
  const failing = (upstream.state === "ok" ? upstream.tables : [])
    .filter(({ failure }) => failure !== undefined)
    .toSorted((a, b) => a.version - b.version);
  const named = failing
    .slice(0, 5)
    .map(({ name }) => name)
    .join(", ");
  return {
    quota: quota(upstream),
    "rate-limited": reading(
      limited,
      limited === 1
        ? said`Google has refused 1 call with 429 within 5 minutes`
        : said`Google has refused ${limited} calls with 429 within 5 minutes`,
    ),
    google: is(upstream.state === "down" && !refused, said`Google does not answer: ${firstLine(upstream.message)}`),
    credentials: is(refused || denied !== undefined, said`${firstLine(refused ? upstream.message : (denied ?? ""))}`),
    tables:
      failing.length === 0
        ? reading(0, UNSAID)
        : reading(failing[0]?.version === 0 ? NO_ROWS : 1, said`${named}: ${firstLine(failing[0]?.failure ?? "")}`),
  };
}

/** What a broker would tell: not known while it is away, nothing where nothing uses tables any more. */
const withoutBroker = ({ health }: Snapshot): Reading | undefined => (health.broker === "none" ? NOTHING : undefined);

/** OpenSSL's and Node's words for a certificate that is not believed. */
const CERTIFICATE = /certificate|\bCERT_/i;

/** The key, the share or the certificate: only an operator can mend it. */
const credentials = ({ state, message }: UpstreamReport): boolean => state === "denied" || (state === "down" && CERTIFICATE.test(message));

function quota({ quota: read, writes }: UpstreamReport): Reading {
  const pools = [{ pool: "read", ...read }, ...(writes === undefined ? [] : [{ pool: "write", ...writes.quota }])];
  const [first] = pools.toSorted((a, b) => b.used / b.limit - a.used / a.limit);
  if (first === undefined || first.limit === 0) return reading(0, UNSAID);
  const { pool, used, limit } = first;
  const share = percent(used / limit);
  return reading(
    share,
    pool === "read"
      ? said`${used} of ${limit} read calls of this minute are used (${share} %)`
      : said`${used} of ${limit} write calls of this minute are used (${share} %)`,
  );
}

function writing({ snapshot, measured, now }: Seen, past: Past): Part<"parked" | "backlog" | "journal"> {
  const writes = snapshot.upstream?.writes;
  if (writes === undefined) {
    const unseen = withoutBroker(snapshot);
    return { parked: unseen, backlog: unseen, journal: unseen };
  }
  const parked = grown(past, "parked", now);
  const oldest = Math.round(writes.oldest / 1_000);
  const share = measured.journalSize === 0 ? 0 : percent(writes.waitingBytes / measured.journalSize);
  return {
    parked: reading(
      parked,
      parked === 1
        ? said`1 accepted write was parked within 10 minutes: the sheet does not take it`
        : said`${parked} accepted writes were parked within 10 minutes: the sheet does not take them`,
    ),
    backlog: reading(oldest, said`${writes.waiting} accepted writes wait for the sheet, the oldest for ${oldest} s`),
    journal: reading(share, said`the journal is ${share} % full: at 100 % writes are refused`),
  };
}

function fullestTable(snapshot: Snapshot): Reading | undefined {
  const { upstream } = snapshot;
  const [fullest] = (upstream?.tables ?? [])
    .flatMap(({ name, fill }) => (fill === undefined ? [] : [{ name, fill }]))
    .toSorted((a, b) => b.fill - a.fill);
  if (fullest === undefined) return upstream === null ? withoutBroker(snapshot) : NOTHING;
  const { name, fill } = fullest;
  return reading(fill, said`the table ${name} has ${fill} % of its maxRows or maxBytes: at 100 % new rows are refused`);
}

function fullestDisk({ disks }: Measured): Reading | undefined {
  const readings = disks.flatMap(({ directory, size, free, inodes }) => {
    const [space, left] = [percent(1 - free / size), Math.floor(free / 1_048_576)];
    const ofSpace = reading(space, said`the file system of the ${directory} directory is ${space} % full, ${left} MiB are left`);
    if (inodes === undefined) return [ofSpace];
    const share = percent(1 - inodes.free / inodes.total);
    return [
      ofSpace,
      reading(share, said`the file system of the ${directory} directory uses ${share} % of its inodes, ${inodes.free} are left`),
    ];
  });
  return readings.toSorted((a, b) => b.value - a.value)[0];
}
