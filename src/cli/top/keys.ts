/** The keys of `drover top`: one table for what they do and for the help. */

/** A key as the shell reads it: `name` of node:readline's keypress where the character alone does not tell. */
export interface Key {
  readonly name: string;
  readonly ctrl: boolean;
}

export type Action =
  | "quit"
  | "suspend"
  | "help"
  | "reload"
  | "grow"
  | "shrink"
  | "recycle"
  | "stack"
  | "previous column"
  | "next column"
  | "turn"
  | "up"
  | "down"
  | "page up"
  | "page down"
  | "first"
  | "last"
  | "now";

interface KeyRow {
  readonly keys: readonly string[];
  readonly action: Action;
  /** How the help writes the keys, and what they do; a row without is a second way. */
  readonly shown?: readonly [keys: string, does: string];
}

export const KEYS: readonly KeyRow[] = [
  { keys: ["r"], action: "reload", shown: ["r", "reload: a new generation, one worker at a time"] },
  { keys: ["+", "="], action: "grow", shown: ["+", "one worker more"] },
  { keys: ["-"], action: "shrink", shown: ["-", "one worker fewer"] },
  { keys: ["R"], action: "recycle", shown: ["R", "replace the worker of a slot, new before old"] },
  { keys: ["s"], action: "stack", shown: ["s", "what the worker of a slot does now: its stack, its requests"] },
  { keys: ["<", "left"], action: "previous column", shown: ["< >", "sort by the column to the left, to the right"] },
  { keys: [">", "right"], action: "next column" },
  { keys: ["i"], action: "turn", shown: ["i", "the other way round"] },
  { keys: ["up", "k"], action: "up", shown: ["↑ ↓", "scroll; also page up, page down, home, end"] },
  { keys: ["down", "j"], action: "down" },
  { keys: ["pageup"], action: "page up" },
  { keys: ["pagedown"], action: "page down" },
  { keys: ["home", "g"], action: "first" },
  { keys: ["end", "G"], action: "last" },
  { keys: ["space"], action: "now", shown: ["space", "ask now"] },
  { keys: ["?", "h"], action: "help", shown: ["?", "this help"] },
  { keys: ["q", "escape"], action: "quit", shown: ["q", "quit; also Esc and Ctrl-C"] },
];

const CONTROLS: Readonly<Record<string, Action>> = { c: "quit", z: "suspend", l: "now" };

export function actionOf({ name, ctrl }: Key): Action | undefined {
  if (ctrl) return CONTROLS[name];
  return KEYS.find(({ keys }) => keys.includes(name))?.action;
}
