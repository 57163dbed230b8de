/**
 * A newcomer's first minutes: clone, `npm start`, first row. Needs the npm registry, so it is not among the default benches.
 *
 *   npm run bench clone
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = new URL("../", import.meta.url).pathname;
const dir = mkdtempSync(join(tmpdir(), "drover-clone-"));
const began = performance.now();
const since = (): string => ((performance.now() - began) / 1_000).toFixed(1);
execFileSync("git", ["clone", "-q", ROOT, join(dir, "drover")]);
console.log(`cloned after ${since()} s`);
const child = spawn("npm", ["start", "--", "--bind", "127.0.0.1:0"], { cwd: join(dir, "drover"), stdio: ["ignore", "pipe", "inherit"] });
const url = await new Promise<string>((resolve, reject) => {
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    const found = /"addresses":\["(http[^"]+)"/.exec(text)?.[1];
    if (found !== undefined) resolve(found);
  });
  child.once("exit", (code) => reject(new Error(`npm start left with ${code}`)));
});
console.log(`ready after ${since()} s`);
const answer = await fetch(`${url}/api/tables/players?limit=1`);
console.log(`first row after ${since()} s: ${await answer.text()}`);
console.log(
  `size of the folder: ${
    execFileSync("du", ["-sm", join(dir, "drover")])
      .toString()
      .split("\t")[0]
  } MB, of it node_modules ${
    execFileSync("du", ["-sm", join(dir, "drover/node_modules")])
      .toString()
      .split("\t")[0]
  } MB`,
);
child.kill("SIGTERM");
await new Promise((resolve) => child.once("exit", resolve));
rmSync(dir, { recursive: true, force: true });
