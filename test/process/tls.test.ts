/** TLS without a proxy: a renewed certificate is served after a reload, without a failed request; a wrong one is refused and changes nothing. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import https from "node:https";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import tls from "node:tls";
import { needs } from "../support/needs.ts";
import { certificate } from "./certificate.ts";
import { cleanEnv, DROVER, ONE, ROOT, start } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually, slow } from "../support/wait.ts";
import { ask } from "./nginx.ts";

const skip = needs("openssl", "openssl");

/**
 * A session of one worker is offered to the other one, while the first is stopped and can't accept.
 * @returns the workers that answered, and whether the second one resumed the session.
 */
async function resumed(port: number, ca: readonly string[]): Promise<{ workers: readonly string[]; reused: boolean }> {
  const connect = (session?: Buffer): Promise<{ socket: tls.TLSSocket; worker: string }> =>
    new Promise((resolve, reject) => {
      const socket = tls.connect({ port, host: "127.0.0.1", ca: [...ca], session }, () =>
        socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
      );
      socket.once("error", reject).once("data", (data: Buffer) => {
        resolve({ socket, worker: /x-worker: (\d+)/.exec(String(data))?.[1] ?? "" });
      });
    });
  const first = await connect();
  const session = first.socket.getSession();
  process.kill(Number(first.worker), "SIGSTOP");
  const second = await connect(session);
  process.kill(Number(first.worker), "SIGCONT");
  const reused = second.socket.isSessionReused();
  for (const { socket } of [first, second]) socket.destroy();
  return { workers: [first.worker, second.worker], reused };
}

test("a certificate is renewed by a reload; a wrong one is refused, and the one before serves on", { skip }, async (t) => {
  const cwd = folder(t);
  const [first, second] = [certificate(cwd, "first"), certificate(cwd, "second")];
  const [cert, key] = [join(cwd, "tls.pem"), join(cwd, "tls.key")];
  const install = (from: string, to: string): void => copyFileSync(from, to);
  install(first.cert, cert);
  install(first.key, key);
  writeFileSync(
    join(cwd, "app.mjs"),
    `export default (req, res) => res.setHeader("x-worker", process.pid).end(String(req.socket.encrypted));`,
  );
  writeFileSync(join(cwd, ".env"), `DROVER_TLS_CERT=${cert}\nDROVER_TLS_KEY=${key}\nDROVER_PROBE_PATH=/\n`);
  const daemon = await start(t, { cwd, args: [join(cwd, "app.mjs")], env: { DROVER_TIMEOUT: slow(60) } });
  const { url } = daemon;
  assert.match(url, /^https:\/\/127\.0\.0\.1:\d+$/);
  const ca = [first.pem, second.pem];
  assert.equal(String((await ask(url, { ca })).body), "true");
  const served = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = tls.connect({ port: Number(new URL(url).port), host: "127.0.0.1", ca }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      socket.once("error", reject);
    });
  assert.equal(await served(), "first");
  const { workers, reused } = await resumed(Number(new URL(url).port), ca);
  assert.deepEqual([new Set(workers).size, reused], [2, true], "a session is resumed at any worker");
  await daemon.logged(/^tls: DNS:localhost, IP Address:127\.0\.0\.1; valid until \d{4}-\d\d-\d\d \(\d\d days\)$/);

  const state = { on: true, done: 0 };
  const failed: string[] = [];
  const one = async (nr: number): Promise<void> => {
    const agent = nr % 2 === 0 ? new https.Agent({ keepAlive: true, maxSockets: 1 }) : false;
    while (state.on) {
      await ask(url, { ca, agent }).then(
        () => (state.done += 1),
        (error: Error) => failed.push(error.message),
      );
      await sleep(20);
    }
    if (agent !== false) agent.destroy();
  };
  const running = Array.from({ length: 6 }, (_, nr) => one(nr));
  t.after(() => (state.on = false));
  const reloaded = async (): Promise<unknown> => JSON.parse((await daemon.control("reload")).body);

  install(second.cert, cert); // as if renewed, its key forgotten
  const refused = JSON.stringify(await reloaded());
  assert.match(
    refused,
    /DROVER_TLS_KEY .* is not the key of the certificate in DROVER_TLS_CERT .*was one of the two renewed without the other/,
  );
  await daemon.logged(/^reload refused, nothing has changed: DROVER_TLS_KEY/);
  assert.equal(await served(), "first");
  const check = spawnSync(DROVER, ["check"], { cwd, env: cleanEnv({ DROVER_APP: join(cwd, "app.mjs") }), encoding: "utf8" });
  assert.deepEqual([check.status, /DROVER_TLS_KEY .* is not the key of/.test(check.stderr)], [78, true], check.stderr);

  install(second.key, key);
  await reloaded();
  await eventually("the new certificate is served by all", async () => {
    const { lastRoll } = await daemon.status();
    return lastRoll?.is === "done" && (await served()) === "second";
  });
  const so = state.done;
  await eventually("and it goes on", () => state.done > so + 20);
  state.on = false;
  await Promise.all(running);
  console.log(`a renewed certificate under 6 clients: ${state.done} answers over TLS, ${failed.length} failed`);
  assert.deepEqual(failed, []);
  const good = spawnSync(DROVER, ["check"], { cwd, env: cleanEnv({ DROVER_APP: join(cwd, "app.mjs") }), encoding: "utf8" });
  assert.equal(good.status, 0);
  assert.match(good.stdout, /^tls: DNS:localhost, IP Address:127\.0\.0\.1; valid until .* \(\d+ days\)$/m);
});

test("who logs in over drover's own TLS gets a cookie that is Secure, and is in", { skip }, async (t) => {
  const cwd = folder(t);
  const { cert, key, pem: ca } = certificate(cwd, "own");
  const { url } = await start(t, { cwd, env: { ...ONE, DROVER_TLS_CERT: cert, DROVER_TLS_KEY: key } });
  const [, name = "", , , , secret = ""] =
    readFileSync(join(ROOT, "config/sample/players.csv"), "utf8").split(/\r?\n/)[1]?.split(",") ?? [];
  const headers = { "content-type": "application/json", origin: url };
  const answer = await ask(`${url}/api/login`, { ca, method: "POST", headers, body: JSON.stringify({ name, secret }) });
  const [given = ""] = answer.headers["set-cookie"] ?? [];
  assert.match(given, /^__Host-drover=[\w.-]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/, String(answer.body));
  const me = await ask(`${url}/api/me`, { ca, headers: { cookie: given.split(";")[0] } });
  assert.equal((JSON.parse(String(me.body)) as { name: unknown }).name, name);
});
