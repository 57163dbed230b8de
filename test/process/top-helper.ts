/** `drover top` in a terminal, driven as a user drives it. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { readlinkSync } from "node:fs";
import type { TestContext } from "node:test";
import { needs } from "../support/needs.ts";
import { alive, cleanEnv, descendants, DROVER, type Daemon } from "./harness.ts";
import { atEnd, sent } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

export const skip = needs("script", "bsdutils");

export const ENTERED = "\u001b[?1049h\u001b[?25l";
export const RESTORED = "\u001b[?25h\u001b[?1049l";

/** A shell in a pseudo-terminal of its own, in the daemon's folder. */
export class Terminal {
  /** All that was written to it. */
  text = "";
  readonly #process;
  readonly exited: Promise<number | null>;

  constructor(t: TestContext, daemon: Pick<Daemon, "dir">, command: string, env: NodeJS.ProcessEnv = {}) {
    const child = spawn("script", ["-qefc", `stty rows 24 cols 90; ${command}`, "/dev/null"], {
      cwd: daemon.dir,
      stdio: ["pipe", "pipe", "inherit"],
      env: cleanEnv({ TERM: "xterm-256color", DROVER, PS1: "shell> ", ENV: "", ...env }),
    });
    this.#process = child;
    child.stdout.on("data", (chunk: Buffer) => (this.text += chunk.toString()));
    this.exited = new Promise((resolve) => child.once("exit", resolve));
    atEnd(t, async () => {
      const left = [child.pid ?? 0, ...descendants(child.pid ?? 0)].filter((pid) => pid > 0 && alive(pid));
      for (const pid of left) sent(pid, "SIGKILL");
      await this.exited;
    });
  }
  press(keys: string): void {
    this.#process.stdin.write(keys);
  }
  /** The drover in it. */
  get pid(): number {
    const isTop = (pid: number): boolean =>
      execFileSync("ps", ["-o", "args=", "-p", String(pid)])
        .toString()
        .includes("cli/main");
    const pid = descendants(this.#process.pid ?? 0).find(isTop);
    assert.ok(pid, "drover runs in the terminal");
    return pid;
  }
  resize(columns: number, rows: number): void {
    execFileSync("stty", ["-F", readlinkSync(`/proc/${this.pid}/fd/0`), "cols", String(columns), "rows", String(rows)]);
  }
  /** The last whole screen that was drawn, as lines without colours. */
  get screen(): readonly string[] {
    const frames = this.text.split("\u001b[H").slice(1);
    const whole = frames.findLast((frame) => frame.endsWith("\u001b[K") || frame.includes("\u001b[K\u001b["));
    // oxlint-disable-next-line no-control-regex
    return (whole ?? "").replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, "").split(/\r*\n/);
  }
  async shows(pattern: RegExp): Promise<true> {
    try {
      return await eventually(`the screen shows ${pattern}`, () => pattern.test(this.screen.join("\n")));
    } catch (error) {
      throw new Error(`it shows:\n${this.screen.join("\n")}`, { cause: error });
    }
  }
  says(pattern: RegExp): Promise<true> {
    return eventually(`the terminal says ${pattern}`, () =>
      pattern.test(this.text.slice(this.text.lastIndexOf(RESTORED) + RESTORED.length)),
    );
  }
}

/** What stty(1) says of a terminal that is as a shell wants it. */
const SANE = /(?<!-)\bicanon\b[^]*(?<!-)\becho\b/;
export const AFTERWARDS = 'echo "left with $?"; stty -a';

export async function restored(terminal: Terminal): Promise<void> {
  await terminal.says(SANE);
  const count = (sequence: string): number => terminal.text.split(sequence).length - 1;
  assert.equal(count(RESTORED), count(ENTERED), "every screen that was taken was given back");
}
