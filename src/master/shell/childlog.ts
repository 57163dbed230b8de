import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Logger } from "../../base/log.ts";
import type { Role } from "../../base/protocol.ts";
import { readableStack } from "../../base/sources.ts";
import { readRecord, Records, type Level } from "./records.ts";

/** A longer line is cut: an application that prints a megabyte without a newline must not fill the master. */
const LONGEST_LINE = 16_384;
/** A line of a stack that nobody caught. */
const STACKED = /^ {4}at /;
/** About 2 ms of writing. */
const LINES_A_TURN = 500;
/** Of the last lines on stderr, what a death record may quote. */
const TAIL_LINES = 20;

export interface ChildOutput {
  /** The last lines of stderr, oldest first. */
  tail(): readonly string[];
  /** V8's last words ("FATAL ERROR: …"), or empty: the stack it prints after them would push them out of the tail. */
  fatal(): string;
  /** Calls `take` with the address of the child's inspector, should it open one. @returns a function that ends the wait. */
  awaitInspector(take: (address: string) => void): () => void;
}

/** Whose lines they are. */
export interface Speaker {
  readonly role: Role | "hooks";
  readonly slot: number | null;
  readonly generation: number;
  readonly pid: number;
}

/**
 * Turns what a child prints (an application's console.log, its logger's JSON, a native library's complaint, V8's last words) into
 * log lines with `stream`, whole lines, bounded.
 */
export function logOutput(
  log: Pick<Logger, Level>,
  who: Speaker,
  { stdout, stderr }: Pick<ChildProcess, "stdout" | "stderr">,
): ChildOutput {
  const tail: string[] = [];
  let fatal = "";
  let waiting: ((address: string) => void) | undefined;
  const opened = (address: string): void => {
    if (waiting !== undefined) return waiting(address);
    log.warn(who, "a child has opened its debugger, and not because of drover: somebody sent it SIGUSR1. It is closed when the child ends");
  };
  const records = (stream: "stdout" | "stderr"): Records =>
    new Records(({ level, msg, fields }) => log[level]({ ...fields, ...who, stream }, msg));
  const [out, err] = [records("stdout"), records("stderr")];
  const take = (to: Records, text: string, level: Level): void => {
    (to === out ? err : out).flush(); // in the order of their arrival
    to.line(text, readRecord(text, who.pid) ?? { level, msg: text, fields: {} });
  };
  void splitLines(stdout, (line) => take(out, line, "info")).finally(() => out.flush());
  void splitLines(stderr, (line) => {
    const { text: said, address } = withoutInspector(line);
    const text = STACKED.test(said) ? readableStack(said) : said;
    if (address !== undefined) opened(address);
    if (text === "") return;
    if (fatal === "" && text.startsWith("FATAL ERROR: ")) fatal = text.slice(0, 500);
    tail.push(text);
    if (tail.length > TAIL_LINES) tail.shift();
    take(err, text, "warn");
  }).finally(() => err.flush());
  return {
    tail: () => tail,
    fatal: () => fatal,
    awaitInspector(take) {
      waiting = take;
      return () => void (waiting === take && (waiting = undefined));
    },
  };
}

const OPENED = /Debugger listening on (ws:\/\/127\.0\.0\.1:\d{1,5}\/[0-9a-f-]{36})$/;
const INSPECTORS =
  /^(?:For help, see: https:\/\/nodejs\.org\/\S*(?:inspector|debugging)\S*|Debugger attached\.|Debugger ending on ws:\/\/\S+|Waiting for the debugger to disconnect\.\.\.)$/;

/** What Node says of its inspector is for the master alone: whoever knows the address may take the process over. */
function withoutInspector(line: string): { readonly text: string; readonly address?: string } {
  const found = OPENED.exec(line);
  if (found?.[1] !== undefined && URL.canParse(found[1])) return { text: line.slice(0, found.index), address: found[1] };
  return { text: INSPECTORS.test(line) ? "" : line };
}

/**
 * Calls `take` for each line, without its end; at the stream's end for the rest. Bytes that are not UTF-8 become U+FFFD.
 * @returns when the stream has ended. No turn of the loop takes more than LINES_A_TURN lines: a child that prints without pause
 * waits for us at its pipe, and we go on hearing the others.
 */
export async function splitLines(stream: Readable | null, take: (line: string) => void): Promise<void> {
  if (stream === null) return;
  const cutter = lineCutter(take);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const lines = cutter.split(chunk);
      for (let i = 0; i < lines.length; i += LINES_A_TURN) {
        await nextTurn();
        for (const line of lines.slice(i, i + LINES_A_TURN)) cutter.line(line);
      }
      cutter.overlong();
    }
  } catch {
    // EIO at the end of a killed child: the exit event tells what there is to tell
  }
  cutter.end();
}

/** The pieces of a text as lines; `split` gives what is complete, `line` each of it in its turn. */
function lineCutter(take: (line: string) => void) {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let skipping = false;
  const cutRest = (): void => {
    if (!skipping && rest !== "") take(cut(rest));
    rest = "";
  };
  return {
    split(chunk: Buffer): string[] {
      const lines = (rest + decoder.write(chunk)).split("\n");
      rest = lines.pop() ?? "";
      return lines;
    },
    line(line: string): void {
      const text = line.endsWith("\r") ? line.slice(0, -1) : line;
      if (skipping) skipping = false; // the end of a line whose start was already logged and cut
      else if (text !== "") take(cut(text));
    },
    /** A line that has not ended yet and is too long already is taken now; the remainder is skipped. */
    overlong(): void {
      if (rest.length <= LONGEST_LINE) return;
      cutRest();
      skipping = true;
    },
    end(): void {
      rest += decoder.end();
      cutRest();
    },
  };
}

const cut = (line: string): string => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}… (cut)` : line);
