import { isAbsolute, join } from "node:path";
import type { LogLevel, LogTarget } from "../../base/log.ts";
import { choice, optional, path } from "../parsers.ts";
import { userName } from "../user.ts";
import { expected, parsed, setting, type Codec, type ComputedDefault, type Situation } from "../setting.ts";

/** systemd passes the directories it made for a unit as absolute paths, several separated by colons. */
function fromSystemd({ env }: Situation, variable: string): string | undefined {
  const first = env[variable]?.split(":")[0];
  return first !== undefined && isAbsolute(first) ? first : undefined;
}

const directory = (
  variable: string,
  shown: Pick<ComputedDefault, "rule" | "example">,
  otherwise: (s: Situation) => string,
): ComputedDefault => ({
  rule: `${shown.rule}; under systemd ${variable}`,
  example: shown.example,
  from(situation) {
    const given = fromSystemd(situation, variable);
    return given === undefined ? { text: otherwise(situation), why: "" } : { text: given, why: `systemd's ${variable}` };
  },
});

const dataDir = ({ earlier }: Situation): string => String(earlier.get("data_dir"));

/** A file that all processes append to, or `-`: standard output. */
const logFile: Codec<LogTarget> = {
  looksLike: "a path, or - for standard output",
  format: (target) => ("fd" in target ? "-" : target.file),
  parse(text, cwd) {
    if (text === "-") return parsed({ fd: 1 });
    const file = path.parse(text, cwd);
    return file.ok ? parsed({ file: file.value }) : file;
  },
};

/** How many of the requests get a line: 0 … 1. */
const sampled: Codec<number> = {
  looksLike: "off, all (also on), or a share such as 1% or 0.01",
  alone: "on",
  format: (value) => (value === 0 ? "off" : value === 1 ? "all" : `${Number((value * 100).toFixed(4))}%`),
  parse(text) {
    const word = text.toLowerCase();
    if (/^(?:off|false|0)$/.test(word)) return parsed(0);
    if (/^(?:all|on|true|1)$/.test(word)) return parsed(1);
    const [, digits, sign] = /^(\d{0,3}(?:\.\d{1,6})?) ?(%?)$/.exec(word) ?? [];
    const value = Number(digits === "" ? Number.NaN : digits) / (sign === "%" ? 100 : 1);
    return value > 0 && value <= 1 && (sign === "%" || value < 1) ? parsed(Number(value.toFixed(8))) : expected(sampled.looksLike);
  },
};

export const PLACES = [
  setting({
    name: "user",
    group: "places",
    codec: optional(userName),
    default: "",
    reload: "restart",
    help: "Which user, and group, drover becomes when root starts it.",
    notes:
      "Root binds the sockets, gives the data and run directories and the log to that user, and is given up: master and children run as that user, who must be able to read every file that is read again at a reload. Empty: drover keeps the user that starts it.",
  }),
  setting({
    name: "data_dir",
    group: "places",
    codec: path,
    default: directory("STATE_DIRECTORY", { rule: "./var", example: "./var" }, () => "./var"),
    reload: "restart",
    help: "Where everything lives that must survive a restart.",
  }),
  setting({
    name: "run_dir",
    group: "places",
    codec: path,
    default: directory("RUNTIME_DIRECTORY", { rule: "run in the data directory", example: "./var/run" }, (s) => join(dataDir(s), "run")),
    reload: "restart",
    help: "Where the sockets are that commands and workers use.",
  }),
] as const;

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const satisfies readonly LogLevel[];

export const LOG = [
  setting({
    name: "log_file",
    group: "log",
    codec: logFile,
    default: {
      rule: "log/drover.log in the data directory; under systemd drover.log in LOGS_DIRECTORY; in a container -",
      example: "./var/log/drover.log",
      from(situation) {
        const given = fromSystemd(situation, "LOGS_DIRECTORY");
        if (given !== undefined) return { text: join(given, "drover.log"), why: "systemd's LOGS_DIRECTORY" };
        if (situation.machine.container) return { text: "-", why: "in a container" };
        return { text: join(dataDir(situation), "log", "drover.log"), why: "" };
      },
    },
    reload: "restart",
    help: "The log, one JSON object a line; - is standard output.",
    notes: "`drover reopen` or USR1 opens it again after logrotate has moved it.",
  }),
  setting({
    name: "log_level",
    group: "log",
    codec: choice(LEVELS),
    default: "info",
    reload: "live",
    help: "The least important lines that are still written.",
  }),
  setting({
    name: "access_log",
    group: "log",
    codec: sampled,
    default: "off",
    reload: "live",
    help: "Write a line for every request, for a share of them, or for none.",
    notes:
      "Requests that were refused or failed get a line in any case, at most 20 at once and one a second of each kind; what is more is counted.",
  }),
] as const;
