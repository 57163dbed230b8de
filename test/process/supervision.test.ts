import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { pause } from "../times.ts";
import { alive, descendants, get, portFree, ROOT, start, type Daemon } from "./harness.ts";
import { sent } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const PLAIN = join(ROOT, "test/process/apps/plain.mjs");
const app = (t: TestContext, env: NodeJS.ProcessEnv = {}, args: readonly string[] = []) => start(t, { args: [PLAIN, ...args], env });
const pidOf = async (daemon: Daemon, path = "/"): Promise<number> => Number((await get(daemon.url + path)).body);

test("a worker that is killed is replaced in its place, and the others go on serving", async (t) => {
  const daemon = await app(t);
  const victim = (await daemon.place("worker/0")).child?.pid ?? 0;
  process.kill(victim, "SIGKILL");
  for (let i = 0; i < 20; i += 1) assert.equal((await get(daemon.url)).status, 200);
  await eventually("worker 0 is back", async () => {
    const { child, state } = await daemon.place("worker/0");
    return state === "ready" && child?.pid !== victim;
  });
  await daemon.logged(/worker 0 \(pid \d+\).*SIGKILL/);
});

for (const path of ["/loop", "/micro"]) {
  test(`a worker that blocks its loop (${path}) is replaced after DROVER_TIMEOUT while others serve`, async (t) => {
    const daemon = await app(t, { DROVER_TIMEOUT: "2s" });
    const before = new Set((await daemon.status()).places.map((p) => p.child?.pid));
    const hung = get(daemon.url + path).then(
      () => "answered",
      () => "closed",
    );
    const line = await daemon.logged(/is stuck and is killed/);
    assert.match(String(line["msg"]), /: spinning at plain\.mjs:\d+ /);
    for (let i = 0; i < 10; i += 1) assert.equal((await get(daemon.url)).status, 200);
    assert.equal(await hung, "closed", "its client is told at once");
    await eventually("both workers are ready again", async () => {
      const { workers, places } = await daemon.status();
      return workers.ready === 2 && places.some((p) => !before.has(p.child?.pid));
    });
  });
}

test("a worker that is stopped (SIGSTOP) is replaced too", async (t) => {
  const daemon = await app(t, { DROVER_TIMEOUT: "2s" });
  const victim = (await daemon.place("worker/1")).child?.pid ?? 0;
  process.kill(victim, "SIGSTOP");
  await daemon.logged(/stopped/);
  await eventually("it is gone", () => !alive(victim));
});

test("the master's death takes every process with it, a looping and a stopped one included, and the port is free", async (t) => {
  const daemon = await app(t, { DROVER_WORKERS: "3" });
  const { url } = daemon;
  void get(`${url}/loop`).catch(() => {});
  const stopped = (await daemon.place("worker/2")).child?.pid ?? 0;
  process.kill(stopped, "SIGSTOP");
  const children = descendants(daemon.pid);
  assert.ok(children.length >= 3);
  daemon.signal("SIGKILL");
  await eventually("nobody is left", () => children.every((pid) => !alive(pid)));
  await portFree(url);
  const again = await start(t, { cwd: daemon.dir, args: [PLAIN], bind: new URL(url).host });
  assert.equal((await get(again.url)).status, 200, "the same port and folder serve again");
});

test("with no worker at all, clients wait in the backlog and are served", async (t) => {
  const daemon = await app(t, { DROVER_WORKERS: "1" });
  const victim = (await daemon.place("worker/0")).child?.pid ?? 0;
  process.kill(victim, "SIGKILL");
  await eventually("it is dead", () => !alive(victim));
  const answers = await Promise.all(Array.from({ length: 20 }, () => get(daemon.url)));
  assert.ok(answers.every((a) => a.status === 200 && Number(a.body) !== victim));
});

test("TERM: what is in flight is answered, then exit 0 and nobody is left", async (t) => {
  const daemon = await app(t);
  const slow = Promise.all(Array.from({ length: 5 }, () => get(`${daemon.url}/?ms=3000`)));
  await eventually(
    "they are in flight",
    async () => (await daemon.status()).places.reduce((n, p) => n + (p.child?.inFlight ?? 0), 0) === 5,
  );
  const end = await daemon.stop("SIGTERM");
  assert.deepEqual(end, { code: 0, signal: null });
  assert.ok((await slow).every((answer) => answer.status === 200));
  assert.equal(existsSync(join(daemon.dir, "var/run/control.sock")), false);
  assert.equal(existsSync(join(daemon.dir, "var/drover.pid")), false);
});

test("INT stops at once, exit 0 too; a TERM that takes too long is cut by a second one", async (t) => {
  const quick = await app(t);
  void get(`${quick.url}/?ms=60000`).catch(() => {});
  const started = performance.now();
  assert.deepEqual(await quick.stop("SIGINT"), { code: 0, signal: null });
  assert.ok(performance.now() - started < 10_000);

  const slow = await app(t);
  void get(`${slow.url}/?ms=60000`).catch(() => {});
  await eventually("it is in flight", async () => (await slow.status()).places.some((p) => (p.child?.inFlight ?? 0) > 0));
  slow.signal("SIGTERM");
  await slow.logged(/SIGTERM: stop/);
  await new Promise((resolve) => setTimeout(resolve, 1_100)); // two within a second are one Ctrl-C
  assert.deepEqual(await slow.stop("SIGTERM"), { code: 0, signal: null });
});

