/** Bodies that trickle in from one address, or flood in over its limits, cost that address its requests, and no other client anything. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { http } from "../../src/base/http.ts";
import { ONE, ROOT, start, type Daemon } from "./harness.ts";
import { memory } from "./hostile-helper.ts";
import { eventually } from "../support/wait.ts";

const [, name = "", , , , secret = ""] = (readFileSync(join(ROOT, "config/sample/players.csv"), "utf8").split("\n")[1] ?? "").split(",");

/** Keeps `wanted` connections open that send a head and then a byte a second; a closed one is replaced. */
class Trickle {
  readonly #sockets = new Set<Socket>();
  readonly #timer: NodeJS.Timeout;
  /** Answers by status. */
  readonly statuses = new Map<string, number>();

  constructor(port: number, path: string, wanted: number, length = 4_000) {
    const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n{`;
    const open = (): void => {
      const socket = connect(port, "127.0.0.1", () => socket.write(head));
      this.#sockets.add(socket);
      socket.on("data", (data) => {
        const status = /^HTTP\/1\.1 (\d+)/.exec(data.toString("latin1"))?.[1];
        if (status !== undefined) this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
      });
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
    };
    for (let nr = 0; nr < wanted; nr += 1) open();
    this.#timer = setInterval(() => {
      for (const socket of this.#sockets) socket.write(" ");
      for (let nr = this.#sockets.size; nr < wanted; nr += 1) open();
    }, 1_000);
  }

  end(): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** A request of another client of this machine. */
function ask(daemon: Daemon, method: string, path: string, body?: unknown): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { method, agent: false, localAddress: "127.0.0.2", timeout: 15_000, headers: { "Content-Type": "application/json" } };
    const req = http.request(daemon.url + path, options, (res) => {
      res.resume().on("end", () => resolve(res.statusCode ?? 0));
    });
    req.on("timeout", () => req.destroy(new Error(`no answer to ${method} ${path}`)));
    req.on("error", reject);
    req.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

test("slow bodies from one address leave reads, writes, logins, health and administration to the others", async (t) => {
  const daemon = await start(t, { env: { ...ONE, DROVER_WORKER_CONNECTIONS: "400" } });
  const port = Number(new URL(daemon.url).port);
  assert.equal(await ask(daemon, "GET", "/api/tables/players"), 200);
  const slow = [
    new Trickle(port, "/api/login", 260),
    new Trickle(port, "/api/admin/login", 40),
    new Trickle(port, "/api/admin/login", 40, 20_000),
  ];
  t.after(() => slow.forEach((trickle) => trickle.end()));
  await eventually("they have come", async () => {
    const { counters } = await daemon.status();
    return counters.accepted > 300;
  });
  for (let round = 0; round < 3; round += 1) {
    assert.equal(await ask(daemon, "GET", "/api/tables/players"), 200, "a cached read");
    assert.equal(await ask(daemon, "GET", `/api/tables/players?limit=${round + 1}`), 200, "a read that needs work");
    assert.equal(await ask(daemon, "POST", "/api/tables/actions", { player: "p001", kind: "note", note: String(round) }), 201, "a write");
    assert.equal(await ask(daemon, "POST", "/api/login", { name, secret }), 200, "a login");
    for (const path of ["/healthz", "/api/admin/health"]) assert.equal(await ask(daemon, "GET", path), 200, path);
    assert.equal(await ask(daemon, "POST", "/api/admin/login", { token: "wrong" }), 401, "the operator's login is looked at");
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  await eventually("the slow ones hear that they are too slow, or too many", () => slow.every(({ statuses }) => statuses.size > 0));
  t.diagnostic(JSON.stringify(slow.map(({ statuses }) => [...statuses])));
  assert.ok(slow.every(({ statuses }) => [...statuses.keys()].every((status) => ["408", "413", "429"].includes(status))));
  for (const trickle of slow) trickle.end(); // a drain would wait for them
  assert.equal((await daemon.stop()).code, 0);
});

/** Bytes that a process has read: of files and sockets. */
const bytesRead = (pid: number): number => Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]);

/** Sends a write of 999,000 bytes. @returns the status, once the worker has closed the connection. */
function flood(port: number, body: string): Promise<string> {
  return new Promise((resolve) => {
    const head = `POST /api/tables/actions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const socket = connect(port, "127.0.0.1", () => socket.write(head + body));
    let answer = "";
    socket.on("data", (data) => {
      answer += data.toString("latin1");
      if (!/^Connection: close\r$/im.test(answer)) socket.end();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? "none"));
  });
}

test("a flood of large writes over the limit is refused unread, and others are answered meanwhile", async (t) => {
  const daemon = await start(t, { env: ONE });
  const port = Number(new URL(daemon.url).port);
  const pid = (await daemon.place("worker/0")).child?.pid ?? 0;
  assert.equal(await ask(daemon, "GET", "/healthz"), 200);
  const [read, rss] = [bytesRead(pid), memory(pid)];
  const body = `{"note":"${" ".repeat(998_989)}"}`;
  const statuses: string[] = [];
  for (let wave = 0; wave < 10; wave += 1) {
    const sent = Promise.all(Array.from({ length: 50 }, () => flood(port, body)));
    assert.equal(await ask(daemon, "GET", "/healthz"), 200);
    assert.equal(await ask(daemon, "POST", "/api/login", { name, secret }), 200, "a login");
    statuses.push(...(await sent));
  }
  t.diagnostic(
    `read ${Math.round((bytesRead(pid) - read) / statuses.length)} bytes a request; memory ${rss.toFixed(0)} → ${memory(pid).toFixed(0)} MiB`,
  );
  assert.ok(statuses.filter((status) => status === "429").length >= statuses.length - 2, JSON.stringify(statuses));
  assert.ok(bytesRead(pid) - read < statuses.length * 200_000, `${bytesRead(pid) - read} bytes were read`);
  assert.equal((await daemon.stop()).code, 0);
});
