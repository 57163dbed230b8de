/**
 * `DROVER_SLOT_SCHEDULE`: the maximum of slots by the day of a launch, as a preset, a list or a
 * file.
 */
import { resolve } from "node:path";
import { messageOf } from "../base/errors.ts";
import { readText } from "../base/readtext.ts";
import { kibibytes } from "../base/units.ts";
import { nearest } from "./nearest.ts";
import { expected, parsed, type Codec, type Parsed } from "./setting.ts";

/** From this day of the launch on, the first day being 1. */
export interface SlotStep {
  readonly day: number;
  readonly max: number;
}

export interface SlotSchedule {
  /** Days and maxima both rise; the first day is 1. */
  readonly steps: readonly SlotStep[];
  /** The date of day 1; undefined: the day on which the schedule first runs. */
  readonly from: string | undefined;
}

const step = (day: number, max: number): SlotStep => ({ day, max });
const PRESETS: ReadonlyMap<string, readonly SlotStep[]> = new Map([
  ["j1-j14", [step(1, 50), step(3, 100), step(7, 150), step(14, 200)]],
  ["weekly", [step(1, 100), step(8, 150), step(31, 200)]],
]);
const OFF = "off";
const LOOKS =
  `off, a preset (${[...PRESETS.keys()].join(", ")}), DAY:MAX pairs such as 1:50, 3:100, 7:150, or a file of such pairs; ` +
  "then, if day 1 is not the day of the first start, from YYYY-MM-DD";
const LARGEST_FILE = kibibytes(64);
const MOST_STEPS = 100;
const LAST_DAY = 3_650;
const MOST_SLOTS = 100_000;

export const slotSchedule: Codec<SlotSchedule | undefined> = {
  looksLike: LOOKS,
  format: (schedule) =>
    schedule === undefined
      ? OFF
      : schedule.steps.map(({ day, max }) => `${day}:${max}`).join(", ") + (schedule.from === undefined ? "" : ` from ${schedule.from}`),
  parse(text, cwd) {
    const whole = text.trim();
    if (whole === "" || whole.toLowerCase() === OFF) return parsed(undefined);
    const [, what = whole, from] = /^(.*\S)\s+from\s+(\S+)$/is.exec(whole) ?? [];
    const preset = PRESETS.get(what.toLowerCase());
    if (preset !== undefined) return dated(preset, from);
    if (/^j?\d+\s*:/i.test(what)) return pairs(what, from);
    if (/[/.]/.test(what)) return inFile(resolve(cwd, what), from);
    return expected(`${LOOKS}. The nearest preset is ${nearest(what.toLowerCase(), PRESETS.keys())}`);
  },
};

/** A line or more of pairs, comments after `#`, and `from DATE` on a line of its own. */
function inFile(path: string, from: string | undefined): Parsed<SlotSchedule> {
  let text: string;
  try {
    text = readText(path, { most: LARGEST_FILE });
  } catch (error) {
    return expected(`a file that can be read: ${path}: ${messageOf(error)}`);
  }
  const lines = text.split(/[\r\n]+/).map((line) => dateApart(line.replace(/#.*$/, "").trim()));
  const list = lines.map(({ pairs: list }) => list).filter((line) => line !== "");
  const read = pairs(list.join(","), from ?? lines.find((line) => line.from !== undefined)?.from);
  return read.ok ? read : expected(`${read.problem} (in ${path})`);
}

/** Takes `from DATE` off the end of a line. */
function dateApart(line: string): { readonly pairs: string; readonly from: string | undefined } {
  const words = line.split(/[\s,]+/);
  if (words.at(-2)?.toLowerCase() !== "from") return { pairs: line, from: undefined };
  return { pairs: line.slice(0, line.toLowerCase().lastIndexOf("from")), from: words.at(-1) };
}

function pairs(text: string, from: string | undefined): Parsed<SlotSchedule> {
  const steps: SlotStep[] = [];
  const parts = text.split(",").map((part) => part.trim());
  for (const part of parts.filter((one) => one !== "")) {
    const [, day, max] = /^j?(\d{1,6})\s*:\s*(\d{1,6})$/i.exec(part) ?? [];
    if (day === undefined || max === undefined) return expected(`DAY:MAX pairs such as 1:50, 3:100; "${part.slice(0, 40)}" is none`);
    steps.push(step(Number(day), Number(max)));
  }
  return dated(steps, from);
}

function dated(steps: readonly SlotStep[], from: string | undefined): Parsed<SlotSchedule> {
  const problem = wrongSteps(steps) ?? wrongDate(from);
  return problem === undefined ? parsed({ steps, from }) : expected(problem);
}

function wrongSteps(steps: readonly SlotStep[]): string | undefined {
  const [first] = steps;
  if (first === undefined || steps.length > MOST_STEPS) return `from 1 to ${MOST_STEPS} DAY:MAX pairs; there are ${steps.length}`;
  if (first.day !== 1) return `day 1 as the first day; the first pair is ${first.day}:${first.max}`;
  for (const [i, { day, max }] of steps.entries()) {
    if (day > LAST_DAY || max < 1 || max > MOST_SLOTS)
      return `days up to ${LAST_DAY} and from 1 to ${MOST_SLOTS} slots; a pair is ${day}:${max}`;
    const before = steps[i - 1];
    if (before !== undefined && (day <= before.day || max <= before.max))
      return `days and maxima that rise; ${day}:${max} follows ${before.day}:${before.max}`;
  }
  return undefined;
}

function wrongDate(from: string | undefined): string | undefined {
  if (from === undefined) return undefined;
  const wrong = `a date such as 2026-12-01 after "from"; "${from.slice(0, 40)}" is none`;
  try {
    return String(Temporal.PlainDate.from(from)) === from ? undefined : wrong;
  } catch (thrown) {
    if (thrown instanceof RangeError) return wrong;
    throw thrown;
  }
}
