/** Access lines, refusals and `drover logs` with real processes; rotation by hand. By the real logrotate: logs.full.ts. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { cleanEnv, DROVER, get, ONE, start } from "./harness.ts";
import { ask, named } from "./logs-helper.ts";
import { atEnd, folder, sent } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `drover …` in a folder, to its end. */
function run(cwd: string, args: readonly string[], { env = {}, input = "" }: { env?: NodeJS.ProcessEnv; input?: string } = {}): Ended {
  const command = `exec "$0" "$@"${input === "" ? " </dev/null" : ` <'${input}'`}`;
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command, DROVER, ...args], { cwd, env: cleanEnv(env), encoding: "utf8" });
  return { code: status, stdout, stderr };
}

interface Followed {
  readonly process: ChildProcess;
  text(): string;
}

function following(t: TestContext, cwd: string, args: readonly string[]): Followed {
  let text = "";
  const child = spawn(DROVER, ["logs", ...args], { cwd, stdio: ["ignore", "pipe", "inherit"], env: cleanEnv() });
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const exited = new Promise<unknown>((resolve) => child.once("exit", resolve));
  atEnd(t, async () => {
    child.kill("SIGKILL");
    await exited;
  });
  return { process: child, text: () => text };
}

function post(url: string, body: string): Promise<{ readonly status: number; readonly headers: http.IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const req = http.request(url, { method: "POST", agent: false, headers: { "content-type": "application/json" } }, (res) => {
      res.resume().once("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers }));
    });
    req.once("error", reject).end(body);
  });
}

const entries = (dir: string): Record<string, unknown>[] =>
  readdirSync(join(dir, "var/log"))
    .filter((name) => name.startsWith("drover.log"))
    .flatMap((name) => readFileSync(join(dir, "var/log", name), "utf8").split("\n"))
    .filter(Boolean)
    .map((text) => JSON.parse(text) as Record<string, unknown>);

const idsOf = (dir: string): string[] =>
  entries(dir)
    .filter(({ msg }) => msg === "request")
    .map(({ id }) => String(id))
    .toSorted();

test("every request has its line, through rotations and to the end of a drain; drover logs follows all of them", async (t) => {
  const daemon = await start(t, { env: { DROVER_ACCESS_LOG: "all", DROVER_RATE_LIMIT: "off" } });
  const { dir } = daemon;
  await ask(daemon, 0, 60);
  const seen = following(t, dir, ["--json", "--lines", "1000"]);
  await eventually("what was there is shown", () => seen.text().includes(named(59)));
  for (let turn = 1; turn <= 3; turn += 1) {
    const asking = ask(daemon, turn * 60, 60);
    renameSync(join(dir, "var/log/drover.log"), join(dir, `var/log/drover.log.${turn}`));
    assert.equal((await daemon.control("reopen")).status, 200);
    await asking;
    // It looks for a new file every 200 ms: one that came and went in between it would never have seen.
    await eventually("the last one is shown", () => seen.text().includes(named(turn * 60 + 59)));
  }
  const last = ask(daemon, 240, 40).catch(() => {}); // some of them may come too late
  await get(`${daemon.url}/healthz`);
  await daemon.stop();
  await last;
  const ids = idsOf(dir).filter((id) => id.startsWith("mine-"));
  const shown = (): string[] => [...seen.text().matchAll(/"id":"(mine-\d+)"/g)].map(([, id = ""]) => id).toSorted();
  const expected = Array.from({ length: 240 }, (_, nr) => named(nr));
  assert.deepEqual(ids.slice(0, 240), expected, "each once");
  await eventually("it has caught up", () => shown().length >= ids.length);
  assert.deepEqual(shown().slice(0, 240), expected, "and shown once");
  assert.doesNotMatch(JSON.stringify(entries(dir)), /secret=1/);
  seen.process.kill("SIGINT");
  const code = await new Promise((resolve) => seen.process.once("exit", resolve));
  assert.equal(code, 0);
});

test("a worker that starts while the log can't be opened serves without one, and logs again once it can", async (t) => {
  const daemon = await start(t, { env: { ...ONE, DROVER_ACCESS_LOG: "all" } });
  const log = join(daemon.dir, "var/log/drover.log");
  renameSync(log, `${log}.1`);
  mkdirSync(log);
  assert.equal((await daemon.control("reopen")).status, 409);
  const pidOf = async (): Promise<number | undefined> =>
    (await daemon.status()).places.find(({ role, child }) => role === "worker" && child?.state === "ready")?.child?.pid;
  const first = await pidOf();
  assert.ok(first);
  assert.ok(sent(first, "SIGKILL"));
  await eventually("another worker serves", async () => {
    const pid = await pidOf();
    return pid !== undefined && pid !== first && pid;
  });
  assert.equal((await get(`${daemon.url}/api/tables/players?limit=1`)).status, 200);
  rmdirSync(log);
  assert.equal((await daemon.control("reopen")).status, 200);
  assert.equal((await get(`${daemon.url}/api/tables/players?limit=1`, { headers: { "X-Request-Id": "once-it-can" } })).status, 200);
  await eventually("the worker's line is in the file", () => readFileSync(log, "utf8").includes("once-it-can"));
  assert.equal((await daemon.stop()).code, 0);
});

