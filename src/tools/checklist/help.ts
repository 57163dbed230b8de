/** Usage of `drover checklist`. Loaded by every command's help. */
export const CHECKLIST_USAGE =
  "[tick ITEM … | untick ITEM … | FILE] [--phase PHASE] [--note TEXT] [--markdown]";
export const CHECKLIST_HELP: readonly (readonly [string, string])[] = [
  ["tick ITEM …", "close items by hand; those that drover checks itself need a --note"],
  ["untick ITEM …", "take ticks back"],
  ["--phase PHASE", "show before, during or after; the exit code is that phase's"],
  ["--note TEXT", "with tick: what was seen"],
  ["--markdown", "write Markdown with peaks and incidents, into FILE if given"],
];
