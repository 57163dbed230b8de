/**
 * The admin API: one implementation for both sockets. Whoever may open the control socket is the operator; every other request counts as
 * coming from the network, whatever the process that passed it on says, and is judged here once more.
 */
import { cpus } from "node:os";
import { LRUCache } from "lru-cache";
import { MOST_ASIDE } from "../base/aside.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { ms, type Ms } from "../base/units.ts";
import type { Health } from "../base/protocol.ts";
import type { Access } from "./access/access.ts";
import { cookieIn, setCookie } from "./cookie.ts";
import type { History } from "./history.ts";
import { judge, type Caller } from "./judge.ts";
import { BAD_LOGIN, readLogin } from "./login.ts";
import { CONTENT_TYPE } from "./metrics/text.ts";
import { readBody, readChoice, readIds, readNumber, readText, type Read } from "./orders.ts";
import { json, LARGEST_BODY, pathOf, problem, queryOf, text, type AdminAnswer, type AdminRequest, type Wrong } from "./request.ts";
import { routeAt, type AdminRoute, type RoutePath } from "./routes.ts";
import type { Master, Monitoring, Outcome } from "./source.ts";
import { Throttle } from "../base/throttle.ts";
import type { Timeline } from "./timeline.ts";
import { capacityView } from "./views/capacity.ts";
import { healthAnswer, type FullHealth } from "./views/health.ts";
import { statsView } from "./views/stats.ts";
import { csrfOf } from "../base/adminkeys.ts";

export interface ApiParts {
  readonly master: Master;
  readonly access: Access;
  readonly history: History;
  readonly timeline: Timeline;
  readonly monitoring: Monitoring;
  readonly clock: Clock;
  readonly log: Logger;
  health(): Health;
  hosts(): readonly string[];
}

export type Via = "control" | "network";

/** Who did it, for the log and the timeline. */
interface By {
  readonly name: string;
  readonly role: "viewer" | "operator";
  readonly via: Via | "bearer" | "cookie";
  readonly client: string;
}

/** For each key, so that a program in an endless loop, or a stolen viewer's token, keeps no operator out. */
const RATE = { perSecond: 50, burst: 100 };
/** Keys whose requests are counted: more than there can be tokens and sessions. */
const MOST_KEYS = 256;
export const SLOT_BOUNDS = { least: 1, most: 100_000 } as const;

export class AdminApi {
  readonly #parts: ApiParts;
  readonly #throttles = new LRUCache<string, Throttle>({ max: MOST_KEYS });

  constructor(parts: ApiParts) {
    this.#parts = parts;
  }

  /** Answers every request, with a problem if need be. Never throws, and never rejects. */
  async handle(request: AdminRequest, via: Via): Promise<AdminAnswer> {
    try {
      return via === "control" ? await this.#fromOperator(request) : await this.#fromNetwork(request);
    } catch (error) {
      this.#parts.log.error({ err: error, id: request.requestId }, "the admin API failed");
      return problem({
        status: 500,
        code: "bug",
        detail: "a fault of drover: the log has it under this request's id",
        more: { id: request.requestId },
      });
    }
  }

