import assert from "node:assert/strict";
import { test } from "node:test";
import { cpuIdle } from "../../src/worker/cpuidle.ts";

const stat = (user: number, idle: number, iowait = 0): string =>
  `cpu  ${user} 0 0 ${idle} ${iowait} 0 0 0 7 0\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 1\n`;

test("the share of all CPUs that was left over since the call before", () => {
  const texts = [stat(100, 1_000), stat(150, 1_150), stat(250, 1_150), stat(300, 1_150, 50), stat(300, 1_150, 50)];
  const idle = cpuIdle(() => texts.shift() ?? "");
  assert.deepEqual([idle(), idle(), idle(), idle(), idle()], [0, 0.75, 0, 0.5, 0]);
});

test("where it can't be known, nothing was left over", () => {
  const texts = ["cpu  1 2 3\n", "", "nonsense", stat(1, 2), "cpu  x 0 0 0 0 0 0 0\n", stat(1, 100)];
  const idle = cpuIdle(() => texts.shift() ?? "");
  assert.deepEqual([idle(), idle(), idle(), idle(), idle(), idle()], [0, 0, 0, 0, 0, 0]);
  const none = cpuIdle(() => {
    throw new Error("ENOENT");
  });
  assert.deepEqual([none(), none()], [0, 0]);
});

test("this machine's own is a share", { skip: process.platform !== "linux" && "Linux only" }, async () => {
  const idle = cpuIdle();
  assert.equal(idle(), 0);
  const end = performance.now() + 60_000;
  let share = Number.NaN;
  while (performance.now() < end && !(share >= 0)) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    share = idle();
  }
  assert.ok(share >= 0 && share <= 1, String(share));
});
