import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const bin = (name: string): string => `node_modules/.bin/${name}`;

async function clean(name: string, args: string[]): Promise<void> {
  try {
    await run(bin(name), args, { maxBuffer: 16 * 1_048_576 });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    assert.fail(`${name} ${args.join(" ")}:\n${stdout}${stderr}`);
  }
}

test("it type-checks, tests and benches included", () => clean("tsc", ["--noEmit"]));
test("the linter finds nothing", () => clean("oxlint", ["--type-aware", "src", "test", "bench"]));
test("it is formatted", () => clean("oxfmt", ["--check", "src", "test", "bench", "bin"]));

test("scripts are sound shell", async () => {
  for (const script of ["bin/drover", "bin/start", "bin/test", "bin/bench"]) await run("sh", ["-n", script]);
  for (const script of [".ci/run", ".ci/programs"]) await run("bash", ["-n", script]);
});

test("what everyone may import is documented", () => {
  const undocumented: string[] = [];
  for (const folder of ["src/base", "src/settings", "src/worker"]) {
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".ts") && (folder !== "src/worker" || name === "app.ts"))) {
      const lines = readFileSync(`${folder}/${file}`, "utf8").split("\n");
      for (const [i, line] of lines.entries()) {
        if (/^export (async )?function |^export class /.test(line) && !/\*\/\s*$/.test(lines[i - 1] ?? ""))
          undocumented.push(`${folder}/${file}:${i + 1}`);
      }
    }
  }
  console.log(`undocumented exported functions and classes in base, settings and worker/app.ts: ${undocumented.length}`);
  assert.deepEqual(undocumented, []);
});

test("the lockfile names no host, and every package by its digest", () => {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    packages: Record<string, { integrity?: string; resolved?: string }>;
  };
  const loose = Object.entries(packages).filter(
    ([path, entry]) => path !== "" && (entry.integrity === undefined || entry.resolved !== undefined),
  );
  assert.deepEqual(loose, []);
});
