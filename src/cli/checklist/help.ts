/** How `drover checklist` is called. */
export const CHECKLIST_USAGE = "[tick ITEM … | untick ITEM … | FILE] [--phase PHASE] [--note TEXT] [--markdown] [--json]";
export const CHECKLIST_HELP: readonly (readonly [string, string])[] = [
  ["tick ITEM …", "close items by hand; those that drover checks itself need a --note"],
  ["untick ITEM …", "take the ticks of items back"],
  ["--phase PHASE", "before, during or after alone; the exit code is that phase's"],
  ["--note TEXT", "with tick: what was seen"],
  ["--markdown", "as Markdown with peaks and incidents, into FILE if there is one"],
  ["--json", "the same as JSON"],
];
