import assert from "node:assert/strict";
import { test } from "node:test";
import { cpuIdle } from "../../src/worker/cpuidle.ts";

const stat = (user: number, idle: number, iowait = 0): string =>
  `cpu  ${user} 0 0 ${idle} ${iowait} 0 0 0 7 0\ncpu0 1 2 3 4 5 6 7 8 9 10\ncpu1 1 2 3 4 5 6 7 8 9 10\nintr 1\n`;

test("the share of all CPUs that was left over since the call before", () => {
  const texts = [stat(100, 1_000), stat(150, 1_150), stat(250, 1_150), stat(300, 1_150, 50), stat(300, 1_150, 50)];
  const idle = cpuIdle(() => texts.shift() ?? "", 2);
  assert.deepEqual([idle(), idle(), idle(), idle(), idle()], [1, 0.75, 0, 0.5, 0]);
});

test("where it can't be known, all was left over: nobody is kept from work by a figure that says nothing", () => {
  const texts = ["cpu  1 2 3\ncpu0 1\ncpu1 1\n", "", "nonsense", stat(1, 2), stat(1, 2).replace("cpu  1", "cpu  x"), stat(100, 2)];
  const idle = cpuIdle(() => texts.shift() ?? "", 2);
  assert.deepEqual([idle(), idle(), idle(), idle(), idle(), idle()], [1, 1, 1, 1, 1, 1]);
  const none = cpuIdle(() => {
    throw new Error("ENOENT");
  });
  assert.deepEqual([none(), none()], [1, 1]);
});

test("the machine's CPUs tell nothing of a process that may use some of them only", () => {
  const texts = [stat(100, 1_000), stat(200, 1_000)];
  const idle = cpuIdle(() => texts.shift() ?? "", 1);
  assert.deepEqual([idle(), idle()], [1, 1]);
});
