// alone
/** Scripts of drover emit, run as they are written: against a server, or with programs of the test in their PATH. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import test, { suite, type TestContext } from "node:test";
import { ARTEFACTS } from "../../src/tools/emit/artefacts.ts";
import { filesOf, installed } from "../tools/emit/emitted.ts";
import { needs } from "../support/needs.ts";
import { cleanEnv, DROVER, start } from "./harness.ts";
import { folder } from "../support/cleanup.ts";

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(command: string, args: readonly string[], more: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Ran> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: cleanEnv(), ...more });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out, err })));
}

/** Writes an artefact into a folder of its own, by the command. @returns the folder. */
async function emitted(t: TestContext, ...args: readonly string[]): Promise<string> {
  const dir = folder(t);
  const { code, err } = await run(DROVER, ["emit", ...args, "--output", dir], { cwd: dir });
  assert.equal(code, 0, err);
  return dir;
}

/** A PATH with the named programs of this machine alone. */
function pathOf(t: TestContext, ...programs: readonly string[]): string {
  const bin = join(folder(t), "bin");
  mkdirSync(bin);
  for (const name of programs) {
    const { stdout } = spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" });
    symlinkSync(stdout.trim(), join(bin, name));
  }
  return bin;
}

async function served(t: TestContext, handler: http.RequestListener): Promise<string> {
  const server = http.createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test("shellcheck finds nothing in any script", { skip: needs("shellcheck", "shellcheck") }, async (t) => {
  const dir = folder(t);
  const scripts = Object.keys(ARTEFACTS).flatMap((name) =>
    filesOf(name, {}, installed()).filter(({ text }) => text.startsWith("#!/bin/sh\n")),
  );
  assert.ok(scripts.length >= 2);
  for (const { path, text, mode } of scripts) {
    assert.equal(mode, 0o755, path);
    writeFileSync(join(dir, path), text);
  }
  const { code, out } = await run("shellcheck", ["--severity=style", ...scripts.map(({ path }) => join(dir, path))]);
  assert.deepEqual([code, out], [0, ""]);
});

const noAb = needs("ab", "apache2-utils");

// They mostly wait.
suite("scripts that measure", { concurrency: 3 }, () => {
  test("1.6: test_load.sh climbs from 5 to 200 users by drover load", { timeout: 120_000 }, async (t) => {
    const daemon = await start(t, { args: ["--workers", "1", "--emulator-latency", "none"] });
    const dir = await emitted(t, "test-load", "--bind", new URL(daemon.url).host);
    const calm = ["--hold", "1s", "--threshold", "http_req_duration: p(95)<9000", "--threshold", "target_cpu<100"];
    const { code, out, err } = await run("sh", [join(dir, "test_load.sh"), ...calm], { cwd: daemon.dir });
    assert.ok(code === 0 || code === 4, `${out}${err}`); // 4: the generator itself was short of CPU
    for (const label of ["baseline", "fluid", "medium", "half load", "goal", "margin"])
      assert.match(out, new RegExp(`^${label} +\\d+ `, "m"));
  });

  test("0.10: ab.sh runs ab three times and evaluates the 95th percentile", { skip: noAb, timeout: 120_000 }, async (t) => {
    const dir = await emitted(t, "ab");
    let asked = 0;
    const good = await served(t, (_req, res) => {
      asked += 1;
      res.end(asked % 2 === 0 ? "even" : "odd number"); // answers of different lengths are no failures
    });
    const { code, out, err } = await run("sh", [join(dir, "ab.sh"), good]);
    assert.ok(asked >= 16_000, `${asked} requests: ${out}${err}`);
    assert.equal(out.match(/^== ab -n (?:1000 -c 10|5000 -c 50|10000 -c 100) /gm)?.length, 3, out);
    assert.equal(out.match(/^=> (?:good|NOT GOOD): 0 failed, 95 % within \d+ ms$/gm)?.length, 3, out);
    assert.equal(code, out.includes("NOT GOOD") ? 1 : 0);
    const bad = await run("sh", [join(dir, "ab.sh"), await served(t, (_req, res) => res.writeHead(503).end())]);
    assert.deepEqual([bad.code, /NOT GOOD: 1000 failed/.test(bad.out)], [1, true], bad.out);
  });

  test("0.10: ab.sh and test_load.sh name what is missing", async (t) => {
    const dir = await emitted(t, "ab");
    const PATH = pathOf(t, "sh");
    const { code, err } = await run("sh", [join(dir, "ab.sh")], { env: { PATH } });
    assert.deepEqual([code, err], [2, "ab is not installed: apt install apache2-utils\n"]);
  });

  test("a URL with a query stands in the scripts as one word: what follows & is not run", async (t) => {
    const dir = await emitted(t, "test-load", "--url", "http://127.0.0.1:9/?a&touch%20here");
    const traced = await run("sh", ["-xc", `PATH=/nowhere; . ${join(dir, "test_load.sh")}`], { cwd: dir });
    assert.match(traced.err, /^\+ url=.*http:\/\/127\.0\.0\.1:9\/\?a&touch%20here'?$/m);
  });

  test("1.6: test_load.sh falls back to ab where drover is missing", { skip: noAb, timeout: 60_000 }, async (t) => {
    const url = await served(t, (_req, res) => res.end("ok"));
    const dir = await emitted(t, "test-load", "--url", url);
    const file = join(dir, "test_load.sh");
    const { stdout } = spawnSync("sed", ["s|^\\(.*drover=\\)/.*/bin/drover$|\\1/nowhere|", file], { encoding: "utf8" });
    writeFileSync(file, stdout);
    const env = { PATH: pathOf(t, "sh", "ab", "awk") };
    const { code, out, err } = await run("sh", [file, "--hold", "1s"], { env });
    assert.match(err, /drover is not installed here/);
    assert.equal(out.match(/ at a time .* 0 failed {2}(?:PASS|FAIL)$/gm)?.length, 6, out);
    assert.match(out, /^half load +50 at a time/m);
    assert.equal(code, out.includes("FAIL") ? 99 : 0);
  });
});
