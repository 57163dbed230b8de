/** A process that notifies systemd, and a receiver in its place. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { folder } from "../../support/cleanup.ts";
import { needs } from "../../support/needs.ts";

export const here = import.meta.dirname;
export const skip = process.platform === "linux" ? needs("python3", "python3") : "Linux only"; // it plays systemd

export interface Line {
  readonly pid?: number;
  readonly text?: string;
  readonly transport?: string;
  readonly watchdog?: number | null;
  readonly left?: string[];
  readonly own?: number;
  readonly first?: number[];
  /** CLOCK_MONOTONIC in ns, as the sender's process.hrtime is. */
  readonly at?: number;
  readonly sent?: readonly (readonly [text: string, at: string, cost: number])[];
}

/** Runs notifying.ts under the receiver until `last` was received, and gives everything that was said. */
export async function told(
  t: TestContext,
  address: string,
  transport: string,
  options: readonly string[] = [],
  times = 0,
): Promise<Line[]> {
  const child = spawn(
    "python3",
    [join(here, "datagrams.py"), ...options, address, process.execPath, join(here, "notifying.ts"), transport, String(times)],
    {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, NOTIFY_SOCKET: "", WATCHDOG_USEC: "60000000", LISTEN_PID: "", LISTEN_FDS: "" },
    },
  );
  t.after(() => child.kill("SIGKILL"));
  const lines: Line[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(JSON.parse(line) as Line);
    if (lines.at(-1)?.text === "STATUS=2 of 2") child.stdin.end();
  }
  if (child.exitCode === null) await once(child, "exit");
  assert.equal(child.exitCode, 0);
  return lines;
}

export function place(t: TestContext): string {
  return join(folder(t), "notify");
}

const EXPECTED = [
  /^READY=1\nSTATUS=8\/8 workers ready\nWATCHDOG=1$/,
  /^RELOADING=1\nMONOTONIC_USEC=\d+$/,
  /^READY=1\nSTATUS=generation 2\nWATCHDOG=1$/,
  /^EXTEND_TIMEOUT_USEC=1500001$/,
  /^WATCHDOG=1$/,
  /^STOPPING=1$/,
  /^STATUS=2 of 2$/,
];

/** Asserts that the receiver got what notifying.ts says. @returns for how long each call kept the loop, in microseconds. */
export function judge(t: TestContext, lines: readonly Line[], transport: string): readonly number[] {
  const [said] = lines;
  assert.equal(said?.transport, transport);
  assert.deepEqual(said.left, [], "NOTIFY_SOCKET and WATCHDOG_* are taken out of the environment");
  assert.equal(said.watchdog, 60_000);
  const texts = lines.flatMap(({ text }) => (text === undefined || /^(FILL|BARRIER=1)$/.test(text) ? [] : [text]));
  assert.equal(texts.length, EXPECTED.length, texts.join(" · "));
  EXPECTED.forEach((pattern, i) => assert.match(texts[i] ?? "", pattern));
  const monotonic = Number(/USEC=(\d+)/.exec(texts[1] ?? "")?.[1]);
  assert.ok(Math.abs(monotonic - Number(process.hrtime.bigint() / 1_000n)) < 60e6, "CLOCK_MONOTONIC, in microseconds");
  const cost = lines.find((line) => line.first !== undefined)?.first ?? [];
  t.diagnostic(`${transport}: a call keeps the loop for ${cost.map((us) => Math.round(us)).join(", ")} µs`);
  return cost;
}
