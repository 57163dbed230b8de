/** bin/setup.mjs, which `npm start`, `npm test` and `npm run build` begin with. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { promisify } from "node:util";
import { cleanEnv, ROOT } from "./harness.ts";
import { folder } from "../support/cleanup.ts";

const run = promisify(execFile);

/** A copy of this package that has not been built, and has little to build. */
function fresh(t: TestContext): string {
  const dir = folder(t);
  for (const name of ["bin", "src/base", "src/tsconfig.json", "tsconfig.json", "package.json", "package-lock.json"])
    cpSync(join(ROOT, name), join(dir, name), { recursive: true, preserveTimestamps: true });
  mkdirSync(join(dir, "src/cli"));
  writeFileSync(join(dir, "src/cli/main.ts"), 'export { EXIT } from "../base/exit.ts";\n');
  symlinkSync(join(ROOT, "node_modules"), join(dir, "node_modules"));
  return dir;
}

const setup = (dir: string) => run(process.execPath, [join(dir, "bin/setup.mjs"), "start"], { cwd: dir, env: cleanEnv() });

test("several at once: one builds, the others wait for it, and a lock whose owner has died is taken over", async (t) => {
  const dir = fresh(t);
  mkdirSync(join(dir, ".setup"));
  writeFileSync(join(dir, ".setup/owner"), "4194305 1"); // above the largest pid
  const told = (await Promise.all([setup(dir), setup(dir), setup(dir)])).map(({ stderr }) => stderr);
  assert.equal(told.filter((text) => text.includes("built in")).length, 1, told.join(""));
  assert.ok(existsSync(join(dir, "dist/cli/main.js")));
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.startsWith(".setup") || name === "dist.new"),
    [],
  );
  assert.equal((await setup(dir)).stderr, "", "and the next has nothing to do");
});
