/** The administration of a daemon, put together: the API in the master, who may use it, its sockets, and what it remembers. */
import type { IncomingMessage, Server } from "node:http";
import { join } from "node:path";
import { Access } from "../admin/access/access.ts";
import { AdminApi } from "../admin/api.ts";
import { Edge } from "../admin/edge/edge.ts";
import { readText, write } from "../admin/edge/io.ts";
import { History, SAMPLE_SECONDS } from "../admin/history.ts";
import { readPages } from "../admin/pages.ts";
import { LARGEST_BODY, pathOf, problem, type AdminRequest } from "../admin/request.ts";
import { adminServer } from "../admin/server.ts";
import type { Master, Monitoring } from "../admin/source.ts";
import { PeakMeter, peaksOf } from "../admin/peaks.ts";
import { openTimelineFile, TIMELINE_FILE } from "../admin/timeline-file.ts";
import { Timeline } from "../admin/timeline.ts";
import { systemClock } from "../base/clock.ts";
import { limitConnections } from "../base/connectionlimit.ts";
import { messageOf } from "../base/errors.ts";
import { attachHandle, detach, hold, release } from "../base/held.ts";
import { normaliseTarget } from "../base/target.ts";
import type { Logger } from "../base/log.ts";
import { isMonitorRequest, MONITORED } from "../base/monitor-request.ts";
import { ms, seconds } from "../base/units.ts";
import { Windows } from "../base/window.ts";
import type { ControlAnswer, ControlHandlers } from "../master/shell/control.ts";
import type { Listener, RawHandle } from "../master/shell/listeners.ts";
import { adminConnections } from "../settings/files.ts";
import { detectMachine } from "../settings/machine.ts";
import type { Settings } from "../settings/table.ts";
import { createTrust } from "../worker/gate/address.ts";
import { notePeer } from "../worker/peer.ts";
import { openSocket, type ControlSocket } from "./control-socket.ts";
import { readDashboardOrder } from "./dashboard-order.ts";
import { adminSocket } from "./places.ts";

export interface AdminParts {
  readonly log: Logger;
  readonly settings: () => Settings;
  readonly access: Access;
  readonly master: Master;
  readonly monitoring: Monitoring;
  readonly health: () => ReturnType<ConstructorParameters<typeof AdminApi>[0]["health"]>;
  /** An external monitor asked for the health on an address of the administration's own. */
  readonly monitored: () => void;
  /** Where a browser finds the dashboard, if anywhere: `http://127.0.0.1:8080`. */
  readonly url: () => string | undefined;
}

export interface AdminSocket extends ControlSocket {
  /** Accepts from an address of the administration's own that was bound again, instead of from its former handle. */
  adopt(listener: Listener, former: RawHandle): void;
}

export interface Admin {
  readonly access: Access;
  /** On the control socket: whoever may open it is the operator. */
  readonly onControl: NonNullable<ControlHandlers["admin"]>;
  /** What `drover dashboard` asks. */
  dashboard(body: Readonly<Record<string, unknown>>): ControlAnswer;
  /** A one-time link for an operator; undefined: there is no address for a browser. */
  link(): string | undefined;
  /** Opens admin.sock, and answers on the addresses of the administration's own. */
  listen(listeners: readonly Listener[]): Promise<AdminSocket>;
  /** A sample for the sparklines, and what has happened. */
  sample(): void;
  look(): void;
}

export { SAMPLE_SECONDS };

export function createAdmin({ log, settings, access, master, monitoring, health, monitored: heard, url }: AdminParts): Admin {
  const history = new History();
  const file = openTimelineFile(join(settings().data_dir, TIMELINE_FILE), { clock: systemClock, log });
  const timeline = new Timeline(file.told.events, (events) => file.events(events));
  const meter = new PeakMeter();
  let monitored = 0;
  const sample = (): void => {
    const now = master.snapshot();
    const over = meter.add(peaksOf(history.take(now), now.monitorRequests - monitored));
    monitored = now.monitorRequests;
    if (over !== undefined) file.peaks(over);
  };
  const hosts = (): readonly string[] => settings().admin_hosts;
  const isSecure = (req: IncomingMessage): boolean => createTrust(settings().trusted_proxies).isSecure(req);
  const api = new AdminApi({
    master,
    access,
    history,
    timeline,
    monitoring,
    clock: systemClock,
    log,
    health,
    hosts,
  });
  const link = (): string | undefined => {
    const base = url();
    return base === undefined ? undefined : `${base}/admin#ticket=${access.ticket("operator")}`;
  };
  return {
    access,
    link,
    dashboard: (body) => readDashboardOrder(body, { access, link }),
    onControl: async (method, target, req) => {
      const body = await readText(req, LARGEST_BODY);
      if (body === undefined) return problem({ status: 413, code: "too-large", detail: "the body is too long" });
      const request: AdminRequest = { method, target, headers: req.headers, body, client: "local", requestId: "", secure: false };
      return await api.handle(request, "control");
    },
    async listen(listeners) {
      const most = adminConnections(settings(), detectMachine({}).nofile);
      const socket = await openAdminSocket(settings(), log, api, most.workers);
      const adopt =
        listeners.length === 0
          ? () => {}
          : openOwn(api, listeners, { log, hosts, access, health, isSecure, monitored: heard, most: most.own });
      const close = (): void => {
        const last = meter.end();
        if (last !== undefined) file.peaks(last);
        socket.close();
      };
      return { ...socket, adopt, close };
    },
    sample,
    look: () => (timeline.look(master.snapshot()), access.sweep()),
  };
}