test("nobody asked for access lines: a refused request is found by its id all the same, and a reload turns them on", async (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, ".env"), "DROVER_RATE_LIMIT=1/h\n");
  const daemon = await start(t, { cwd: dir, env: ONE });
  const refused = await eventually("it is refused", async () => {
    const answer = await post(`${daemon.url}/api/tables/actions`, '{"id":"x"}');
    return answer.status === 429 && answer;
  });
  const id = String(refused.headers["x-request-id"]);
  const found = await eventually("the log has it", () => entries(dir).find((entry) => entry["id"] === id));
  assert.deepEqual([found["level"], found["status"], found["reason"], found["path"]], ["warn", 429, "rate", "/api/tables/actions"]);
  const shown = run(dir, ["logs", "--no-follow", "--request", id]);
  assert.match(
    shown.stdout,
    new RegExp(`^\\S+ WARN  worker \\d+  POST /api/tables/actions 429 [\\d.]+ ms \\d+ B rate  client=127.0.0.1 id=${id}\n$`),
  );
  writeFileSync(join(dir, ".env"), "DROVER_RATE_LIMIT=1/h\nDROVER_ACCESS_LOG=all\n");
  assert.equal(run(dir, ["reload"]).code, 0);
  await get(`${daemon.url}/api/tables/players`, { headers: { "X-Request-Id": "seen-now" } });
  await eventually("it has a line", () => idsOf(dir).includes("seen-now"));
  await daemon.stop();
});

test("what is piped in is read, broken lines stand as they are; where the log is no file it is said where it is", (t) => {
  const dir = folder(t);
  const good = '{"level":"warn","time":"2026-11-21T08:00:00.000Z","role":"master","msg":"look"}';
  const piped = join(dir, "piped");
  writeFileSync(piped, `${good}\n{"level":"in\u001b[2J\n\n${good.replace("warn", "info")}\n`);
  const pretty = "2026-11-21T08:00:00.000Z WARN  master    look\n";
  assert.deepEqual(run(dir, ["logs", "--level", "warn"], { input: piped }), { code: 0, stdout: `${pretty}{"level":"in\n\n`, stderr: "" });
  assert.equal(run(dir, ["logs", "-", "--json", "--level", "warn"], { input: piped }).stdout, `${good}\n{"level":"in\u001b[2J\n\n`);
  assert.equal(run(dir, ["logs", piped, "--no-follow", "--lines", "1"]).stdout, pretty.replace("WARN", "INFO"));
  const nowhere = run(dir, ["logs"], { env: { DROVER_LOG_FILE: "-" } });
  assert.equal(nowhere.code, 64);
  assert.match(
    nowhere.stderr,
    /^drover: the log goes to standard output, not to a file: .*(?:journalctl -u drover -o cat|docker logs -f CONTAINER).*\| drover logs\n$/,
  );
  const missing = run(dir, ["logs", "--no-follow"]);
  assert.deepEqual([missing.code, missing.stdout], [64, ""]);
  assert.match(missing.stderr, /^drover: the log \S+drover\.log can't be read: it is not there/);
  for (const wrong of [
    ["logs", "--level", "loud"],
    ["logs", "a", "b"],
    ["logs", "--levle", "warn"],
    ["logs", "--since", "soon"],
  ])
    assert.equal(run(dir, wrong).code, 64, wrong.join(" "));
});

test("no line ends drover logs, and no prefix of a line is obeyed", (t) => {
  const dir = folder(t);
  const deep = `{"level":"info","time":"2026-11-21T08:00:00.000Z","msg":"deep","x":${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
  const odd = '{"level":{"toString":0},"time":{"toString":0},"msg":"request","status":200,"path":{"toString":0}}';
  const file = join(dir, "odd.log");
  writeFileSync(file, `${odd}\n${deep}\nlogin failed for \u001b]0;owned\u0007 {"a":1}\n{"level":"info","msg":"the end"}\n`);
  const shown = run(dir, ["logs", file, "--no-follow", "--since", "2026-11-21T07:00:00Z"]);
  assert.deepEqual([shown.code, shown.stderr], [0, ""]);
  assert.match(shown.stdout, /the end\n$/);
  assert.ok(!shown.stdout.includes("\u001b"));
});
