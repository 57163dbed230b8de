// alone
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const TICKS = `
const { compact } = await import(${JSON.stringify(new URL("../../src/base/compact.ts", import.meta.url))});
const ticks = async (n) => {
  const before = process.cpuUsage();
  await new Promise((done) => {
    let i = 0;
    const next = () => ((i += 1) < n ? process.nextTick(next) : done());
    next();
  });
  const { user, system } = process.cpuUsage(before);
  return user + system;
};
const rest = () => new Promise((done) => setTimeout(done, 20));
await ticks(300_000);
const before = await ticks(500_000);
await rest();
compact();
await rest();
await ticks(300_000);
console.log((await ticks(500_000)) / before);
`;

test("what it costs to defer a call is afterwards what it was", async () => {
  const ratio = async (): Promise<number> => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", TICKS]);
    return Number(stdout);
  };
  const ratios = [await ratio(), await ratio(), await ratio()];
  assert.ok(Math.min(...ratios) < 1.7, `after ÷ before: ${ratios.join(", ")}`);
});
