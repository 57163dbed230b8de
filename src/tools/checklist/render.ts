/** The checklist as text for a terminal, and as Markdown. */
import { merged, type Peaks } from "../../admin/peaks.ts";
import { printable } from "../../cli/terminal/printable.ts";
import type { Facts } from "./facts.ts";
import { counted } from "../../cli/terminal/figures.ts";
import { isOpen, PHASES, type ItemView, type Phase } from "./items.ts";
import { incidentsSince, launchOf, peaksText } from "./launch.ts";

const MARK = { done: "[x]", skipped: "[-]", open: "[ ]", failed: "[!]" } as const;
const TITLE = {
  before: "Before the launch",
  during: "During the launch",
  after: "After the launch",
} as const;
export const HEADING = "# Launch checklist";

/** Why items are open that need the daemon, or the records. */
function unknown({ status, records }: Facts): readonly string[] {
  if (typeof status === "string") return [`without a running daemon: ${status}`];
  return typeof records === "string" ? [`what was recorded can't be seen: ${records}`] : [];
}

function byPhase(
  items: readonly ItemView[],
  section: (title: string, own: readonly ItemView[]) => string,
): string[] {
  const some = (phase: Phase): readonly ItemView[] => items.filter((item) => item.phase === phase);
  return PHASES.filter((phase) => some(phase).length > 0).map((phase) => {
    const own = some(phase);
    const left = own.filter(isOpen).length;
    return section(`${TITLE[phase]}: ${own.length - left} of ${own.length} done`, own);
  });
}

export function renderText(items: readonly ItemView[], facts: Facts): string {
  const width = Math.max(...items.map(({ id }) => id.length));
  const phases = byPhase(items, (title, own) => {
    const lines = own.flatMap(({ state, id, title: what, why, prove }) => [
      `  ${MARK[state]} ${id.padEnd(width)}  ${what}: ${printable(why)}`,
      ...(isOpen({ state, why }) ? [`      ${" ".repeat(width)}→ ${prove}`] : []),
    ]);
    return `${title}\n${lines.join("\n")}\n`;
  });
  return [...unknown(facts).map((line) => `${printable(line)}\n`), ...phases].join("\n");
}

/** Notes and events can't contain Markdown or HTML. */
const plain = (text: string): string =>
  printable(text).replaceAll(/[\\`*_[\]<>|#]/g, (c) => `\\${c}`);

export function renderMarkdown(items: readonly ItemView[], facts: Facts, host: string): string {
  const phases = byPhase(items, (title, own) => {
    const lines = own.map((item) => {
      const { state, id, title: what, why, prove } = item;
      const word = { failed: "**failed**: ", skipped: "not applicable: ", open: "", done: "" }[
        state
      ];
      const proof = isOpen(item) ? ` (prove it: \`${prove}\`)` : "";
      return `- ${isOpen(item) ? "[ ]" : "[x]"} \`${id}\` ${what}: ${word}${plain(why)}${proof}`;
    });
    return `## ${title}\n\n${lines.join("\n")}\n`;
  });
  const { now, version } = facts;
  const first = `${HEADING}\n\n${plain(host)}, drover ${version}, ${new Date(now).toISOString()}\n`;
  const notes = unknown(facts).map((line) => `${plain(line)}\n`);
  return [first, ...notes, ...phases, peaksTable(facts), incidentList(facts)].join("\n");
}

/** The highest figures of each day. */
function peaksTable({ timeline }: Facts): string {
  const days = new Map<string, Peaks>();
  for (const one of typeof timeline === "string" ? [] : timeline.peaks) {
    const day = one.at.slice(0, 10);
    const before = days.get(day);
    days.set(day, before === undefined ? one : merged(before, one));
  }
  const rows = [...days].map(([day, peaks]) => `| ${day} | ${peaksText(peaks)} |\n`).join("");
  const table =
    days.size === 0
      ? "None are known.\n"
      : `| day (UTC) | highest figures |\n| --- | --- |\n${rows}`;
  return `## Peaks\n\n${table}`;
}

function incidentList(facts: Facts): string {
  const launch = typeof facts.records === "string" ? undefined : launchOf(facts.records);
  const all = incidentsSince(facts, launch?.began);
  const since = launch === undefined ? "in 30 days" : "since the launch";
  const lines = all.map(({ at, level, text }) => `- ${at} ${level}: ${plain(text)}\n`).join("");
  return `## Incidents: ${counted(all.length, "event")} ${since}\n\n${lines === "" ? "None.\n" : lines}`;
}
