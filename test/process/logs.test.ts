/** Access lines, refusals and `drover logs` with real processes; rotation by hand and by the real logrotate. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { needs } from "../needs.ts";
import { cleanEnv, DROVER, get, ROOT, start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
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
  t.after(() => child.exitCode ?? child.kill("SIGKILL"));
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

const named = (nr: number): string => `mine-${String(nr).padStart(4, "0")}`;

async function ask(daemon: Daemon, from: number, n: number): Promise<void> {
  for (let nr = from; nr < from + n; nr += 10)
    await Promise.all(
      Array.from({ length: Math.min(10, from + n - nr) }, (_, i) =>
        get(`${daemon.url}/api/tables/players?secret=1`, { headers: { "X-Request-Id": named(nr + i) } }),
      ),
    );
}

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
  const daemon = await start(t, { env: { DROVER_WORKERS: "1", DROVER_ACCESS_LOG: "all" } });
  const log = join(daemon.dir, "var/log/drover.log");
  renameSync(log, `${log}.1`);
  mkdirSync(log);
  assert.equal((await daemon.control("reopen")).status, 409);
  const pidOf = async (): Promise<number | undefined> =>
    (await daemon.status()).places.find(({ role, child }) => role === "worker" && child?.state === "ready")?.child?.pid;
  const first = await pidOf();
  assert.ok(first);
  process.kill(first, "SIGKILL");
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
  const daemon = await start(t, { cwd: dir });
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

const skip = needs("logrotate", "logrotate");

/** The emitted file for this daemon: its log, its user, and a systemctl that knows its pid. */
function rotation(daemon: Daemon): { readonly config: string; readonly env: NodeJS.ProcessEnv } {
  const { dir, pid } = daemon;
  const id = (what: string): string => spawnSync("id", [what], { encoding: "utf8" }).stdout.trim();
  const text = readFileSync(join(ROOT, "config/logrotate.conf"), "utf8")
    .replaceAll("/var/log/@DIR@", join(dir, "var/log"))
    .replaceAll("@SERVICE@", "drover.service")
    .replaceAll("@WRITER@", "a test")
    .replace("su @USER@ @USER@", `su ${id("-un")} ${id("-gn")}`);
  assert.doesNotMatch(text, /@[A-Z]+@/);
  const bin = join(dir, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "systemctl"), `#!/bin/sh\necho ${pid}\n`);
  chmodSync(join(bin, "systemctl"), 0o755);
  const config = join(dir, "logrotate.conf");
  writeFileSync(config, text, { mode: 0o644 });
  return { config, env: { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}` } };
}

test(
  "logrotate itself, with the snippet that is emitted: no line is lost, the new file is written, the old one packed",
  { skip },
  async (t) => {
    const daemon = await start(t, { env: { DROVER_ACCESS_LOG: "all", DROVER_RATE_LIMIT: "off" } });
    const { dir } = daemon;
    const { config, env } = rotation(daemon);
    const rotate = (): void => {
      const { status, stderr } = spawnSync("logrotate", ["--force", "--state", join(dir, "state"), config], { env, encoding: "utf8" });
      assert.equal(status, 0, stderr);
      assert.equal(stderr, "");
    };
    for (let turn = 0; turn < 2; turn += 1) {
      const asking = ask(daemon, turn * 40, 40);
      rotate();
      await asking;
      await eventually("the new file is there", () => readdirSync(join(dir, "var/log")).includes("drover.log"));
      await ask(daemon, 100 + turn, 1);
      await eventually("it is written to", () => readFileSync(join(dir, "var/log/drover.log"), "utf8").includes(named(100 + turn)));
    }
    await daemon.stop();
    assert.deepEqual(
      readdirSync(join(dir, "var/log")).filter((name) => name.startsWith("drover.log")),
      ["drover.log", "drover.log.1", "drover.log.2.gz"],
    );
    const packed = spawnSync("gzip", ["-dc", join(dir, "var/log/drover.log.2.gz")], { encoding: "utf8" }).stdout;
    const plain = ["drover.log", "drover.log.1"].map((name) => readFileSync(join(dir, "var/log", name), "utf8")).join("");
    const ids = [...`${packed}${plain}`.matchAll(/"id":"(mine-\d+)"/g)].map(([, id = ""]) => id).toSorted();
    assert.deepEqual(ids, [...Array.from({ length: 80 }, (_, nr) => named(nr)), named(100), named(101)]);
  },
);

test("what a command has to say is out before it ends, however late it is read; a pager that stands still costs no memory", async (t) => {
  const dir = folder(t);
  const line = `${JSON.stringify({ level: "info", time: "2026-11-21T08:00:00.000Z", role: "master", msg: "x".repeat(900) })}\n`;
  const file = join(dir, "old.log");
  const lines = 100_000;
  writeFileSync(file, line.repeat(lines));
  const late = spawnSync(
    "bash",
    ["-c", `set -o pipefail; "$0" logs "$1" --no-follow --json --lines 2000 | (sleep 0.3; wc -c)`, DROVER, file],
    {
      env: cleanEnv(),
      encoding: "utf8",
    },
  );
  assert.deepEqual([late.status, Number(late.stdout)], [0, line.length * 2_000]);

  const pager = spawn(DROVER, ["logs", file, "--no-follow", "--json", "--since", "2026-11-21T07:00:00Z"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: cleanEnv(),
  });
  t.after(() => pager.kill("SIGKILL"));
  await new Promise((resolve) => pager.stdout.once("readable", resolve));
  const rss = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pager.pid}/status`, "utf8"))?.[1]) / 1_024;
  const cpu = (): number => Number(readFileSync(`/proc/${pager.pid}/stat`, "utf8").split(" ")[13]);
  let before = -1;
  await eventually("it waits for its reader", () => {
    const now = cpu();
    const rests = now === before;
    before = now;
    return rests;
  });
  assert.ok(rss() < 250, `${rss().toFixed(0)} MB for a log of ${(line.length * lines) / 1e6} MB`);
  pager.kill("SIGINT");
  assert.equal(await new Promise((resolve) => pager.once("exit", (code, signal) => resolve(code ?? signal))), 0);
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
