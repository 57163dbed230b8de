/** `npm run test:flakes`: the whole suite again and again, on a machine with busy neighbours. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileResult } from "./queue.ts";

/** Takes a core until its parent ends. */
const BUSY = "const parent = process.ppid; while (process.ppid === parent);";

interface Run {
  readonly green: boolean;
  readonly seconds: number;
  /** Files whose first attempt failed. */
  readonly reds: readonly string[];
}

function runOnce(node: string, dir: string): Run {
  const file = join(dir, "results.json");
  rmSync(file, { force: true });
  const began = performance.now();
  const { status } = spawnSync(node, ["test/run.ts"], {
    env: { ...process.env, DROVER_TEST_RESULTS: file },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const results = JSON.parse(readFileSync(file, "utf8")) as FileResult[];
  const reds = results.filter(({ attempt, failures }) => attempt === 1 && failures.length > 0).map((result) => result.file);
  return { green: status === 0, seconds: Math.round((performance.now() - began) / 1_000), reds };
}

/** @returns whether every run was green. */
export function flakes(times: number): boolean {
  const node = process.execPath;
  const dir = mkdtempSync(join(tmpdir(), "drover-flakes-"));
  const neighbours = [0, 1].map(() => spawn(node, ["-e", BUSY], { stdio: "ignore" }));
  const runs: Run[] = [];
  try {
    for (let nr = 1; nr <= times; nr += 1) {
      const last = runOnce(node, dir);
      runs.push(last);
      console.log(
        `FLAKES run ${nr} of ${times}: ${last.green ? "green" : "RED"} in ${last.seconds} s, first attempts failed: ${last.reds.length}`,
      );
    }
  } finally {
    for (const child of neighbours) child.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  }
  const counts = new Map<string, number>();
  for (const { reds } of runs) for (const file of reds) counts.set(file, (counts.get(file) ?? 0) + 1);
  for (const [file, n] of [...counts].sort(([, a], [, b]) => b - a)) console.log(`FLAKES ${n} of ${times}  ${file}`);
  const green = runs.filter((r) => r.green).length;
  console.log(`FLAKES ${green} of ${times} green; ${runs.filter(({ reds }) => reds.length > 0).length} needed a second attempt`);
  return green === times;
}
