/** Rules that no single value can break alone. */
import { ms, type Bytes, type Ms } from "../base/units.ts";
import { masterFiles, mostWorkers, SPARE_FILES } from "./files.ts";
import { WORKER_FOOTPRINT, type Machine } from "./machine.ts";
import { roughly } from "./parsers.ts";
import { slotsOf } from "./rows/limits.ts";
import type { Settings } from "./table.ts";

/** How often a child beats: a tenth of the timeout, at least every second and at most every 100 ms. */
export const beatInterval = (timeout: Ms): Ms => ms(Math.min(1_000, Math.max(100, Math.round(timeout / 10))));

export interface CrossCheck {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

const RAISE = "lower it, or raise the limit (LimitNOFILE= in the unit, ulimit -n in a shell)";

function workerFiles({ worker_connections }: Settings, { nofile }: Machine, from: (name: keyof Settings) => string): string[] {
  if (nofile === undefined || worker_connections + SPARE_FILES <= nofile) return [];
  const room = nofile - SPARE_FILES;
  return [
    `worker_connections: ${worker_connections} (${from("worker_connections")}): expected ${room > 0 ? `at most ${room}` : "more open files"}, ` +
      `because a process may open ${nofile} files and needs ${SPARE_FILES} besides its connections; ` +
      RAISE,
  ];
}

function filesOfMaster(settings: Settings, { nofile }: Machine, from: (name: keyof Settings) => string): string[] {
  if (nofile === undefined || masterFiles(settings) <= nofile) return [];
  const most = mostWorkers(settings, nofile);
  return [
    `workers: ${settings.workers} (${from("workers")}): expected ${most > 0 ? `at most ${most}` : "more open files"}, ` +
      `because a process may open ${nofile} files and the master of so many workers needs ${masterFiles(settings)}; ${RAISE}`,
  ];
}

function workerBounds({ workers, min_workers: least, max_workers: most }: Settings, from: (name: keyof Settings) => string): string[] {
  if (least > most)
    return [`min_workers: ${least} (${from("min_workers")}): expected at most max_workers, ${most} (${from("max_workers")}); lower it`];
  if (workers >= least && workers <= most) return [];
  return [
    `workers: ${workers} (${from("workers")}): expected ${least} to ${most}, ` +
      `the bounds of min_workers (${from("min_workers")}) and max_workers (${from("max_workers")}); change one of them`,
  ];
}

function memoryBudget(settings: Settings, machine: Machine, from: (name: keyof Settings) => string): string[] {
  const warnings: string[] = [];
  const { memory, workers, max_rss } = settings;
  const needed = (workers * WORKER_FOOTPRINT) as Bytes;
  if (needed > memory)
    warnings.push(
      `workers: ${workers} (${from("workers")}) of about ${roughly(WORKER_FOOTPRINT)} each need ${roughly(needed)}, ` +
        `more than the memory of ${roughly(memory)} (${from("memory")})`,
    );
  if (memory > machine.memory)
    warnings.push(`memory: ${roughly(memory)} (${from("memory")}) is more than the ${roughly(machine.memory)} there are`);
  if (max_rss > 0 && max_rss < WORKER_FOOTPRINT)
    warnings.push(
      `max_rss: ${roughly(max_rss)} (${from("max_rss")}) is less than a worker takes (about ${roughly(WORKER_FOOTPRINT)}): ` +
        "workers will be replaced over and over",
    );
  return warnings;
}

function trust(settings: Settings, from: (name: keyof Settings) => string): string[] {
  const everyone = settings.trusted_proxies.some((network) => network.prefix === 0);
  const open = (["sheets_endpoint", "oauth_endpoint"] as const).filter((name) => {
    const address = URL.parse(settings[name] ?? "");
    return address !== null && address.protocol === "http:" && !LOOPBACK.test(address.hostname);
  });
  return [
    ...(everyone ? [`trusted_proxies (${from("trusted_proxies")}) trusts everyone: any client may claim any address`] : []),
    ...open.map((name) => `${name}: ${settings[name]} (${from(name)}) is not encrypted: tokens travel in the clear`),
  ];
}

/** One half of a pair serves nobody. */
function tlsPair({ tls_cert, tls_key }: Settings, from: (name: keyof Settings) => string): string[] {
  if ((tls_cert === undefined) === (tls_key === undefined)) return [];
  const [there, missing] = tls_cert === undefined ? (["tls_key", "tls_cert"] as const) : (["tls_cert", "tls_key"] as const);
  return [`${missing}: none: expected a path, because ${there} is set (${from(there)}): TLS needs a certificate and its key`];
}

function alerts(settings: Settings, from: (name: keyof Settings) => string): { readonly problems: string[]; readonly warnings: string[] } {
  const { alert_threshold: warning, alert_urgent: urgent, alert_webhook: webhook, alert_webhook_secret: key } = settings;
  const address = URL.parse(webhook ?? "");
  const open = address !== null && address.protocol === "http:" && !LOOPBACK.test(address.hostname);
  return {
    problems:
      warning <= urgent
        ? []
        : [
            `alert_urgent: ${urgent}% (${from("alert_urgent")}): expected at least alert_threshold, ${warning}% (${from("alert_threshold")})`,
          ],
    warnings: [
      ...(open ? [`alert_webhook (${from("alert_webhook")}) is not encrypted: whoever listens reads the alerts`] : []),
      ...(key !== undefined && webhook === undefined
        ? [`alert_webhook_secret (${from("alert_webhook_secret")}) signs nothing: alert_webhook is empty`]
        : []),
    ],
  };
}

/** The launch schedule ends at the maximum at most. */
function schedule(settings: Settings, from: (name: keyof Settings) => string): string[] {
  const last = settings.slot_schedule?.steps.at(-1);
  const most = slotsOf(settings.max_slots, settings.memory);
  if (last === undefined || last.max <= most) return [];
  return [
    `slot_schedule: ${last.max} slots on day ${last.day} (${from("slot_schedule")}): expected at most max_slots, ${most} ` +
      `(${from("max_slots")}): lower the schedule's maxima, or raise max_slots`,
  ];
}

/** @param from where a row's value came from, in words. */
export function crossCheck(settings: Settings, machine: Machine, from: (name: keyof Settings) => string): CrossCheck {
  const beat = beatInterval(settings.timeout);
  const silent =
    beat * 3 < settings.timeout
      ? []
      : [`timeout: ${settings.timeout}ms (${from("timeout")}): expected more than ${beat * 3}ms, three beats of ${beat}ms`];
  return {
    problems: [
      ...silent,
      ...workerFiles(settings, machine, from),
      ...filesOfMaster(settings, machine, from),
      ...workerBounds(settings, from),
      ...tlsPair(settings, from),
      ...alerts(settings, from).problems,
      ...schedule(settings, from),
    ],
    warnings: [...memoryBudget(settings, machine, from), ...trust(settings, from), ...alerts(settings, from).warnings],
  };
}
