/** What the build compiled is what starts take. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { bytes } from "../../src/base/units.ts";
import { nodeFlags } from "../../src/cli/child-env.ts";
import { NODE_FLAGS } from "../../src/cli/install/plan.ts";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));

/** What Node.js tells of its compile cache. However the process ends: it has loaded its modules by then. */
function told(args: readonly string[]): Promise<string> {
  const env = { ...process.env, NODE_COMPILE_CACHE: undefined, NODE_DEBUG_NATIVE: "COMPILE_CACHE" }; // the first is that of the tests
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, timeout: 120_000 }, (_, stdout, stderr) => resolve(stdout + stderr));
  });
}

/** Asserts that every user may read what is below the folder. @returns how many files and folders there are. */
function readableByAll(folder: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  for (const name of names) {
    const { mode } = statSync(join(folder, name));
    assert.equal(mode & 0o044, 0o044, `${name}: the service may run as another user than the build`);
  }
  return names.length;
}

test("modules that a start compiles are readable by every user, as those of the build are", async () => {
  const root = mkdtempSync(join(tmpdir(), "drover-compiled-"));
  try {
    cpSync(DIST, join(root, "dist"), { recursive: true });
    cpSync(join(DIST, "../package.json"), join(root, "package.json"));
    symlinkSync(join(DIST, "../node_modules"), join(root, "node_modules"));
    const compiled = join(root, "dist/compiled");
    const built = readableByAll(compiled);
    for (const folder of readdirSync(compiled))
      for (const name of readdirSync(join(compiled, folder))) rmSync(join(compiled, folder, name));
    await told([...NODE_FLAGS, "--", join(root, "dist/cli/main.js"), "serve", "--workers", "none"]);
    const added = readableByAll(compiled);
    console.log(`compiled modules: ${built} by the build, ${added} by a start that finds none`);
    assert.ok(added > 1, "the start has added what it compiled");
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

test("the daemon and each of its own children find their module compiled", async () => {
  assert.ok(existsSync(join(DIST, "compiled")), "the build has rehearsed a start");
  readableByAll(join(DIST, "compiled"));
  const taken = (module: string): RegExp => new RegExp(String.raw`code cache for ESM file://\S*/dist/cli/${module}\.js was accepted`);
  assert.match(await told([...NODE_FLAGS, "--", join(DIST, "cli/main.js"), "serve", "--workers", "none"]), taken("serve-main"));
  for (const [role, module] of [
    ["worker", "service-child"],
    ["broker", "broker-child"],
    ["emulator", "emulator-child"],
  ] as const) {
    const flags = nodeFlags(role, { memory: bytes(2 ** 30), workers: 8, autopsy: true, ownCode: true });
    assert.match(await told([...flags, join(DIST, "cli/child.js"), role, "0", String(process.pid)]), taken(module));
  }
});

test("what is typed besides, and an application's worker, write nothing beside drover's modules", async () => {
  for (const args of [
    ["cli/main.js", "--version"],
    ["cli/main.js", "serve", "--help"],
    ["cli/worker-child.js", "worker", "0", String(process.pid)],
  ])
    // prettier-ignore
    assert.doesNotMatch(await told([join(DIST, args[0] as string), ...args.slice(1)]), /compile cache/);
});
