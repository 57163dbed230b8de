import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { alive, descendants, get, ONE, ROOT, start } from "./harness.ts";
import { folder, sent } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const PLAIN = join(ROOT, "test/process/apps/plain.mjs");

/** A daemon with so many requests in flight, which are answered once the test lets them go, and no limit on a graceful stop. */
async function holding(t: TestContext, requests: number) {
  const file = join(folder(t), "go");
  const env = { ...ONE, DROVER_GRACEFUL_TIMEOUT: "600s" };
  const daemon = await start(t, { args: [join(ROOT, "test/process/apps/until.mjs")], env });
  const all = Array.from({ length: requests }, () => get(`${daemon.url}/?until=${file}`));
  const first = Promise.race(all).then(
    () => "answered",
    () => "closed",
  );
  const held = Promise.all(all);
  held.catch(() => {}); // a test may cut them off
  await eventually(
    "they are in flight",
    async () => (await daemon.status()).places.reduce((n, p) => n + (p.child?.inFlight ?? 0), 0) === requests,
  );
  return { daemon, held, first, letGo: () => writeFileSync(file, "") };
}

test("one daemon whose workers are killed, reloaded and counted", async (t) => {
  const daemon = await start(t, { args: [PLAIN] });
  await t.test("a worker that is killed is replaced in its place, and the others go on serving", async () => {
    const victim = (await daemon.place("worker/0")).child?.pid ?? 0;
    process.kill(victim, "SIGKILL");
    for (let i = 0; i < 20; i += 1) assert.equal((await get(daemon.url)).status, 200);
    await eventually("worker 0 is back", async () => {
      const { child, state } = await daemon.place("worker/0");
      return state === "ready" && child?.pid !== victim;
    });
    await daemon.logged(/worker 0 \(pid \d+\).*SIGKILL/);
  });

  await t.test("HUP rolls a new generation with no failed request; TTIN and TTOU change the number", async () => {
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
        await sleep(10);
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

  await t.test("with no worker at all, clients wait in the backlog and are served", async () => {
    assert.equal((await daemon.control("scale", { to: 1 })).status, 200);
    await eventually("one is left", async () => (await daemon.status()).places.length === 1);
    const victim = (await daemon.place("worker/0")).child?.pid ?? 0;
    process.kill(victim, "SIGKILL");
    await eventually("it is dead", () => !alive(victim));
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(daemon.url)));
    assert.ok(answers.every((a) => a.status === 200 && Number(a.body) !== victim));
  });
});

test("TERM: what is in flight is answered, then exit 0 and no process is left", async (t) => {
  const { daemon, letGo, held } = await holding(t, 5);
  daemon.signal("SIGTERM");
  await daemon.logged(/SIGTERM: stop/);
  const children = descendants(daemon.pid);
  letGo();
  assert.ok((await held).every(({ status }) => status === 200));
  assert.deepEqual(await daemon.exited, { code: 0, signal: null });
  await eventually("every process of it has ended", () => children.every((pid) => !alive(pid)));
  assert.equal(existsSync(join(daemon.dir, "var/run/control.sock")), false);
  assert.equal(existsSync(join(daemon.dir, "var/drover.pid")), false);
});

test("INT stops without waiting for a request, exit 0 too; a second TERM cuts a graceful stop", async (t) => {
  const quick = await holding(t, 1);
  assert.deepEqual(await quick.daemon.stop("SIGINT"), { code: 0, signal: null });
  assert.equal(await quick.first, "closed");

  const { daemon, first } = await holding(t, 1);
  daemon.signal("SIGTERM");
  await daemon.logged(/SIGTERM: stop/);
  // Two requests within a second count as one: the first that comes later ends the daemon.
  await eventually("a further TERM ends it", () => !sent(daemon.pid, "SIGTERM") || daemon.process.exitCode !== null);
  assert.deepEqual(await daemon.exited, { code: 0, signal: null });
  assert.equal(await first, "closed");
});

test("an application that fails to load: exit 4 and its error; one that dies at boot: exit 3; no child is left", async (t) => {
  for (const [file, code, says] of [
    ["broken.mjs", 4, /broken\.mjs/],
    ["dies.mjs", 3, /worker/],
  ] as const) {
    const daemon = await start(t, { args: [join(ROOT, "test/process/apps", file)], noWait: true });
    assert.deepEqual(await daemon.exited, { code, signal: null }, daemon.stderr);
    await eventually("it says why", () => says.test(daemon.stderr));
    assert.deepEqual(descendants(daemon.pid), []);
  }
});

test("a busy port: exit 75, who holds it, the command for another port, nothing left", async (t) => {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  const daemon = await start(t, { args: [PLAIN], bind: `127.0.0.1:${port}`, noWait: true });
  assert.deepEqual(await daemon.exited, { code: 75, signal: null });
  const says = new RegExp(`127\\.0\\.0\\.1:${port} is taken by pid ${process.pid} .*--bind 127\\.0\\.0\\.1:\\d+`);
  await eventually("it says who holds the port", () => says.test(daemon.stderr));
});
