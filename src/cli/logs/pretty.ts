/** A line of the log for people: one line on a terminal, which obeys nothing of it, and a stack below. */
import { paint, piece, type Piece, type Tone } from "../terminal/line.ts";
import { jsonText, printable, printableLines } from "../terminal/printable.ts";
import type { Entry, Fields } from "./entry.ts";

const TONES: Readonly<Record<string, Tone>> = { trace: "dim", debug: "dim", warn: "warn", error: "bad", fatal: "bad" };
/** What stands elsewhere on the line, or says what everybody knows. */
const PLACED = new Set(["level", "time", "pid", "role", "slot", "generation", "msg", "err", "stats"]);
const OF_REQUEST = new Set([...PLACED, "method", "path", "status", "ms", "bytes", "cache", "reason"]);
const LONGEST_VALUE = 500;

/** @param colours whether whoever reads is a terminal that wants them. */
export function pretty({ text, fields }: Entry, colours: boolean): string {
  if (fields === undefined) return printable(text);
  const { level, time, msg } = fields;
  const tone = (typeof level === "string" ? TONES[level] : undefined) ?? "plain";
  const [first = "", ...more] = printableLines(typeof msg === "string" ? msg : jsonText(msg ?? "")).split("\n");
  const head = [
    piece(`${word(time)} `, "dim"),
    piece(`${word(level).toUpperCase().padEnd(5)} `, tone),
    piece(`${who(fields).padEnd(9)} `, "dim"),
  ];
  const isRequest = msg === "request" && typeof fields["status"] === "number";
  const said = isRequest ? requestPieces(fields) : [piece(first, tone === "dim" ? "dim" : tone === "plain" ? "plain" : tone)];
  const rest = others(fields, isRequest ? OF_REQUEST : PLACED);
  const below = [...more, ...stackOf(fields["err"])].map((line) => `\n    ${line}`).join("");
  return paint([...head, ...said, ...(rest === "" ? [] : [piece(`  ${rest}`, "dim")])], colours) + below;
}

const word = (value: unknown): string =>
  printable(typeof value === "string" || typeof value === "number" ? String(value) : "–").slice(0, 40);

function who({ role, slot, place }: Fields): string {
  if (typeof place === "string") return printable(`→${place}`).slice(0, 20);
  return typeof slot === "number" && role === "worker" ? `worker ${slot}` : word(role);
}

function requestPieces(fields: Fields): Piece[] {
  const { method, path, status, ms, bytes, cache, reason } = fields;
  const code = Number(status);
  const tone: Tone = code >= 500 ? "bad" : code >= 400 ? "warn" : "good";
  const after = [`${word(ms)} ms`, `${word(bytes)} B`, ...[cache, reason].filter((one) => one !== undefined).map(word)];
  const asked = `${word(method)} ${printable(typeof path === "string" ? path : "").slice(0, LONGEST_VALUE)}`.trim();
  return [piece(`${asked === "" ? "(no request)" : asked} `), piece(`${code} `, tone), piece(after.join(" "))];
}

function others(fields: Fields, placed: ReadonlySet<string>): string {
  return Object.entries(fields)
    .filter(([name, value]) => !placed.has(name) && value !== null && value !== undefined && value !== "")
    .map(([name, value]) => `${printable(name)}=${valueText(value)}`)
    .join(" ");
}

function valueText(value: unknown): string {
  const text = printable(typeof value === "string" ? value : jsonText(value));
  const shown = typeof value === "string" && /["\s=]/.test(text) ? jsonText(text) : text;
  return shown.length > LONGEST_VALUE ? `${shown.slice(0, LONGEST_VALUE)}…` : shown;
}

function stackOf(err: unknown): readonly string[] {
  if (typeof err !== "object" || err === null) return err === undefined ? [] : [valueText(err)];
  const { stack, message, type } = err as Fields;
  const text = typeof stack === "string" ? stack : `${typeof type === "string" ? `${type}: ` : ""}${valueText(message ?? err)}`;
  return printableLines(text).split("\n");
}
