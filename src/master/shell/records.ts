/**
 * What a child prints, as log records: a line of JSON that a logger wrote keeps its level and its fields, and the lines of a stack
 * trace belong to the record before them.
 *
 *   line ─ goes on ──→ joined to the record that is held, up to MOST_LINES and MOST_CHARACTERS
 *        └ begins ───→ the held record is written, and this one is held until the next line, the stream's end, or HOLD
 */
import { objectOf, type Fields } from "../../base/fields.ts";
import { ms } from "../../base/units.ts";

export const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type Level = (typeof LEVELS)[number];

export interface OutputRecord {
  readonly level: Level;
  readonly msg: string;
  /** The logger's own, without what every line of the log has. */
  readonly fields: Fields;
}

/** Longest stack that is one record. */
const MOST_LINES = 100;
const MOST_CHARACTERS = 16_384;
/** How long a record waits for the lines that belong to it: they are printed at once, but a pipe may part them. */
const HOLD = ms(25);

/** As winston (npm and syslog levels), bunyan and log4js call them. */
const NAMED: Readonly<Record<string, Level>> = {
  silly: "trace",
  trace: "trace",
  verbose: "debug",
  debug: "debug",
  http: "info",
  info: "info",
  notice: "info",
  warn: "warn",
  warning: "warn",
  err: "error",
  error: "error",
  crit: "fatal",
  critical: "fatal",
  alert: "fatal",
  emerg: "fatal",
  fatal: "fatal",
};

/** pino's and bunyan's numbers: trace is 10, fatal 60. */
function levelOf(level: unknown): Level | undefined {
  if (typeof level === "string") return Object.hasOwn(NAMED, level.toLowerCase()) ? NAMED[level.toLowerCase()] : undefined;
  if (typeof level !== "number" || !(level > 0)) return undefined;
  return LEVELS[Math.min(Math.max(Math.floor(level / 10), 1), LEVELS.length) - 1];
}

/** Told by drover itself on every line, and true there. */
const SAID = new Set(["level", "time", "timestamp", "msg", "message"]);
/** Fields of drover's own lines: an application's of the same name stand under `app`. */
const OURS = new Set(["pid", "role", "slot", "generation", "place", "child", "stream", "stats", "app"]);

/** @returns the record that a line is, or undefined: it is text. @param pid of the child. */
export function readRecord(line: string, pid: number): OutputRecord | undefined {
  if (!line.startsWith("{") || !line.endsWith("}")) return undefined;
  const said = objectOf(line);
  const level = levelOf(said?.["level"]);
  if (said === undefined || level === undefined) return undefined;
  const text = said["msg"] ?? said["message"] ?? "";
  const entries = Object.entries(said).filter(([name, value]) => !SAID.has(name) && !(name === "pid" && value === pid));
  const own = entries.filter(([name]) => !OURS.has(name));
  const app = entries.filter(([name]) => OURS.has(name));
  const fields = Object.fromEntries(app.length === 0 ? own : [...own, ["app", Object.fromEntries(app)]]);
  return { level, msg: typeof text === "string" ? text : JSON.stringify(text), fields };
}

/** How lines of a stack trace begin, as Node and Java-like tools print them, and the end of an error's own properties. */
const GOES_ON = /^\s+at |^\s*Caused by\b|^\s*\[(?:cause|errors)\]|^\s*\}/;

/** Streams with a record that is not written yet. The log is written synchronously, so the end of this process is not too late. */
const holding = new Set<Records>();
const flushAll = (): void => {
  for (const records of holding) records.flush();
};

/** Puts the lines of one stream together. */
export class Records {
  readonly #write: (record: OutputRecord) => void;
  #held: { readonly record: OutputRecord; readonly lines: string[]; characters: number } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (record: OutputRecord) => void) {
    this.#write = write;
    if (!process.listeners("exit").includes(flushAll)) process.on("exit", flushAll);
  }

  /** @param record what the line is on its own. */
  line(line: string, record: OutputRecord): void {
    if (this.#joins(line)) return;
    this.flush();
    holding.add(this);
    this.#held = { record, lines: [record.msg], characters: record.msg.length };
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.flush(), HOLD).unref();
    else this.#timer.refresh();
  }

  /** Writes what is held: at the end of the stream. */
  flush(): void {
    const held = this.#held;
    this.#held = undefined;
    holding.delete(this);
    if (held !== undefined) this.#write({ ...held.record, msg: held.lines.join("\n") });
  }

  #joins(line: string): boolean {
    const held = this.#held;
    if (held === undefined) return false;
    const { lines } = held;
    // An error's own properties stand in braces below its stack.
    const isInside = lines.length > 1 && /[{[,]$/.test(lines.at(-1) ?? "") && /^\s/.test(line);
    if (!GOES_ON.test(line) && !isInside) return false;
    if (lines.length >= MOST_LINES || held.characters + line.length > MOST_CHARACTERS) return false;
    lines.push(line);
    held.characters += line.length + 1;
    return true;
  }
}
