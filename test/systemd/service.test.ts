/**
 * The shipped unit on a real systemd, as an operator would run it: user, hardening, socket, demo data. The systemd is a private one
 * (sandbox.sh); where the machine can't run it, the test is skipped and says why. DROVER_SANDBOX_ROOT=/dir takes systemd from another
 * root file system, a debootstrap of a newer release say.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, describe, test } from "node:test";
import { needs } from "../needs.ts";

const here = import.meta.dirname;
const root = resolve(here, "..", "..");
const SANDBOX = join(here, "sandbox.sh");
const base = process.env["DROVER_SANDBOX_ROOT"] ?? "/";
/** What the sandbox exits with when the machine can't run it, as automake's tests do. */
const SKIPPED = 77;
const LIMIT_MS = 120_000;

/** Control groups of sandboxes. */
const groups = (): string[] =>
  spawnSync("find", ["/sys/fs/cgroup", "-maxdepth", "5", "-name", "drover-sandbox.*"], { encoding: "utf8" }).stdout.split("\n");
const before = groups();
const scratch = mkdtempSync(join(tmpdir(), "drover-service-"));
after(() => rmSync(scratch, { recursive: true }));
const env = { ...process.env, TMPDIR: scratch };
needs("systemd-analyze", "systemd"); // installs it where that is wanted; the trial says what is missing
const trial = spawnSync("bash", [SANDBOX, "--root", base, "true"], { encoding: "utf8", timeout: 60_000, env });
const cannot = trial.status === SKIPPED || trial.error !== undefined;
const skip = cannot && (trial.error?.message ?? trial.stderr.trim());

/** Shows this package at /opt/drover, with a dist of its own: the one of the checkout may be old, or in use. */
function installed(dist: string): string[] {
  const needed = readdirSync(root).filter((name) =>
    ["bin", "config", "docs", "node_modules", "package.json", "src", "systemd"].includes(name),
  );
  return [...needed.map((name) => `${join(root, name)}:/opt/drover/${name}`), `${dist}:/opt/drover/dist`, `${here}:/opt/test`].flatMap(
    (pair) => ["--bind", pair],
  );
}

describe("drover.service on a real systemd", { skip }, () => {
  const dist = mkdtempSync(join(tmpdir(), "drover-dist-"));
  after(() => rmSync(dist, { recursive: true }));
  const facts = new Map<string, string>();
  const fact = (name: string) => facts.get(name) ?? "(not reached)";

  test("it starts, answers, reloads, restarts, stops, and what it may not do it does not", { timeout: 2 * LIMIT_MS }, (t) => {
    const tsc = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", join(root, "src"), "--outDir", dist], {
      encoding: "utf8",
    });
    assert.ok(existsSync(join(dist, "cli", "main.js")), tsc.stdout);
    spawnSync("chmod", ["-R", "a+rX", dist]);
    const ran = spawnSync("bash", [SANDBOX, "--root", base, ...installed(dist), "/opt/test/inside.sh"], {
      encoding: "utf8",
      timeout: LIMIT_MS,
      env,
      killSignal: "SIGTERM",
    });
    for (const [, name = "", value = ""] of ran.stdout.matchAll(/^fact (\S+) ?(.*)$/gm)) facts.set(name, value);
    t.diagnostic(
      `ready after ${fact("start_ms")} ms, stopped after ${fact("stop_ms")} ms; restart under traffic: ${fact("traffic")} (answered, failed)`,
    );
    t.diagnostic(`STATUS: ${fact("status")}`);
    assert.equal(ran.status, 0, `${ran.stdout}\n${ran.stderr}`);
    const said = `${[...facts].map(([name, value]) => `${name}: ${value}`).join("\n")}\n${ran.stdout.replaceAll(/^fact .*\n/gm, "")}${ran.stderr}`;
    const is = (name: string, expected: string | RegExp) =>
      typeof expected === "string"
        ? assert.equal(fact(name), expected, `${name}\n${said}`)
        : assert.match(fact(name), expected, `${name}\n${said}`);

    is("env_file", "640 root:drover");
    is("enabled", "enabled enabled");
    is("start", "0 active active");
    is("user", "drover");
    is("notify", "main");
    is("status", /2\/2/);
    is("answer", /^\{.*"rows":\[\{/);
    is("reload", "0");
    is("reload_pid", "same");
    is("reload_answer", /^\{.*"rows":\[\{/);
    is("refused", "1 active {");
    is("restart", "0 active");
    is("traffic", /^[1-9]\d* 0$/);
    is("rotated", /^(drover 640|drover 600|no logrotate here)$/);
    is("stop", "0 inactive success");
    assert.ok(Number(fact("stop_ms")) < 10_000, `stop took ${fact("stop_ms")} ms`);
    is("left", "0 0");
    is("second", "0 active");
    is("killed", /^\{ 1$/);
    is("wrong", "exit-code 78 failed restarts=0");
    is("wrong_socket", "exit-code trigger-limit-hit");
    is("cured", "0 active");
    is("other_bind", "78 1");
  });

  test("nothing is left on this machine", () => {
    assert.deepEqual(readdirSync(scratch), [], "folders");
    assert.deepEqual(
      groups().filter((group) => !before.includes(group)),
      [],
      "control groups",
    );
  });
});
