/** `drover load` as it is typed: what it would do, and what it refuses. Runs that send anything: load.full.ts. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { cleanEnv, DROVER, ROOT } from "./harness.ts";
import { load, serve } from "./load-helper.ts";
import { folder } from "../support/cleanup.ts";

test("3.4: a dry run shows the document's ramp, 45 minutes and 30,900 requests, and all three readings", async (t) => {
  const { url } = await serve(t, (_req, res) => res.end("ok"));
  const { code, out, err } = await load(folder(t), [url, "--profile", join(ROOT, "test/load/launch-profile.json"), "--dry-run"]);
  assert.equal(code, 0, err);
  assert.match(out, /; 45 minutes; seed 1\n/);
  assert.match(out, /ramp_up: 0→300 in 10 minutes, plateau: 300 for 30 minutes, ramp_down: 300→0 in 5 minutes/);
  assert.match(out, /would send about 30,900 requests, and up to 300 users at once/);
  assert.match(out, /0\.31 requests\/s, 6\.67 users at once\n[^]*91\.7 requests\/s[^]*13\.7 requests\/s \(taken here\)/);
});

test("a dry run says what would be done, and sends nothing", async (t) => {
  let asked = 0;
  const { url } = await serve(t, (_req, res) => void ((asked += 1), res.end("ok")));
  const cases: [string, RegExp][] = [
    ["--find-max --users 5", /would begin with 5 users at once and double until the thresholds break, up to [\d,]{5,}\n/],
    ["--find-max --rate 20", /would begin with 20 a second and double/],
    ["--users 5 --requests 2", /would send about 2 requests, and up to 2 users at once/],
  ];
  await load(folder(t), [url, "--dry-run"]);
  const looked = asked; // whether it answers, and what it is
  for (const [flags, says] of cases) {
    const { code, out } = await load(folder(t), [url, "--dry-run", ...flags.split(" ")]);
    assert.deepEqual([code, says.test(out)], [0, true], out);
  }
  assert.equal(asked, looked * (cases.length + 1));
  assert.match((await load(folder(t), [url, "--dry-run", "--json", ""])).err, /--json and --html need a file's name/);
});

test("what a command prints into a full disk is told as lost", async (t) => {
  const full = openSync("/dev/full", "w");
  t.after(() => closeSync(full));
  const child = spawn(DROVER, ["plan", "--users", "5"], { cwd: folder(t), stdio: ["ignore", full, "pipe"], env: cleanEnv() });
  let err = "";
  child.stderr?.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const code = await new Promise((resolve) => child.once("close", resolve));
  assert.deepEqual([code, err.startsWith("drover: not all could be printed: ENOSPC")], [75, true], err);
});

test("what makes no sense is refused before anybody is sent: 64, and 69 when nobody is there", async (t) => {
  const dir = folder(t);
  const { url } = await serve(t, (req, res) =>
    req.url === "/away" ? res.writeHead(302, { location: "/there" }).end() : res.writeHead(404).end(),
  );
  writeFileSync(join(dir, "bad.json"), '{"users": {"simultaneous": -1}}');
  const cases: [readonly string[], number, RegExp][] = [
    [[], 64, /whom\?/],
    [["http://192.0.2.1/"], 64, /not this machine.*--i-own-this-host/],
    [["http://127.0.0.1:1/"], 69, /can't be loaded: .*ECONNREFUSED/],
    [[`${url}/away`], 64, /answers 302 and sends to \/there/],
    [[`${url}/gone`], 64, /answers HTTP 404/],
    [[url, "--profile", "bad.json"], 64, /users\.simultaneous is -1/],
    [[url, "--threshold", "p(95)<0"], 64, /can never hold/],
    [[url, "--users", "5", "--rate", "9"], 64, /different runs/],
    [[url, "--json", "no/such/run.json"], 64, /can't be written/],
    [["ftp://127.0.0.1/"], 64, /expected http/],
  ];
  const ran = await Promise.all(cases.map(([args]) => load(dir, args)));
  for (const [i, [args, code, message]] of cases.entries()) {
    assert.deepEqual([ran[i]?.code, message.test(ran[i]?.err ?? "")], [code, true], `${args.join(" ")}: ${ran[i]?.err}`);
  }
  assert.equal(existsSync(join(dir, "no")), false);
});
