/**
 * A reload that can't go backwards: whatever the new generation does, the old one serves on, the same processes, no request
 * lost; the reason stands in the log and in `status`, `drover reload` exits 1, and the next good reload succeeds.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pause, soaked } from "../times.ts";
import { cleanEnv, descendants, DROVER, get, start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const WORKERS = 3;
const SETTLE = "300ms";

/** An application by what it does when it starts, and what it answers a probe with. */
const application = (atStart = "", probe = 200): string => `
  import http from "node:http";
  ${atStart}
  http.createServer((req, res) => {
    if (req.url === "/probe") res.statusCode = ${probe};
    res.end(String(process.pid));
  }).listen(3000);`;

interface Situation {
  readonly daemon: Daemon;
  write(file: string, text: string): void;
  /** The processes in the workers' seats. */
  pids(): Promise<number[]>;
}

async function begin(t: TestContext, env: NodeJS.ProcessEnv = {}): Promise<Situation> {
  const dir = folder(t);
  const write = (file: string, text: string): void => writeFileSync(join(dir, file), text);
  write("app.mjs", application());
  write(".env", "");
  const daemon = await start(t, {
    cwd: dir,
    args: [join(dir, "app.mjs")],
    env: { DROVER_WORKERS: String(WORKERS), DROVER_ROLL_SETTLE: SETTLE, ...env },
  });
  const pids = async (): Promise<number[]> =>
    (await daemon.status()).places.filter((p) => p.role === "worker").map((p) => p.child?.pid ?? 0);
  return { daemon, write, pids };
}

/** `drover reload`, as the operator runs it. */
function reload({ daemon }: Situation): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(DROVER, ["reload"], { cwd: daemon.dir, env: cleanEnv(), stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out, err })));
}

/** Clients that ask until they are told to stop, each request on a connection of its own. */
function clients(daemon: Daemon, count: number): () => Promise<{ served: number; failures: string[] }> {
  const asking = { on: true };
  let served = 0;
  const failures: string[] = [];
  const one = async (): Promise<void> => {
    while (asking.on) {
      await get(daemon.url).then(
        ({ status }) => void (status === 200 ? (served += 1) : failures.push(`status ${status}`)),
        (error: Error) => failures.push(error.message),
      );
      await pause(10);
    }
  };
  const all = Array.from({ length: count }, one);
  return async () => {
    asking.on = false;
    await Promise.all(all);
    return { served, failures };
  };
}

interface Case {
  readonly name: string;
  /** Makes what the reload stumbles over. */
  spoil(s: Situation): void;
  mend?(s: Situation): void;
  readonly why: RegExp;
  /** Requests that may fail: those a worker was answering when its own code ended it. */
  readonly lost?: number;
}

const ASKING = 2;
const asleep = "await new Promise(() => setInterval(() => {}, 1_000));";

const CASES: readonly Case[] = [
  { name: "a syntax error", spoil: (s) => s.write("app.mjs", "const = 1;"), why: /SyntaxError/ },
  { name: "an error thrown at boot", spoil: (s) => s.write("app.mjs", application('throw new Error("on purpose");')), why: /on purpose/ },
  {
    name: "never ready",
    spoil: (s) => (s.write(".env", "DROVER_BOOT_TIMEOUT=2s\n"), s.write("app.mjs", application(asleep))),
    why: /app\.mjs was not loaded within 2 s/,
    mend: (s) => (s.write(".env", ""), s.write("app.mjs", application())),
  },
  {
    name: "ready, and crashes before it has settled",
    spoil: (s) => s.write("app.mjs", application("setTimeout(() => process.exit(9), 150);")),
    why: /exited with code 9/,
    lost: ASKING,
  },
  {
    name: "a probe that is answered with 500",
    spoil: (s) => (s.write(".env", "DROVER_PROBE_PATH=/probe\n"), s.write("app.mjs", application("", 500))),
    why: /GET \/probe was answered with 500/,
    mend: (s) => s.write("app.mjs", application("", 204)),
  },
  { name: "a broken .env", spoil: (s) => s.write(".env", "this is no setting\n"), why: /\.env:1/, mend: (s) => s.write(".env", "") },
  {
    name: "an unknown setting",
    spoil: (s) => s.write(".env", "DROVER_TIMEUOT=3s\n"),
    why: /DROVER_TIMEUOT/,
    mend: (s) => s.write(".env", ""),
  },
];

