/** The administration without a daemon: the master's API behind admin.sock, a worker's door in front of it, and a master by hand. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import http, { type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { pino } from "pino";
import { Access, type Configured } from "../../src/admin/access/access.ts";
import { AdminApi } from "../../src/admin/api.ts";
import { Edge } from "../../src/admin/edge/edge.ts";
import { forwarder } from "../../src/admin/edge/forward.ts";
import { History } from "../../src/admin/history.ts";
import { readPages } from "../../src/admin/pages.ts";
import type { AlertView } from "../../src/admin/alerts/view.ts";
import { adminServer } from "../../src/admin/server.ts";
import type { AdminSnapshot, Outcome } from "../../src/admin/source.ts";
import { Timeline } from "../../src/admin/timeline.ts";
import type { SetAsideView } from "../../src/base/aside.ts";
import type { AdminKeys } from "../../src/base/adminkeys.ts";
import type { Clock } from "../../src/base/clock.ts";
import type { Logger } from "../../src/base/log.ts";
import type { Health } from "../../src/base/protocol.ts";
import { minutes, ms, type Instant, type Ms, type Timestamp } from "../../src/base/units.ts";
import { Windows } from "../../src/base/window.ts";
import { statusWith } from "../cli/statuses.ts";

export const OPERATOR = "an-operators-token-of-the-settings";
export const VIEWER = "a-viewers-token-of-the-settings";

/** Wall and monotonic time, moved by hand. */
export class HandClock implements Clock {
  at = 1_800_000_000_000;
  /** How far the wall clock is ahead of its time. */
  ahead = ms(0);
  readonly now = (): Instant => this.at as Instant;
  readonly wall = (): Timestamp => (this.at + this.ahead) as Timestamp;
  pass(wait: Ms): void {
    this.at += wait;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  readonly json: Record<string, unknown>;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export class AdminWorld {
  readonly clock = new HandClock();
  readonly lines: Record<string, unknown>[] = [];
  readonly orders: string[] = [];
  health: Health = { status: "ok", generation: 1, workers: { ready: 2, target: 2 }, broker: "ready", upstream: "ok", demo: false };
  snapshot: AdminSnapshot = statusWith();
  /** Requests that have reached the master. */
  reached = 0;
  /** The master ends every connection. */
  silent = false;
  hosts = ["admin.example.org"];
  /** Writes that Google has refused. */
  aside: readonly SetAsideView[] = [];
  keys: AdminKeys;
  url = "";
  readonly access: Access;
  readonly api: AdminApi;
  readonly history = new History();
  readonly timeline = new Timeline();
  readonly log: Logger;
  /** The longest that a worker waits for news of keys. */
  patience = 3;
  /** Pushes of keys that workers have not heard of yet. */
  deaf = false;
  #heard = Promise.withResolvers<void>();
  /** Front connections are kept: a connection each costs more than its request. */
  readonly #agent = new http.Agent({ keepAlive: true });

  constructor(dir: string, configured: Configured) {
    const log: Logger = pino({ level: "trace", base: null }, { write: (line: string) => void this.lines.push(JSON.parse(line)) });
    this.access = new Access({ dataDir: dir, clock: this.clock, log, configured, changed: (keys) => this.push(keys) });
    this.keys = this.access.keys();
    const done = (order: string): Outcome => (this.orders.push(order), { ok: true, message: `${order} is done` });
    this.api = new AdminApi({
      master: {
        snapshot: () => this.snapshot,
        reload: () => ({ ...done("reload"), generation: 4 }) as Outcome,
        scale: (to) => done(`scale ${to}`),
        recycle: (slot) => done(`recycle ${slot ?? "all"}`),
        stack: async (slot) => done(`stack ${slot}`),
        maxSlots: async (max) => done(`maxSlots ${max}`),
        schedule: (verb) => done(`schedule ${verb}`),
        purge: async (table) => (table === "nowhere" ? { ok: false, message: "there is no such table" } : done(`purge ${table ?? "all"}`)),
        reap: async () => done("reap"),
        aside: async (most) => ({ count: this.aside.length, writes: this.aside.slice(0, most) }),
        deal: async (verb, ids) => {
          const known = this.aside.filter(({ id }) => ids === undefined || ids.includes(id));
          if (known.length === 0 && ids !== undefined) return { ok: false, message: `there is no write ${ids.join(", ")}`, unknown: ids };
          this.aside = this.aside.filter((each) => !known.includes(each));
          return done(`${verb} ${ids?.join() ?? "all"}`);
        },
        slotsWanted: () => 200,
        leastWorkers: () => 1,
        mostWorkers: () => 256,
      },
      access: this.access,
      history: this.history,
      timeline: this.timeline,
      monitoring: {
        ack: (name) => this.snapshot.alerts.some((alert) => alert.name === name),
        metrics: () => "# EOF\n",
      },
      clock: this.clock,
      log,
      health: () => this.health,
      hosts: () => this.hosts,
    });
    this.log = log;
  }

  push(keys: AdminKeys): void {
    if (this.deaf) return;
    this.keys = keys;
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
  }

  async listen(dir: string): Promise<readonly Server[]> {
    const master = adminServer(this.api);
    master.prependListener("request", (req: http.IncomingMessage) => {
      this.reached += 1;
      if (this.silent) req.socket.destroy();
    });
    const path = join(dir, "admin.sock");
    await new Promise<void>((resolve) => void master.listen(path, resolve));
    const edge = new Edge({
      pages: readPages(),
      clock: this.clock,
      log: this.log,
      hosts: () => this.hosts,
      here: true,
      keys: () => this.keys,
      keysChange: (within) =>
        Promise.race([this.#heard.promise, new Promise<void>((resolve) => setTimeout(resolve, Math.min(within, this.patience)))]),
      forward: forwarder(path),
    });
    const tries = new Windows();
    const strike = (client: string): Ms => {
      const wanted = { key: `admin:address:${client}`, most: 10, per: minutes(1), times: 1 };
      const { waits } = tries.level(wanted, this.clock.now());
      if (waits === 0) tries.add(wanted, this.clock.now());
      return ms(waits);
    };
    const front = http.createServer((req, res) => {
      const client = String(req.headers["x-test-client"] ?? "192.0.2.1");
      const secure = req.headers["x-forwarded-proto"] === "https";
      edge.answer(req, res, { client, requestId: "test", secure, health: this.health, strike: async () => strike(client) });
    });
    front.keepAliveTimeout = 0; // a machine that stands still for a while must not look like a server that hangs up
    await new Promise<void>((resolve) => void front.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
    return [front, master];
  }

  ask(target: string, { method = "GET", headers = {}, body }: Ask = {}): Promise<Answer> {
    const text = typeof body === "string" ? body : body === undefined ? undefined : JSON.stringify(body);
    const type = text === undefined || "content-type" in headers ? {} : { "content-type": "application/json" };
    return new Promise((resolve, reject) => {
      const req = http.request(`${this.url}${target}`, { method, agent: this.#agent, headers: { ...type, ...headers } }, (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("end", () => {
          const all = Buffer.concat(chunks).toString();
          const isJson = res.headers["content-type"]?.includes("json") === true && all !== "";
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body: all, json: isJson ? JSON.parse(all) : {} });
        });
      });
      req.on("error", reject);
      req.end(text);
    });
  }

  /** Logs a browser in. @returns what its requests carry. */
  async browser(token = OPERATOR): Promise<{ readonly cookie: string; readonly "x-drover-csrf": string }> {
    const { status, headers, json } = await this.ask("/api/admin/login", { method: "POST", body: { token } });
    assert.equal(status, 200);
    return { cookie: headers["set-cookie"]?.[0]?.split(";", 1)[0] ?? "", "x-drover-csrf": String(json["csrf"]) };
  }
}

export async function adminWorld(t: TestContext, configured: Configured = { operator: OPERATOR, viewer: VIEWER }): Promise<AdminWorld> {
  const dir = mkdtempSync(join(tmpdir(), "drover-admin-"));
  const world = new AdminWorld(dir, configured);
  const servers = await world.listen(dir);
  t.after(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    rmSync(dir, { recursive: true, force: true });
  });
  return world;
}

export const alert = (changes: Partial<AlertView> = {}): AlertView => ({
  name: "capacity",
  level: "warning",
  since: 0 as Timestamp,
  value: 82,
  peak: 82,
  threshold: 80,
  text: "82 of 100 slots are taken",
  acked: null,
  ...changes,
});

export const bearer = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });
