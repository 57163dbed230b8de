/** The package as npm makes it: installed for everybody on a machine whose own Node.js is older, and run in an empty folder. */
import assert from "node:assert/strict";
import { execFile, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { promisify } from "node:util";
import { cleanEnv, Daemon, descendants, get, ROOT } from "./harness.ts";
import { folder, sent } from "../support/cleanup.ts";

const run = promisify(execFile);
const { NODE_EXTRA_CA_CERTS } = process.env;
/** Where a company's own authority signs what npm fetches, npm has to know it; and one that reaches nothing says so in seconds, not minutes. */
const npmEnv = cleanEnv({ ...(NODE_EXTRA_CA_CERTS && { NODE_EXTRA_CA_CERTS }), npm_config_fetch_retries: "0" });
const npm = (cwd: string, ...args: string[]): Promise<{ stdout: string }> =>
  run("npm", [...args, "--loglevel=error"], { cwd, env: npmEnv, maxBuffer: 64 * 1_048_576 });

interface PackedFile {
  readonly path: string;
  readonly mode: number;
}

/** `npm pack` of a copy of this package, so that the checkout's build is left alone. */
async function packed(t: TestContext): Promise<{ file: string; files: readonly PackedFile[]; size: number }> {
  const dir = folder(t);
  const names = [
    "bin",
    "config",
    "docs",
    "examples",
    "src",
    "systemd",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    ".npmrc",
  ];
  for (const name of names) cpSync(join(ROOT, name), join(dir, name), { recursive: true, preserveTimestamps: true });
  symlinkSync(join(ROOT, "node_modules"), join(dir, "node_modules"));
  const { stdout } = await npm(dir, "pack", "--json");
  const [about] = JSON.parse(stdout.slice(stdout.indexOf("["))) as { filename: string; files: PackedFile[]; size: number }[];
  assert.ok(about);
  return { file: join(dir, about.filename), files: about.files, size: about.size };
}

test("npm pack, npm i -g, drover in an empty folder", async (t) => {
  const { file, files, size } = await packed(t);
  const paths = files.map(({ path }) => path);
  for (const wanted of [
    "bin/drover",
    "dist/cli/main.js",
    "dist/index.d.ts",
    "systemd/drover.service",
    "src/app/page/static/index.html",
    "sbom.cdx.json",
    "LICENSE",
    "README.md",
  ])
    assert.ok(paths.includes(wanted), wanted);
  assert.deepEqual(
    paths.filter((path) => /^(?:test|bench|node_modules|var)\/|(?:^|\/)\.(?:running|built|env$)|\.key|\.log$/.test(path)),
    [],
  );
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
    publishConfig: unknown;
  };
  assert.deepEqual(
    Object.keys(manifest.scripts).filter((name) => /^(?:(?:pre|post)?install|(?:pre|post)?prepare)$/.test(name)),
    [],
  );
  assert.deepEqual(manifest.publishConfig, { access: "public", provenance: true });

  const prefix = folder(t);
  const began = performance.now();
  try {
    await npm(prefix, "install", "--global", "--prefix", prefix, "--prefer-offline", file);
  } catch (e) {
    return t.skip(`npm could not install it (is the registry reachable?): ${String(e).slice(0, 300)}`);
  }
  const installed = performance.now() - began;
  const home = join(prefix, "lib/node_modules/drover");
  const bom = JSON.parse(readFileSync(join(home, "sbom.cdx.json"), "utf8")) as {
    components: { name: string; version: string; scope: string }[];
  };
  const there = readdirSync(join(home, "node_modules")).filter((name) => !name.startsWith(".") && !name.startsWith("@"));
  assert.deepEqual(
    there.filter((name) => !bom.components.some((part) => part.name === name)),
    [],
    "the SBOM names every package",
  );

  const cwd = folder(t);
  const drover = join(prefix, "bin/drover");
  const asked = performance.now();
  const child = spawn(drover, ["--bind", "127.0.0.1:0", "--workers", "2"], { cwd, stdio: ["ignore", "pipe", "pipe"], env: cleanEnv() });
  t.after(() => {
    for (const pid of [child.pid ?? 0, ...descendants(child.pid ?? 0)]) if (pid > 0) sent(pid, "SIGKILL");
  });
  const daemon = await new Daemon(child, cwd).ready();
  assert.equal((await get(`${daemon.url}/api/tables/players?limit=1`)).status, 200);
  const first = performance.now() - asked;
  const own = spawnSync("node", ["--version"], { encoding: "utf8", env: cleanEnv() }).stdout.trim();
  t.diagnostic(
    `${(size / 1_048_576).toFixed(1)} MiB packed, ${paths.length} files; npm i -g in ${(installed / 1_000).toFixed(1)} s; from drover to the first answer ${(first / 1_000).toFixed(1)} s, on a machine with Node.js ${own}`,
  );
  await daemon.stop();

  // Types, for who writes an application.
  const app = folder(t);
  mkdirSync(join(app, "node_modules"));
  symlinkSync(home, join(app, "node_modules/drover"));
  symlinkSync(join(home, "node_modules/@types"), join(app, "node_modules/@types"));
  writeFileSync(
    join(app, "app.ts"),
    `import { drover, type Slots } from "drover";
export const slots: Slots = drover.slots;
export const slot: number = drover.slot;
// @ts-expect-error a slot is no text
export const text: string = drover.slot;
`,
  );
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "--types", "node", "app.ts"];
  await run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), ...options], { cwd: app });
  assert.ok(statSync(join(home, "dist/index.d.ts")).isFile());
});