test("a reload over every fault there is: the same processes serve on, nothing is lost, the reason is told, the next one works", async (t) => {
  const s = await begin(t);
  for (const { name, spoil, why, lost = 0, mend } of CASES)
    await t.test(name, async () => {
      const before = await s.pids();
      const lines = s.daemon.log().length;
      const asked = clients(s.daemon, ASKING);
      spoil(s);
      const failed = await reload(s);
      const { served, failures } = await asked();
      assert.equal(failed.code, 1, `${failed.out}${failed.err}`);
      assert.match(failed.err, why);
      assert.deepEqual(await s.pids(), before, "the old generation is untouched");
      assert.ok(failures.length <= lost && served > 0, `${served} served, lost: ${failures.join(", ")}`);
      const { lastRoll, refusedReload } = await s.daemon.status();
      assert.match(refusedReload ?? (lastRoll?.is === "rolledBack" ? lastRoll.why : ""), why);
      const said = s.daemon
        .log()
        .slice(lines)
        .filter((line) => line["alert"] === undefined && /rolled back|refused/.test(String(line["msg"]))); // an alert quotes it
      assert.equal(said.length, 1, JSON.stringify(said));
      assert.match(String(said[0]?.["msg"]), why);

      if (mend === undefined) s.write("app.mjs", application());
      else mend(s);
      const good = await reload(s);
      assert.deepEqual([good.code, good.err], [0, ""], good.out);
      assert.match(good.out, /generation \d+ serves/);
      const after = await s.pids();
      assert.ok(after.length === WORKERS && after.every((pid) => !before.includes(pid)));
      assert.equal((await s.daemon.status()).refusedReload, null);
    });
});

test("a worker that fails again and again when the canary has settled takes the whole roll back, new before old", async (t) => {
  const s = await begin(t);
  s.write("app.mjs", application('if (process.env.DROVER_WORKER === "1") throw new Error("not in place 1");')); // the worker's number
  const before = await s.pids();
  const asked = clients(s.daemon, ASKING);
  const { code, err, out } = await reload(s);
  const { failures } = await asked();
  assert.equal(code, 1, out);
  assert.match(err, /not in place 1/);
  assert.match(out, /1\/3 generation 2\n/);
  const { generation, lastRoll, places } = await s.daemon.status();
  assert.deepEqual([generation, lastRoll?.is], [1, "rolledBack"]);
  assert.deepEqual(
    places.map((p) => p.generation),
    [1, 1, 1],
  );
  const after = await s.pids();
  assert.deepEqual(after.slice(1), before.slice(1));
  assert.deepEqual(failures, []);
});

test("50 HUPs at once are at most two rolls", async (t) => {
  const { daemon } = await begin(t);
  const asked = clients(daemon, ASKING);
  for (let i = 0; i < 50; i += 1) {
    daemon.signal("SIGHUP");
    await sleep(2);
  }
  await eventually("the rolls are over", async () => {
    const { roll, lastRoll } = await daemon.status();
    return roll === null && lastRoll?.is === "done";
  });
  const { generation } = await daemon.status();
  console.log(`50 HUPs: generation ${generation}`);
  assert.ok(generation <= 3, `generation ${generation}`);
  assert.deepEqual((await asked()).failures, []);
});

test("TERM at any moment of a roll wins: exit 0, and nobody is left", async (t) => {
  const once = async (): Promise<void> => {
    const { daemon } = await begin(t, { DROVER_WORKERS: "2", DROVER_ROLL_SETTLE: "100ms" });
    daemon.signal("SIGHUP");
    await sleep(Math.random() * 1_500);
    const children = descendants(daemon.pid);
    assert.deepEqual(await daemon.stop("SIGTERM"), { code: 0, signal: null });
    assert.ok(children.length >= 2);
  };
  for (let i = 0; i < soaked(3, 10); i += 1) await Promise.all([once(), once()]);
});