  #fromOperator(request: AdminRequest): AdminAnswer | Promise<AdminAnswer> {
    const route = routeAt(pathOf(request.target));
    if (route === undefined || route.needs === "login" || route.needs === "session")
      return problem({ status: 404, code: "unknown-path", detail: "there is nothing here" });
    if (request.method !== route.method) return problem({ status: 405, code: "method", detail: `${route.path} takes ${route.method}` });
    return this.#do(route, request, { name: "control socket", role: "operator", via: "control", client: "local" }, undefined);
  }

  #fromNetwork(request: AdminRequest): AdminAnswer | Promise<AdminAnswer> {
    const { access, clock, log } = this.#parts;
    if (Buffer.byteLength(request.body) > LARGEST_BODY) return problem(TOO_LARGE);
    const verdict = judge(request, { keys: access.keys(), hosts: this.#parts.hosts(), wall: clock.wall() });
    if (verdict.is === "refused") {
      log.warn(
        { audit: true, client: request.client, code: verdict.wrong.code, id: request.requestId },
        "the administration refused a request",
      );
      return problem(verdict.wrong);
    }
    const { route, caller } = verdict;
    const wait = this.#throttleOf(caller).take(clock.now());
    if (wait > 0) return problem(tooMany(wait));
    if (route.needs === "login") return this.#login(request);
    if (route.needs === "session") return this.#session(caller);
    if (caller === undefined) return this.#do(route, request, STRANGER, undefined);
    if (caller.by === "cookie") access.touch(caller.key);
    const { name, role } = caller.key;
    return this.#do(route, request, { name, role, via: caller.by, client: request.client }, caller);
  }

  #throttleOf(caller: Caller | undefined): Throttle {
    const name = caller === undefined ? "" : `${caller.key.role} ${caller.key.name}`;
    const throttle = this.#throttles.get(name) ?? new Throttle(RATE);
    this.#throttles.set(name, throttle);
    return throttle;
  }

  #do(route: AdminRoute, request: AdminRequest, by: By, caller: Caller | undefined): AdminAnswer | Promise<AdminAnswer> {
    switch (route.path as RoutePath) {
      case "/api/admin/health":
        return healthAnswer(this.#parts.health(), queryOf(request.target), by === STRANGER ? undefined : this.#fullHealth());
      case "/api/admin/capacity":
        return json(200, this.#capacity());
      case "/api/admin/stats":
        return this.#stats(request);
      case "/api/admin/history":
        return json(200, { success: true, lines: this.#parts.history.lines(), events: this.#parts.timeline.since() });
      case "/api/admin/writes":
        return this.#writes(queryOf(request.target).get("most"));
      case "/metrics":
        return this.#metrics();
      case "/api/admin/logout":
        if (caller?.by === "cookie") this.#parts.access.logout(caller.secret);
        return json(200, { success: true }, { "Set-Cookie": setCookie("", request.secure, ms(0)), "Clear-Site-Data": '"cache"' });
      case "/api/admin/login":
      case "/api/admin/session":
        return problem({ status: 404, code: "unknown-path", detail: "there is nothing here" });
      default:
        return this.#order(route, request, by);
    }
  }

  #capacity(): { readonly capacity: object } {
    const { master } = this.#parts;
    return capacityView(master.snapshot(), master.slotsWanted());
  }

  #fullHealth(): FullHealth {
    const { version, uptime } = this.#parts.master.snapshot();
    return { version, uptime_s: Math.round(uptime / 1_000), capacity: this.#capacity().capacity };
  }

  #stats(request: AdminRequest): AdminAnswer {
    const { master, timeline, history } = this.#parts;
    const snapshot = master.snapshot();
    const after = Number(queryOf(request.target).get("since") ?? "");
    const view = statsView({
      snapshot,
      capacity: capacityView(snapshot, master.slotsWanted()).capacity,
      events: timeline.since(Number.isSafeInteger(after) && after > 0 ? after : 0).slice(-MOST_EVENTS),
      mostWorkers: master.mostWorkers(),
      cpus: cpus().length,
      errorRate: history.errorRate(),
    });
    return json(200, view);
  }

  async #writes(given: string | null): Promise<AdminAnswer> {
    const most = readNumber({ most: given === null ? MOST_ASIDE : Number(given === "" ? NaN : given) }, "most", {
      least: 1,
      most: MOST_ASIDE,
    });
    if (!most.ok) return problem(most.wrong);
    const found = await this.#parts.master.aside(most.value);
    if ("ok" in found) return problem({ status: 503, code: "broker", detail: found.message, headers: { "Retry-After": "2" } });
    const writes = found.writes.map(({ id, table, op, key, reason, at, parkedAt }) => ({
      id,
      table,
      op,
      key,
      reason,
      at: new Date(at).toISOString(),
      parked_at: new Date(parkedAt).toISOString(),
    }));
    return json(200, { success: true, count: found.count, writes });
  }

  #metrics(): AdminAnswer {
    return text(200, Buffer.from(this.#parts.monitoring.metrics()), CONTENT_TYPE);
  }

  async #order(route: AdminRoute, request: AdminRequest, by: By): Promise<AdminAnswer> {
    const outcome = await this.#carryOut(route, request);
    const done = !("wrong" in outcome) && outcome.ok ? "done" : "refused";
    const message = "wrong" in outcome ? outcome.wrong.detail : outcome.message;
    const action = route.path.replace("/api/admin/", "");
    const { log, timeline, clock } = this.#parts;
    log.info(
      {
        audit: true,
        action,
        by: by.name,
        as: by.role,
        via: by.via,
        client: by.client,
        body: request.body.slice(0, 300),
        outcome: done,
        id: request.requestId,
      },
      `admin: ${action} ${done}: ${message.split("\n", 1)[0]}`,
    );
    // That an alert was seen is told of wherever that was said: see newsOf().
    if (done === "done" && action !== "alerts/ack")
      timeline.note(
        { what: "action", level: "info", text: `${action}: ${message.split("\n", 1)[0]}`, with: { action, by: by.name } },
        clock.wall(),
      );
    if ("wrong" in outcome) return problem(outcome.wrong);
    if (!outcome.ok && outcome.unknown !== undefined)
      return problem({ status: 404, code: "unknown-write", detail: outcome.message, more: { unknown: outcome.unknown } });
    if (!outcome.ok) return problem({ status: 409, code: "refused", detail: outcome.message });
    return json(200, {
      success: true,
      message: outcome.message,
      ...(outcome.generation === undefined ? {} : { generation: outcome.generation }),
      ...(outcome.partly === true ? { partly: true } : {}),
    });
  }

  /** @returns what the master says to it, or why it never heard of it. */
  async #carryOut(route: AdminRoute, { body }: AdminRequest): Promise<Outcome | { readonly wrong: Wrong }> {
    const { master, monitoring } = this.#parts;
    const { workers, places } = master.snapshot();
    const slots = {
      least: 0,
      most: Math.max(0, workers.target, ...places.filter(({ role }) => role === "worker").map(({ slot }) => slot + 1)) - 1,
    };
    const fields = readBody(body, FIELDS[route.path] ?? []);
    if (!fields.ok) return fields;
    const given = fields.value;
    const with_ = <T>(read: Read<T>, then: (value: T) => Outcome | Promise<Outcome>) => (read.ok ? then(read.value) : read);
    switch (route.path as RoutePath) {
      case "/api/admin/reload":
        return master.reload();
      case "/api/admin/scale":
        return with_(readNumber(given, "to", { least: master.leastWorkers(), most: master.mostWorkers() }), (to) => master.scale(to));
      case "/api/admin/recycle":
        if (given["slot"] === undefined) return master.recycle(undefined);
        return with_(readNumber(given, "slot", slots), (slot) => master.recycle(slot));
      case "/api/admin/stack":
        return with_(readNumber(given, "slot", slots), (slot) => master.stack(slot));
      case "/api/admin/limits":
        return with_(readNumber(given, "max_slots", SLOT_BOUNDS), (max) => master.maxSlots(max));
      case "/api/admin/cache/purge":
        if (given["table"] === undefined) return master.purge(null);
        return with_(readText(given, "table", 200), (table) => master.purge(table));
      case "/api/admin/slots/reap":
        return master.reap();
      case "/api/admin/slots/schedule":
        return with_(readChoice(given, "do", ["hold", "resume"]), (verb) => master.schedule(verb));
      case "/api/admin/writes/retry":
        return with_(readIds(given), (ids) => master.deal("retry", ids));
      case "/api/admin/writes/discard":
        return with_(readIds(given), (ids) => master.deal("discard", ids));
      case "/api/admin/alerts/ack":
        return with_(readText(given, "name", 200), (name) =>
          monitoring.ack(name)
            ? { ok: true, message: `${name} is acknowledged` }
            : { ok: false, message: `no alert ${name} is raised now` },
        );
      default:
        return { wrong: { status: 404, code: "unknown-path", detail: "there is nothing here" } };
    }
  }

  #login(request: AdminRequest): AdminAnswer {
    const { access, log } = this.#parts;
    const given = readLogin(request.body);
    const login = given === undefined ? undefined : access.login(given);
    const { client, requestId: id } = request;
    if (login === undefined) {
      log.warn({ audit: true, client, id }, "a login to the administration failed");
      return problem(BAD_LOGIN);
    }
    const before = cookieIn(request.headers.cookie, request.secure);
    if (before !== undefined) access.logout(before);
    log.info({ audit: true, action: "login", by: login.name, as: login.role, client, id }, "somebody has logged in to the administration");
    const cookie = setCookie(login.cookie, request.secure, login.lasts);
    return json(200, { success: true, role: login.role, name: login.name, csrf: login.csrf }, { "Set-Cookie": cookie });
  }

  #session(caller: Caller | undefined): AdminAnswer {
    if (caller === undefined) return json(200, { success: true, logged_in: false });
    this.#parts.access.touch(caller.key);
    return json(200, { success: true, logged_in: true, role: caller.key.role, name: caller.key.name, csrf: csrfOf(caller.secret) });
  }
}

const STRANGER: By = { name: "nobody", role: "viewer", via: "network", client: "" };
const MOST_EVENTS = 20;

/** The fields of each order's body. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  "/api/admin/scale": ["to"],
  "/api/admin/recycle": ["slot"],
  "/api/admin/stack": ["slot"],
  "/api/admin/limits": ["max_slots"],
  "/api/admin/cache/purge": ["table"],
  "/api/admin/slots/schedule": ["do"],
  "/api/admin/alerts/ack": ["name"],
  "/api/admin/writes/retry": ["ids", "all"],
  "/api/admin/writes/discard": ["ids", "all"],
};

const TOO_LARGE: Wrong = { status: 413, code: "too-large", detail: `the body must have at most ${LARGEST_BODY} bytes` };
const tooMany = (wait: Ms): Wrong => ({
  status: 429,
  code: "rate",
  detail: `the administration answers ${RATE.perSecond} requests a second with one key: come again later`,
  headers: { "Retry-After": String(Math.max(1, Math.ceil(wait / 1_000))) },
});
