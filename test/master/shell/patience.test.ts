/** How long a debugger's answer is waited for: the usual time, and longer where the machine is to blame. */
import assert from "node:assert/strict";
import test from "node:test";
import { ms } from "../../../src/base/units.ts";
import { isRunning } from "../../../src/master/shell/autopsy/looks.ts";
import { hungerOf, patience } from "../../../src/master/shell/autopsy/patience.ts";
import type { ProcStat } from "../../../src/master/shell/procstat.ts";

const over = (signal: AbortSignal): Promise<void> => new Promise((resolve) => signal.addEventListener("abort", () => resolve()));

test("the usual time, where nothing more can come", async () => {
  const began = performance.now();
  const { signal } = patience(ms(40), () => false);
  await over(signal);
  assert.ok(performance.now() - began >= 39);
});

test("beyond it as long as it is worth it, looked at anew", async () => {
  let looks = 0;
  const { signal } = patience(ms(1), () => (looks += 1) < 4);
  await over(signal);
  assert.equal(looks, 4);
});

test("with an answer nobody waits on", async () => {
  const { signal, end } = patience(ms(1), () => assert.fail("nobody looks any more"));
  end();
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(signal.aborted, false);
});

for (const [name, had, within, expected] of [
  ["gets half a CPU", 400, 800, true],
  ["has a CPU to itself", 700, 740, false],
  ["has had half a CPU for so long that it could have answered", 1_000, 2_000, false],
] as const)
  test(`a process that ${name} is ${expected ? "" : "not "}hungry`, () => {
    let [cpu, at] = [5_000, 70_000];
    const hunger = hungerOf(1, { time: () => cpu, now: () => at });
    [cpu, at] = [cpu + had, at + within];
    assert.equal(hunger(), expected);
  });

test("where the kernel counts no CPU of threads, or the process is gone, nobody is hungry", () => {
  const now = (): number => performance.now() * 1_000;
  assert.equal(hungerOf(1, { time: () => undefined, now })(), false);
  let time: number | undefined = 1;
  const gone = hungerOf(1, { time: () => time, now });
  time = undefined;
  assert.equal(gone(), false);
});

test("found ready to run twice, whoever got next to nothing meanwhile runs; found so once, it may just have woken", () => {
  const asleep = { state: "S" } as ProcStat;
  const looks = { before: asleep, later: asleep, ran: 2, apart: 240, queued: 0, waits: "" };
  assert.deepEqual(
    [0, 1, 2].map((runnable) => isRunning({ ...looks, runnable })),
    [false, false, true],
  );
  assert.deepEqual(
    [20, 40, 60].map((queued) => isRunning({ ...looks, runnable: 0, queued })),
    [false, false, true],
    "nor does who waits for its turn",
  );
});
