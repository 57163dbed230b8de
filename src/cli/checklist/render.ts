/** The checklist as text for a terminal, as Markdown, and as JSON. Pure. */
import type { Peaks } from "../../admin/peaks.ts";
import { merged } from "../../admin/peaks.ts";
import { printable } from "../terminal/printable.ts";
import type { Facts } from "./facts.ts";
import { counted } from "./finding.ts";
import { inPhases, isOpen, type ItemView } from "./evaluate.ts";
import { incidentsOf, launchOf, peaksText } from "./launch.ts";

const MARK = { done: "[x]", skipped: "[-]", open: "[ ]", failed: "[!]" } as const;
const WHEN = { before: "Before the launch", during: "During the launch", after: "After the launch" } as const;
export const HEADING = "# Launch checklist";

const progress = (items: readonly ItemView[]): string => `${items.filter((item) => !isOpen(item)).length} of ${items.length} done`;

/** Why live items are open, in one line; undefined: all could be seen. */
export function blindness({ status, records }: Facts): string | undefined {
  if (status.is === "unseen") return `what only a running daemon shows can't be seen: ${status.why}`;
  return records.is === "unseen" ? `what was recorded can't be seen: ${records.why}` : undefined;
}

export function renderText(items: readonly ItemView[], facts: Facts): string {
  const width = Math.max(...items.map(({ id }) => id.length));
  const blind = blindness(facts);
  const parts = inPhases(items).map(({ phase, items: own }) => {
    const lines = own.flatMap((item) => {
      const line = `  ${MARK[item.state]} ${item.id.padEnd(width)}  ${item.title}: ${printable(item.why)}`;
      return isOpen(item) ? [line, `      ${" ".repeat(width)}→ ${item.prove}`] : [line];
    });
    return `${WHEN[phase]}: ${progress(own)}\n${lines.join("\n")}\n`;
  });
  return `${blind === undefined ? "" : `${printable(blind)}\n\n`}${parts.join("\n")}`;
}

/** Nothing of a note or an event is read as Markdown or HTML. */
const plain = (text: string): string => printable(text).replaceAll(/[\\`*_[\]<>|#]/g, (c) => `\\${c}`);

export function renderMarkdown(items: readonly ItemView[], facts: Facts, host: string): string {
  const blind = blindness(facts);
  const phases = inPhases(items).map(({ phase, items: own }) => {
    const lines = own.map((item) => {
      const mark = isOpen(item) ? "[ ]" : "[x]";
      const word = item.state === "failed" ? "**failed**: " : item.state === "skipped" ? "not applicable: " : "";
      return `- ${mark} \`${item.id}\` ${item.title}: ${word}${plain(item.why)}${isOpen(item) ? ` (prove it: \`${item.prove}\`)` : ""}`;
    });
    return `## ${WHEN[phase]}: ${progress(own)}\n\n${lines.join("\n")}\n`;
  });
  return [
    `${HEADING}\n\n${plain(host)}, drover ${facts.version}, ${new Date(facts.now).toISOString()}\n`,
    ...(blind === undefined ? [] : [`${plain(blind)}\n`]),
    ...phases,
    peaksTable(facts),
    incidentList(facts),
  ].join("\n");
}

/** By day, of all that is on disk. */
export function peaksByDay({ told, live }: Pick<Facts, "told" | "live">): readonly (readonly [day: string, Peaks])[] {
  const days = new Map<string, Peaks>();
  for (const one of [...(told.is === "seen" ? told.value.peaks : []), ...(live === undefined ? [] : [live])]) {
    const day = one.at.slice(0, 10);
    const before = days.get(day);
    days.set(day, before === undefined ? one : merged(before, one));
  }
  return [...days];
}

function peaksTable(facts: Facts): string {
  const rows = peaksByDay(facts).map(([day, peaks]) => `| ${day} | ${peaksText(peaks)} |`);
  const table = rows.length === 0 ? "None are known.\n" : `| day (UTC) | highest figures |\n| --- | --- |\n${rows.join("\n")}\n`;
  return `## Peaks\n\n${table}`;
}

function incidentList(facts: Facts): string {
  const from = facts.records.is === "seen" ? launchOf(facts.records.value)?.began : undefined;
  const all = incidentsOf(facts, from);
  const lines = all.map(({ at, level, text }) => `- ${at} ${level}: ${plain(text)}`);
  const title = `## Incidents: ${counted(all.length, "event")} ${from === undefined ? "in 30 days" : "since the launch"}`;
  return `${title}\n\n${lines.length === 0 ? "None.\n" : `${lines.join("\n")}\n`}`;
}

export function checklistJson(items: readonly ItemView[], facts: Facts): object {
  const from = facts.records.is === "seen" ? launchOf(facts.records.value)?.began : undefined;
  return {
    at: new Date(facts.now).toISOString(),
    version: facts.version,
    unseen: blindness(facts) ?? null,
    phases: Object.fromEntries(
      inPhases(items).map(({ phase, items: own }) => {
        const left = own.filter(isOpen).length;
        return [phase, { complete: left === 0, items: own.length, open: left }];
      }),
    ),
    items,
    peaks: Object.fromEntries(peaksByDay(facts)),
    incidents: incidentsOf(facts, from),
  };
}
