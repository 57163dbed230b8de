import { mebibytes, minutes, ms } from "../../base/units.ts";
import { duration, integer, optional, path, secret, size, url } from "../parsers.ts";
import { expected, parsed, setting, type Alias, type Codec } from "../setting.ts";
import { MOST_MEMORY } from "./workers.ts";

/** A share in percent, with or without its sign: `80`, `80%`, `97.5 %`. */
function percent(least: number, most: number): Codec<number> {
  const looksLike = `a percentage from ${least} to ${most}, such as 80 or 80%`;
  return {
    looksLike,
    format: (value) => `${value}%`,
    parse(text) {
      const [, digits] = /^(\d{1,3}(?:\.\d{1,3})?) ?%?$/.exec(text) ?? [];
      const value = Number(digits ?? Number.NaN);
      return value >= least && value <= most ? parsed(value) : expected(looksLike);
    },
  };
}

/** The name's own notation was a share: `0.8`. */
const asShare: Alias = {
  name: "ALERT_THRESHOLD",
  notation: "also a share from 0.01 to 1",
  translate: (text) => parsed(/^(?:0?\.\d{1,4}|1(?:\.0{1,4})?)$/.test(text) ? String(Math.round(Number(text) * 1e5) / 1e3) : text),
};

/** An address that may hold a secret in its path or query, as those of chat services do. */
const webhook: Codec<string> = {
  looksLike: "an http:// or https:// address",
  format: (value) => value,
  parse(text) {
    const address = URL.parse(text);
    if (address === null || !/^https?:$/.test(address.protocol)) return expected(webhook.looksLike, true);
    if (address.username !== "" || address.password !== "") return expected(`${webhook.looksLike} without a user name or password`, true);
    address.hash = "";
    return parsed(address.href);
  },
};

export const ALERTS = [
  setting({
    name: "alert_threshold",
    group: "alerts",
    codec: percent(1, 100),
    default: "80%",
    reload: "live",
    help: "Slots taken from which on the capacity alert warns.",
    notes: "Every level of an alert ends 5 points below where it began.",
    aliases: [asShare],
  }),
  setting({
    name: "alert_urgent",
    group: "alerts",
    codec: percent(1, 100),
    default: "95%",
    reload: "live",
    help: "Slots taken from which on the capacity alert is urgent; at 100 % it is critical.",
  }),
  setting({
    name: "alert_latency",
    group: "alerts",
    codec: duration(ms(1), minutes(10)),
    default: "500ms",
    reload: "live",
    help: "The 95th percentile of a minute's answers beyond which the service counts as slow.",
  }),
  setting({
    name: "alert_latency_for",
    group: "alerts",
    codec: duration(ms(0), minutes(60)),
    default: "3m",
    reload: "live",
    help: "How long it must be slow before the latency alert.",
  }),
  setting({
    name: "alert_cpu",
    group: "alerts",
    codec: percent(1, 100),
    default: "80%",
    reload: "live",
    help: "The machine's CPU from which on, for a minute, the CPU alert warns.",
  }),
  setting({
    name: "alert_ram",
    group: "alerts",
    codec: percent(1, 100),
    default: "80%",
    reload: "live",
    help: "The machine's memory, or the cgroup's, from which on the memory alert warns.",
  }),
  setting({
    name: "alert_quota",
    group: "alerts",
    codec: percent(1, 100),
    default: "70%",
    reload: "live",
    help: "The share of Google's calls of a minute from which on, for a minute, the quota alert warns.",
    notes: "Of what drover uses itself: 85 % of DROVER_READS_PER_MINUTE and DROVER_WRITES_PER_MINUTE.",
  }),
  setting({
    name: "alert_restarts",
    group: "alerts",
    codec: integer(1, 10_000),
    default: "3",
    reload: "live",
    help: "More unexpected restarts within 5 minutes than this raise the restarts alert.",
  }),
  setting({
    name: "alert_disk",
    group: "alerts",
    codec: percent(1, 99),
    default: "90%",
    reload: "live",
    help: "How full the file system of the data directory or of the log may be before the disk alert warns.",
    notes: "Of its space or of its inodes. It is critical half way from there to full.",
  }),
  setting({
    name: "alert_slots_time",
    group: "alerts",
    codec: duration(minutes(5), minutes(24 * 60)),
    default: "1h",
    reload: "live",
    help: "Daily time above 80 % of the slots that raises an alert.",
    notes: "In the last 24 hours, added up; restarts included. The alert is `time_above_80pct`.",
  }),
  setting({
    name: "alert_errors",
    group: "alerts",
    codec: percent(0.1, 100),
    default: "1%",
    reload: "live",
    help: "Share of a minute's answers that may fail before the errors alert.",
    notes:
      "Answers with a status from 500 on that are no deliberate refusal, of at least 20 answers, in 3 minutes in a row. Critical from 5 times this share on.",
  }),
  setting({
    name: "alert_refusals",
    group: "alerts",
    codec: percent(0.1, 100),
    default: "1%",
    reload: "live",
    help: "Share of a minute's answers that may be refusals before an alert.",
    notes: "Deliberate refusals with 503, of at least 20 answers, in 3 minutes in a row.",
  }),
  setting({
    name: "alert_worker_memory",
    group: "alerts",
    codec: size(mebibytes(32), MOST_MEMORY, "never"),
    default: "400m",
    reload: "live",
    help: "Resident memory of one worker that raises the worker-memory alert.",
    notes: "For 5 minutes. A worker takes 100 to 150 MiB; tables add to it. 0: never.",
  }),
  setting({
    name: "alert_webhook",
    group: "alerts",
    codec: optional(webhook),
    default: "",
    reload: "live",
    secret: true,
    help: "Where alerts are posted as JSON; empty: nowhere.",
  }),
  setting({
    name: "alert_webhook_secret",
    group: "alerts",
    codec: optional(secret(16)),
    default: "",
    reload: "live",
    secret: true,
    help: "Signs every webhook: `X-Drover-Signature: t=TIME,v1=HMAC`, HMAC-SHA-256 of `TIME.BODY` in hex.",
  }),
  setting({
    name: "alert_runbook",
    group: "alerts",
    codec: optional(url),
    default: "",
    reload: "live",
    help: "The absolute address of your runbook, for the JSON of alerts.",
    notes: "Each alert adds `#` and its name. Empty: `docs/operations.md`, the path in drover's repository.",
  }),
  setting({
    name: "alert_command",
    group: "alerts",
    codec: optional(path),
    default: "",
    reload: "live",
    help: "A program that is run for every alert, with the JSON on its standard input; empty: none.",
    notes: "Run as drover's user, without a shell and without drover's environment; one at a time.",
  }),
  setting({
    name: "alert_command_timeout",
    group: "alerts",
    codec: duration(ms(100), minutes(5)),
    default: "10s",
    reload: "live",
    help: "How long that program may take before it is killed, with all that it has started.",
  }),
] as const;
