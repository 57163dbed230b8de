/**
 * The terminal while a program has the whole of it: alternate screen, no cursor, no wrapping, raw keys; and all of it as it was on every
 * way out. The sequences are xterm's, which every terminal emulator of today knows.
 */
import { emitKeypressEvents, type Interface, type Key as Keypress } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";

export interface Key {
  /** The character; or the name that node:readline gives a key without one: "up", "return", "escape"; with Ctrl the letter. */
  readonly name: string;
  readonly ctrl: boolean;
}

export interface Screen {
  size(): { readonly columns: number; readonly rows: number };
  draw(lines: readonly string[]): void;
  /** Gives the terminal back and stops the job, as Ctrl-Z does; takes it again when it goes on. */
  suspend(): void;
  /** Gives the terminal back. Any number of times. */
  leave(): void;
}

export interface ScreenEvents {
  key(key: Key): void;
  /** Draw everything: the size is another, or the job goes on. */
  redraw(): void;
  /** A signal asks us to end, or the terminal is gone. */
  end(): void;
}

const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J";
const LEAVE = "\u001b[?7h\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const REST_OF_LINE = "\u001b[K";
/** A lone Esc is told from a sequence's first byte by what follows within this time: a slow ssh cuts sequences in two. */
const ESCAPE_WAIT = 100;
const USUAL = { columns: 80, rows: 24 };

export function openScreen(input: ReadStream, output: WriteStream, events: ScreenEvents): Screen {
  let on = false;
  const enter = (): void => {
    input.setRawMode(false); // a shell may have changed the modes while we were stopped: libuv does nothing when it believes them set
    input.setRawMode(true);
    if (!on) output.write(ENTER);
    on = true;
    events.redraw();
  };
  const leave = (): void => {
    if (!on) return;
    on = false;
    output.write(LEAVE);
    try {
      input.setRawMode(false);
    } catch {
      // the terminal is gone (EIO): there is nothing left to restore
    }
  };
  const suspend = (): void => {
    leave();
    process.removeListener("SIGTSTP", suspend);
    process.kill(0, "SIGTSTP"); // the whole job, as the terminal itself would; we stop here
    setImmediate(resume); // nobody stopped us: there is no shell to go back to
  };
  const resume = (): void => {
    if (!process.listeners("SIGTSTP").includes(suspend)) process.on("SIGTSTP", suspend);
    enter();
  };
  emitKeypressEvents(input, { escapeCodeTimeout: ESCAPE_WAIT } as unknown as Interface);
  input.on("keypress", (character: string | undefined, key: Keypress) => events.key(keyOf(character, key)));
  for (const gone of ["end", "error", "close"]) input.once(gone, events.end);
  output.once("error", events.end);
  output.on("resize", events.redraw);
  process.on("SIGCONT", resume);
  process.once("exit", leave);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) process.on(signal, events.end);
  resume();
  return {
    size: () => ({ columns: output.columns || USUAL.columns, rows: output.rows || USUAL.rows }), // 0 × 0: nobody has said
    draw: (lines) => void (on && output.write(HOME + lines.map((line) => line + REST_OF_LINE).join("\r\n"))),
    suspend,
    leave,
  };
}

function keyOf(character: string | undefined, { name, ctrl = false }: Keypress): Key {
  if (ctrl) return { name: name ?? "", ctrl };
  const visible = character !== undefined && character.length === 1 && character > " " && character !== "\u007f";
  return { name: visible ? character : (name ?? ""), ctrl };
}
