import type { Server } from "node:http";
import net, { type AddressInfo } from "node:net";
import { http } from "../base/http.ts";
import type { Logger } from "../base/log.ts";

/** Makes a server accept from the master's sockets; its "listening" event follows. */
export type Land = (server: Server) => void;

/**
 * Gives the first http server of this process that calls `listen`, whatever address it names, the master's sockets. Callback,
 * `signal` and "listening" work as they do without drover, and `address()` tells the real address. Later servers listen where
 * they say (further-servers.ts), except on the daemon's own port, which is taken: Fastify asks for that when it is told `localhost`,
 * to serve ::1 besides 127.0.0.1, and does without.
 * @returns a function that takes the change back.
 */
export function interceptListen(land: Land, log: Logger, warn: Warn): () => void {
  const prototype = http.Server.prototype as { listen: (...args: unknown[]) => Server };
  const original = prototype.listen;
  let first: Server | undefined;
  const listen = (server: Server, args: unknown[]): Server => {
    const asked = described(args);
    if (first === undefined) {
      first = server;
      log.info({ asked }, `the application listens on ${asked}: it gets the daemon's sockets instead`);
      return listenHere(server, args, land);
    }
    if (server !== first && portOf(args) !== undefined && portOf(args) === ownPort(first)) return taken(server, args);
    if (server !== first) warn(asked);
    return Reflect.apply(original, server, args);
  };
  const replaced = function (this: Server, ...args: unknown[]): Server {
    return listen(this, args);
  };
  prototype.listen = replaced;
  return () => {
    // http.Server inherits `listen` from net.Server: taking ours off uncovers it again.
    if (prototype.listen === replaced) delete (prototype as Partial<typeof prototype>).listen;
  };
}

/** Reports a further address that the application listens on, once for each. */
export type Warn = (asked: string) => void;

/** An application may open servers for ever. */
const MOST_SAID = 20;

/** Warns that drover neither limits nor drains what comes to such an address. */
export function warnOnce(log: Logger): Warn {
  const said = new Set<string>();
  return (asked) => {
    if (said.has(asked) || said.size >= MOST_SAID) return;
    said.add(asked);
    log.warn({ asked }, `the application also listens on ${asked}, in every worker: drover neither limits nor drains what comes there`);
  };
}

/** Tells of every server that asks the system itself, whatever it speaks. */
export function watchServers(warn: Warn): void {
  const prototype = net.Server.prototype as { listen: (...args: unknown[]) => net.Server };
  const original = prototype.listen;
  prototype.listen = function listen(this: net.Server, ...args: unknown[]): net.Server {
    if ((args[0] as { exclusive?: unknown } | null | undefined)?.exclusive !== true) warn(described(args)); // a probe's door is exclusive
    return Reflect.apply(original, this, args);
  };
}

/** What `listen` does besides binding: the callback and the option `signal`. */
export function listenHere(server: Server, args: readonly unknown[], land: Land): Server {
  const callback = args.at(-1);
  if (typeof callback === "function") server.once("listening", callback as () => void);
  const signal = (args[0] as { signal?: AbortSignal } | null | undefined)?.signal;
  if (signal instanceof AbortSignal) {
    const close = (): void => void server.close();
    if (signal.aborted) process.nextTick(close);
    else signal.addEventListener("abort", close, { once: true });
  }
  land(server);
  return server;
}

function taken(server: Server, args: readonly unknown[]): Server {
  const error = Object.assign(new Error(`listen EADDRINUSE: the daemon itself listens on ${described(args)}`), {
    code: "EADDRINUSE",
    syscall: "listen",
  });
  process.nextTick(() => server.emit("error", error));
  return server;
}

function portOf([target]: readonly unknown[]): number | undefined {
  const port = typeof target === "object" && target !== null ? (target as { port?: unknown }).port : target;
  return typeof port === "number" || (typeof port === "string" && /^\d+$/.test(port)) ? Number(port) : undefined;
}

function ownPort(server: Server): number | undefined {
  return (server.address() as AddressInfo | null)?.port;
}

/** The address in a call of `listen`, as a person would write it. */
function described([target, host]: readonly unknown[]): string {
  const {
    path,
    port,
    host: named,
  } = (typeof target === "object" && target !== null ? target : { port: target, host }) as Record<string, unknown>;
  const text = (value: unknown, otherwise: string): string =>
    typeof value === "string" || typeof value === "number" ? `${value}` : otherwise;
  if (typeof path === "string") return `unix:${path}`;
  if (typeof port === "string" && !/^\d+$/.test(port)) return `unix:${port}`;
  return `${text(named, "*")}:${text(port, "0")}`;
}