const openAdminSocket = (settings: Settings, log: Logger, api: AdminApi, most: number): Promise<ControlSocket> =>
  openSocket({
    settings,
    log,
    path: adminSocket(settings.run_dir),
    name: "admin socket",
    serve: (path) =>
      new Promise<Server>((resolve, reject) => {
        const server = adminServer(api);
        limitConnections(server, most);
        server.on("error", (error) =>
          server.listening ? log.warn(`the admin socket did not accept: ${messageOf(error)}`) : reject(error),
        );
        const before = process.umask(0o177); // 0600 from birth
        server.listen(path, () => resolve(server));
        process.umask(before); // listen() on a path binds before it returns
      }),
  });

type OwnParts = Pick<AdminParts, "log" | "access" | "health" | "monitored"> & {
  readonly hosts: () => readonly string[];
  /** Whether the browser speaks HTTPS, by the word of a trusted proxy: the address itself has none. */
  readonly isSecure: (req: IncomingMessage) => boolean;
  readonly most: number;
};

/** Tries of one client, and of all, in a minute. */
export const TRIES = { own: 10, all: 200, per: seconds(60) } as const;
const BACKLOG = 64;
/** Accepts in a turn, and how long the others wait: strangers on this address must not keep the master from its work. */
const ACCEPTS = 16;
const TURN = ms(50);

/** DROVER_ADMIN_BIND: the master itself is the door, at a pace. @returns accepts from a listener that was bound again. */
function openOwn(
  api: AdminApi,
  listeners: readonly Listener[],
  { log, hosts, access, health, isSecure, monitored, most }: OwnParts,
): AdminSocket["adopt"] {
  const windows = new Windows();
  const edge = new Edge({
    pages: readPages(),
    clock: systemClock,
    log,
    hosts,
    here: true,
    keys: () => access.keys(),
    keysChange: () => Promise.resolve(), // these are the keys themselves
    // Who has a good key keeps his connection; a stranger's next request waits for its turn at the pace of accepts.
    async forward(request) {
      const answer = await api.handle(request, "network");
      return { ...answer, headers: { ...answer.headers, Connection: "keep-alive" } };
    },
  });
  const strike = (client: string): Promise<ReturnType<typeof ms>> => {
    const now = systemClock.now();
    for (const [key, most] of [
      [`admin:own:${client}`, TRIES.own],
      ["admin:all:", TRIES.all],
    ] as const) {
      const tried = { key, most, per: TRIES.per, times: 1 };
      const { waits } = windows.level(tried, now);
      if (waits > 0) return Promise.resolve(waits);
      windows.add(tried, now);
    }
    return Promise.resolve(ms(0));
  };
  const server = adminServer(api);
  server.removeAllListeners("request");
  server.maxRequestsPerSocket = 100;
  server.on("connection", notePeer);
  server.on("request", (req, res) => {
    const client = req.socket.remoteAddress ?? "unix";
    res.shouldKeepAlive = false;
    if (!normaliseTarget(req) || !edge.owns(req.url ?? "/"))
      return write(req, res, problem({ status: 404, code: "unknown-path", detail: "the dashboard is at /admin" }));
    if (pathOf(req.url ?? "/") === MONITORED && isMonitorRequest(client, req.headers["user-agent"])) monitored();
    const secure = isSecure(req);
    edge.answer(req, res, { client, requestId: crypto.randomUUID(), secure, health: health(), strike: () => strike(client) });
  });
  limitConnections(server, most);
  server.on("error", (error) => log.warn(`DROVER_ADMIN_BIND did not accept: ${messageOf(error)}`));
  pace(server);
  const attach = ({ handle, address }: Listener): void =>
    attachHandle(server, handle as never, BACKLOG, address.kind === "unix" ? address.name.replace(/^unix:/, "") : undefined);
  listeners.forEach(attach);
  return (listener, former) => (attach(listener), detach(server, former as never));
}

/** At most ACCEPTS connections in every TURN; who comes beyond waits in the kernel's queue. */
function pace(server: Server): void {
  let accepted = 0;
  let timer: NodeJS.Timeout | undefined;
  server.on("connection", () => {
    accepted += 1;
    if (accepted === ACCEPTS) hold(server);
    timer ??= setTimeout(() => {
      timer = undefined;
      if (accepted >= ACCEPTS) release(server, BACKLOG);
      accepted = 0;
    }, TURN);
  });
}
