/** A service of slots and logins, as far as a drill can see: its address and its control socket, and nothing behind them. */
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { createServer, type ServerOptions } from "node:https";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { slotsState } from "../../../src/base/slots.ts";
import type { Drill } from "../../../src/cli/drill/drill.ts";
import { Reporter } from "../../../src/cli/drill/report.ts";
import { Service } from "../../../src/cli/drill/service.ts";
import { Undo } from "../../../src/cli/drill/undo.ts";
import type { Person } from "../../../src/load/traffic.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { resolved } from "../../settings/given.ts";
import { statusWith } from "../statuses.ts";

type Answer = (req: IncomingMessage, res: ServerResponse) => Promise<void> | void;

async function listening(t: TestContext, at: number | string, answer: Answer, tls?: ServerOptions): Promise<http.Server> {
  const listener = (req: IncomingMessage, res: ServerResponse): void => void answer(req, res);
  const server = tls === undefined ? http.createServer(listener) : createServer(tls, listener);
  if (typeof at === "string") server.listen(at);
  else server.listen(at, "127.0.0.1");
  await once(server, "listening");
  t.after(() => (server.closeAllConnections(), server.close()));
  return server;
}

const json = (res: ServerResponse, body: unknown): void => void res.end(JSON.stringify(body));

/** A place where a request stops until the test lets it go. */
export class Barrier {
  readonly reached = Promise.withResolvers<void>();
  readonly #open = Promise.withResolvers<void>();
  open(): void {
    this.#open.resolve();
  }
  async pass(): Promise<void> {
    this.reached.resolve();
    await this.#open.promise;
  }
}

export class World {
  max = 500;
  readonly sessions = new Set<string>();
  /** Every logout, and whose. */
  readonly left: string[] = [];
  /** Sessions whose logout fails, so many times. */
  readonly stubborn = new Map<string, number>();
  /** By path and how many requests for it there have been: that one stops for a while. */
  readonly barriers = new Map<string, Barrier>();
  readonly interrupted = new AbortController();
  readonly lines: string[] = [];
  readonly undo = new Undo();
  readonly report = new Reporter((line) => this.lines.push(line.trim()));
  /** Requests by path. */
  readonly asked = new Map<string, number>();
  #service: Service | undefined;
  #settings = resolved().settings;
  url = "";

  /** @param tls it speaks TLS. */
  static async begin(t: TestContext, tls?: ServerOptions): Promise<World> {
    const world = new World();
    const folder = temporaryFolder("drill");
    const server = await listening(t, 0, (req, res) => world.#answer(req, res), tls);
    world.url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await listening(t, join(folder, "control.sock"), (req, res) => world.#control(req, res));
    world.#settings = resolved({ env: { DROVER_RUN_DIR: folder } }).settings;
    world.#service = new Service(world.#settings, world.#status(), world.interrupted.signal);
    t.after(() => {
      for (const barrier of world.barriers.values()) barrier.open();
    });
    return world;
  }

  get service(): Service {
    if (this.#service === undefined) throw new Error("not begun");
    return this.#service;
  }

  /** Runs a drill that needs no load, and puts back what it has changed. @returns what ended it. */
  async run(drill: Drill, people: readonly Person[]): Promise<unknown> {
    const { service, report, undo } = this;
    const load = (): never => {
      throw new Error("no load here");
    };
    const why = await drill.run({ service, report, undo, people, load }).then(
      () => undefined,
      (error: unknown) => error,
    );
    service.isPatient = true;
    await undo.all(report);
    return why;
  }

  interrupt(): void {
    this.interrupted.abort(new Error("Ctrl-C"));
  }

  #status(): ReturnType<typeof statusWith> {
    return statusWith({ demo: true, urls: [this.url], slots: slotsState(this.sessions.size, this.max) });
  }

  async #control(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (req.url === "/status") return json(res, this.#status());
    if (req.url === "/api/admin/capacity") return json(res, { capacity: { current: this.sessions.size, max: this.max, status: "" } });
    let text = "";
    for await (const chunk of req) text += String(chunk);
    if (req.url === "/api/admin/limits") this.max = (JSON.parse(text) as { max_slots: number }).max_slots;
    json(res, {});
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { url = "" } = req;
    const nth = (this.asked.get(url) ?? 0) + 1;
    this.asked.set(url, nth);
    await this.barriers.get(`${url} ${nth}`)?.pass();
    if (url === "/api/login") this.#login(nth, res);
    else if (url === "/api/logout") this.#logout(req.headers.cookie ?? "", res);
    else res.end("{}");
  }

  #login(nth: number, res: ServerResponse): void {
    if (this.sessions.size >= this.max) {
      res.writeHead(503, { "x-drover-refused": "full", "retry-after": "30" }).end();
      return;
    }
    const cookie = `session=${nth}`;
    this.sessions.add(cookie);
    res.writeHead(200, { "set-cookie": `${cookie}; HttpOnly` }).end();
  }

  #logout(cookie: string, res: ServerResponse): void {
    this.left.push(cookie);
    const times = this.stubborn.get(cookie) ?? 0;
    this.stubborn.set(cookie, times - 1);
    if (times <= 0) this.sessions.delete(cookie);
    res.writeHead(times > 0 ? 500 : 204).end();
  }
}
