// Starts what was built once, in a folder of its own, and keeps what V8 compiled meanwhile: `node bin/rehearse.mjs DIST` (ADR 25).
// Without it everything works, and a start takes a tenth longer: whatever goes wrong here is told and ends nothing.
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const PATIENCE = 20_000;
const dist = resolve(process.argv[2]);
const compiled = join(dist, "compiled");

/** Starts the demo and stops it when it is ready. Each process writes what it has compiled as it ends. @throws Error when it is never ready. */
async function rehearse(dir) {
  const child = spawn(process.execPath, ["--max-semi-space-size=2", "--", join(dist, "cli/main.js"), "serve"], {
    cwd: dir,
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: compiled,
      NODE_COMPILE_CACHE_PORTABLE: "1",
      DROVER_DEMO: "on",
      DROVER_WORKERS: "1",
      DROVER_BIND: "unix:build.sock",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const late = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  let said = "";
  let isReady = false;
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      said += chunk;
      if (isReady || !said.includes("drover is ready")) return;
      isReady = true;
      child.kill("SIGINT");
    });
  const code = await new Promise((ended, failed) => child.once("exit", ended).once("error", failed)).finally(() => clearTimeout(late));
  if (!isReady || code !== 0) throw new Error((said.trim().split("\n").at(-1) ?? "").slice(0, 300));
}

/** Node.js writes for its own user alone; whoever may run what was built may read this too. */
function share(folder) {
  chmodSync(folder, 0o755);
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) share(path);
    else chmodSync(path, 0o644);
  }
}

let dir;
try {
  dir = mkdtempSync(join(tmpdir(), "drover-build-"));
  await rehearse(dir);
  share(compiled);
} catch (error) {
  process.stderr.write(`drover: what was built can't be tried here (${error.message}): starts compile it, and take a tenth longer\n`);
  rmSync(compiled, { recursive: true, force: true, maxRetries: 5 });
} finally {
  if (dir !== undefined) rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
}
