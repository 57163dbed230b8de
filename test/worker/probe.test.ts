import assert from "node:assert/strict";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import net from "node:net";
import test from "node:test";
import { http } from "../../src/base/http.ts";
import { ms } from "../../src/base/units.ts";
import { probe } from "../../src/worker/probe.ts";
import { startRig } from "./rig.ts";

const WITHIN = ms(2_000);
/** A server that listens nowhere: what it answers came by the probe. */
const asked = (listener: RequestListener, within = WITHIN) => probe(http.createServer(listener), "/probe?deep=1", within);

test("2xx and 3xx pass, everything else fails and is named", async () => {
  for (const [status, ok] of [
    [200, true],
    [204, true],
    [302, true],
    [404, false],
    [500, false],
  ] as const)
    assert.deepEqual(await asked((_, res) => res.writeHead(status).end()), {
      ok,
      message: `GET /probe?deep=1 was answered with ${status}`,
    });
});

test("the application sees a request like any other", async () => {
  const seen: unknown[] = [];
  await asked((req, res) => {
    const { method, url, headers, socket } = req;
    seen.push(method, url, headers["user-agent"], headers.host, socket.remoteAddress, socket.remotePort! > 0);
    res.end();
  });
  assert.deepEqual(seen, ["GET", "/probe?deep=1", "drover-probe", "127.0.0.1", "127.0.0.1", true]);
});

test("no answer, a hang-up and an answer that never ends: none is waited for longer than told", async () => {
  assert.deepEqual(await asked(() => {}, ms(100)), { ok: false, message: "GET /probe?deep=1 was not answered: nothing came within 0.1 s" });
  assert.match((await asked((req) => req.socket.destroy())).message, /was not answered: socket hang up/);
  assert.equal((await asked((_, res) => void res.writeHead(200).write(": a stream of events\n\n"))).ok, true);
});

test("a worker probes its own server, and its listening socket is not touched", async () => {
  const rig = startRig({ config: { probePath: "/healthz" }, builtIn: { default: plugin } });
  await rig.until("ready");
  const taken = net.connect(rig.port, "127.0.0.1"); // whoever else is being served
  await once(taken, "connect");
  rig.tell({ type: "probe", within: WITHIN });
  assert.deepEqual(await rig.until("probed"), { type: "probed", ok: true, message: "GET /healthz was answered with 200" });
  taken.destroy();
  rig.tell({ type: "drain", within: ms(500) });
  assert.equal(await rig.exited, 0);
});

test("without a path there is nothing to ask for, and that passes", async () => {
  const rig = startRig({ builtIn: { default: plugin } });
  await rig.until("ready");
  rig.tell({ type: "probe", within: WITHIN });
  assert.equal((await rig.until("probed")).ok, true);
  rig.tell({ type: "drain", within: ms(500) });
  await rig.exited;
});

async function plugin(fastify: { get(path: string, handler: () => string): void }): Promise<void> {
  fastify.get("/healthz", () => "fine");
}
