// Starts what was built once, in a folder of its own, and keeps what V8 compiled meanwhile: `node bin/rehearse.mjs DIST` (ADR 25).
// Without it everything works, and a start takes a tenth longer: whatever goes wrong here is told and ends nothing.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const PATIENCE = 20_000;
const dist = resolve(process.argv[2]);
const dir = mkdtempSync(join(tmpdir(), "drover-build-"));
mkdirSync(join(dist, "compiled"), { recursive: true });
const child = spawn(process.execPath, ["--max-semi-space-size=2", "--", join(dist, "cli/main.js"), "serve"], {
  cwd: dir,
  env: { PATH: process.env.PATH, DROVER_DEMO: "on", DROVER_WORKERS: "1", DROVER_BIND: "unix:build.sock" },
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
const [code] = await once(child, "exit");
clearTimeout(late);
rmSync(dir, { recursive: true, force: true });
if (!isReady || code !== 0) {
  const why = said.trim().split("\n").at(-1) ?? "";
  process.stderr.write(`drover: what was built can't be tried here (${why.slice(0, 300)}): starts compile it, and take a tenth longer\n`);
  rmSync(join(dist, "compiled"), { recursive: true, force: true });
}