test("HUP rolls a new generation with no failed request; TTIN and TTOU change the number", async (t) => {
  const daemon = await app(t);
  const before = new Set((await daemon.status()).places.map((p) => p.child?.pid));
  let failed = 0;
  let served = 0;
  const going = { on: true };
  const client = async (): Promise<void> => {
    while (going.on) {
      await get(daemon.url).then(
        () => (served += 1),
        () => (failed += 1),
      );
      await pause(10);
    }
  };
  const clients = [client(), client(), client()];
  daemon.signal("SIGHUP");
  await eventually("the roll is done", async () => (await daemon.status()).lastRoll?.is === "done");
  going.on = false;
  await Promise.all(clients);
  const after = await daemon.status();
  assert.equal(after.generation, 2);
  assert.ok(after.places.every((p) => !before.has(p.child?.pid)));
  assert.equal(failed, 0, `${served} served`);
  daemon.signal("SIGTTIN");
  await eventually("three are ready", async () => (await daemon.status()).workers.ready === 3);
  daemon.signal("SIGTTOU");
  await eventually("two are left", async () => (await daemon.status()).places.length === 2); // two equal signals at once are one
  daemon.signal("SIGTTOU");
  await eventually("one is left", async () => (await daemon.status()).places.length === 1);
  daemon.signal("SIGTTOU");
  await daemon.logged(/SIGTTOU/);
  assert.equal((await daemon.status()).workers.target, 1, "never below one");
});

test("an application that fails to load: exit 4 and its error; one that dies at boot: exit 3; no child is left", async (t) => {
  for (const [file, code, says] of [
    ["broken.mjs", 4, /broken\.mjs/],
    ["dies.mjs", 3, /worker/],
  ] as const) {
    const daemon = await start(t, { args: [join(ROOT, "test/process/apps", file)], noWait: true });
    assert.deepEqual(await daemon.exited, { code, signal: null }, daemon.stderr);
    assert.match(daemon.stderr, says);
    assert.deepEqual(descendants(daemon.pid), []);
  }
});

test("15 kills of healthy workers in 10 s: the service answers all the while, and no place backs off for it", async (t) => {
  const daemon = await app(t, { DROVER_WORKERS: "3" });
  const going = { on: true };
  let [answeredAt, longest] = [performance.now(), 0];
  const client = async (): Promise<void> => {
    while (going.on) {
      const answer = await get(daemon.url).catch(() => undefined); // one that the killed worker held is lost
      const now = performance.now();
      if (answer === undefined) continue;
      longest = Math.max(longest, now - answeredAt);
      answeredAt = now;
      await pause(10);
    }
  };
  const clients = [client(), client()];
  const begun = performance.now();
  for (let i = 0; i < 15; i += 1) {
    const victim = await eventually("a worker is ready", async () => {
      const ready = (await daemon.status()).places.filter(({ state, child }) => state === "ready" && alive(child?.pid ?? 0));
      return ready[i % ready.length]?.child?.pid;
    });
    process.kill(victim, "SIGKILL");
    await eventually("the next kill is due", () => performance.now() - begun >= ((i + 1) * 10_000) / 15);
  }
  await eventually("all are ready again", async () => (await daemon.status()).workers.ready === 3);
  going.on = false;
  await Promise.all(clients);
  t.diagnostic(`15 kills in 10 s: the longest time without an answer was ${Math.round(longest)} ms`);
  assert.ok(longest < 5_000, `${longest} ms`);
  assert.equal(
    (await daemon.status()).places.reduce((sum, { crashes }) => sum + crashes, 0),
    0,
  );
});

test("a worker that keeps dying is restarted with growing pauses, not in a spin", async (t) => {
  const daemon = await app(t, { DROVER_WORKERS: "1" });
  const seen = new Set<number>();
  const end = performance.now() + 6_000;
  while (performance.now() < end) {
    const pid = (await daemon.place("worker/0")).child?.pid;
    if (pid !== undefined && !seen.has(pid)) {
      seen.add(pid);
      sent(pid, "SIGKILL");
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  console.log(`a worker killed as soon as it was seen: ${seen.size} starts in 6 s`);
  assert.ok(seen.size <= 12, `${seen.size} starts in 6 s`);
  await daemon.logged(/wait|back/i);
});

test("what a script prints becomes JSON lines with slot and stream", async (t) => {
  const daemon = await app(t);
  await get(`${daemon.url}/print`);
  const line = await daemon.logged(/^in two lines$/);
  assert.deepEqual([line["role"], line["stream"], typeof line["slot"]], ["worker", "stdout", "number"]);
  assert.equal((await daemon.logged(/^and an error$/))["stream"], "stderr");
});

test("a busy port: exit 75, who holds it, the command for another port, nothing left", async (t) => {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  const daemon = await start(t, { args: [PLAIN], bind: `127.0.0.1:${port}`, noWait: true });
  assert.deepEqual(await daemon.exited, { code: 75, signal: null });
  assert.match(daemon.stderr, new RegExp(`127\\.0\\.0\\.1:${port} is taken by pid ${process.pid} .*--bind 127\\.0\\.0\\.1:\\d+`));
});

test("a second daemon in the same folder is refused; the first goes on", async (t) => {
  const first = await app(t);
  const second = await start(t, { cwd: first.dir, args: [PLAIN], noWait: true });
  assert.deepEqual(await second.exited, { code: 75, signal: null });
  assert.match(second.stderr, new RegExp(`pid ${first.pid}`));
  assert.ok(await pidOf(first));
});
