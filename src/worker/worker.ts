import { startBeat, type Beats } from "../base/beat.ts";
import { systemClock } from "../base/clock.ts";
import type { DroverError } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import type { MasterPort } from "../base/port.ts";
import type { DrainedBy, Health, ToChild } from "../base/protocol.ts";
import { IN_FLIGHT } from "../base/requests.ts";
import { installRuntime, type Runtime, type Services } from "../base/runtime.ts";
import { between, ms, seconds, type Ms } from "../base/units.ts";
import { AccessLog } from "./access.ts";
import { watchBoot, type Boot } from "./boot.ts";
import { createBuiltIn } from "./builtin.ts";
import { onClientError } from "./clienterror.ts";
import type { WorkerConfig } from "./config.ts";
import { createTrust, type Trust } from "./gate/address.ts";
import { FurtherServers } from "./further-servers.ts";
import { Handles } from "./handles.ts";
import { loadApplication, type Loaded } from "./load.ts";
import type { Configured, Host, WorkerDeps } from "./deps.ts";
import { sayFatal } from "./fatal.ts";
import { probe } from "./probe.ts";
import { requestLimit } from "./requestlimit.ts";
import { Serving, type ServingParts } from "./serving.ts";
import { createStreams } from "./streams.ts";
import { Tally } from "./tally.ts";
import { createThreads } from "./threads.ts";

/** How long an application's own end may take after its last connection has gone. */
const CLOSE_WITHIN = seconds(1);
/** At the end of a service that stops, a connection that has come last may rest for so long before its request: a way there and back. */
const NEWEST_IDLE = ms(500);

/** One worker process from `configure` to its exit. */
export class Worker {
  readonly #port: MasterPort;
  readonly #deps: WorkerDeps;
  readonly #host: Host;
  readonly #parts: Parts;
  #loaded: Loaded | undefined;
  #beats: Beats | undefined;
  #left = false;
  #drainedBy: DrainedBy = "master";

  constructor(port: MasterPort, configured: Configured, deps: WorkerDeps, host: Host) {
    this.#port = port;
    this.#deps = deps;
    this.#host = host;
    const limit = requestLimit(configured.config, host.random ?? Math.random);
    const tally = new Tally(limit, (served) => port.send({ type: "worn", served }));
    const alive = (): void => this.#beats?.catchUp();
    this.#parts = assemble(port, configured, { ...deps, tally, alive }, () => this.#abandoned());
  }

  /**
   * Loads the application, listens, says ready, beats.
   * @throws DroverError when the application can't be loaded, Error when the kernel refuses to listen.
   */
  async start(beatEvery: Ms): Promise<void> {
    const { handles, further, serving, trust, configured } = this.#parts;
    const { config, addresses } = configured;
    if (config.app !== null) further.takeOverListen();
    const builtIn = createBuiltIn({
      serving,
      trust,
      clock: systemClock,
      demo: config.demo,
      connections: config.connections,
      underscores: config.underscores,
    });
    installRuntime(runtimeOf(this.#parts, this.#deps, config.app === null ? { prepared: builtIn.prepared } : {}));
    await handles.complete;
    const boot = this.#watchBoot();
    const loading = loadApplication({
      boot,
      config,
      log: this.#deps.log,
      trust,
      land: (server, own) => serving.land(server, !own),
      loaders: this.#deps.loaders,
      front: (application) => builtIn.front(application),
      clientError: onClientError(serving.tally, (turned) => serving.outcomes.turned(turned), config.demo ? ["X-Drover-Demo: 1"] : []),
    });
    this.#loaded = await Promise.race([loading, boot.failed]).finally(() => boot.end());
    this.#host.signals.once("exit", () => this.#deps.lines.end()); // a crash comes this way too
    if (serving.draining) return; // asked to go while it was loading
    // What an autopsy asks through the debugger, when this loop is past asking.
    Object.defineProperty(globalThis, Symbol.for(IN_FLIGHT), { value: () => serving.inFlight.oldest(), configurable: true });
    this.#beats = startBeat(this.#port, beatEvery, { ...serving.vitals(), brokerLost: () => this.#deps.brokerLost?.() ?? false });
    this.#port.send({ type: "ready", where: `${addresses.map(({ name }) => name).join(", ")} (${this.#loaded.form})` });
  }

  #watchBoot(): Boot {
    const { app, bootTimeout: within } = this.#parts.configured.config;
    const exits = (error: DroverError): void => void (this.#left || sayFatal(this.#port, error));
    return watchBoot({ file: app ?? "the built-in service", within, process: this.#host.signals, exits });
  }

  /** A message of the master. */
  take(message: ToChild, handle: unknown): void {
    switch (message.type) {
      case "handle":
        if (!this.#parts.serving.lent(message.address, handle))
          this.#deps.log.warn({ address: message.address }, "the master's message came without its socket");
        return;
      case "bound":
        return this.#parts.further.bound(message, handle);
      case "drain":
        return this.drain("master", message.within, message.last);
      case "probe":
        return void this.#probe(message.within);
      case "retune":
        return this.#retune(message.config as WorkerConfig);
      case "reopen":
        return this.#deps.reopen();
      case "share":
        return this.#parts.serving.share(message);
      case "health":
        this.#parts.health = message.health;
        return;
      case "ask": // the broker's
        return;
      case "admin":
        return this.#deps.adminKeys?.(message.keys);
      case "configure":
        return; // only the first one counts
    }
  }

  /**
   * Lets requests finish and ends this worker, within `within`. Asked again, the earlier end rules.
   * @param last nobody accepts in its place: it goes on accepting for a while, where there is time.
   */
  drain(by: DrainedBy, within: Ms = this.#parts.configured.config.gracefulTimeout, last = false): void {
    const { serving, configured } = this.#parts;
    const { drainIdle } = configured.config;
    setTimeout(() => this.#leave(), within).unref();
    if (serving.draining) return;
    this.#drainedBy = by;
    if (!last || within < drainIdle * 2) return void this.#end(within);
    const newest = ms(Math.min(drainIdle, NEWEST_IDLE));
    const asked = systemClock.now();
    void serving.linger().then(() => this.#end(ms(within - between(asked, systemClock.now())), newest));
  }

  async #end(within: Ms, idle?: Ms): Promise<void> {
    const { further, serving, drainStarts, access } = this.#parts;
    further.stop();
    const ended = serving.drain(within, idle);
    drainStarts.abort(); // after accepting has stopped: the application may close what it wants to close itself
    const { requests, connections } = await ended;
    const cut = { requests, connections, oldest: serving.inFlight.oldest() };
    if (requests > 0) this.#deps.log.warn(cut, "the drain's time is over: requests were cut off");
    await Promise.race([this.#closeApplication(), new Promise((resolve) => setTimeout(resolve, CLOSE_WITHIN))]);
    await Promise.race([access.close(), new Promise((resolve) => setTimeout(resolve, CLOSE_WITHIN))]);
    this.#leave();
  }

  async #probe(within: Ms): Promise<void> {
    const path = this.#parts.configured.config.probePath;
    if (this.#loaded === undefined) return; // not ready: the master asks only those that are
    const found = path === null ? { ok: true, message: "there is nothing to ask for" } : await probe(this.#loaded.server, path, within);
    this.#port.send({ type: "probed", ...found });
  }

  async #closeApplication(): Promise<void> {
    try {
      await this.#loaded?.close();
    } catch (thrown) {
      this.#deps.log.error({ err: thrown }, "the application failed to close");
    }
  }

  /** The application closed its own server: a process that serves nothing is of no use, in drover as without it. */
  #abandoned(): void {
    this.#deps.log.warn("the application has closed its server: this worker leaves");
    this.drain("application");
  }

  #leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#beats?.stop();
    this.#port.send({ type: "drained", served: this.#parts.serving.tally.counters.served, by: this.#drainedBy });
    setImmediate(this.#host.exit, EXIT.done.code);
  }

  #retune(config: WorkerConfig): void {
    this.#parts.configured = { ...this.#parts.configured, config };
    this.#parts.trust.retune(config.trustedProxies);
    this.#parts.serving.retune(config, this.#loaded?.own ?? false);
    this.#deps.log.level = config.log.level;
  }
}

interface Parts {
  configured: Configured;
  health: Health;
  readonly handles: Handles;
  readonly further: FurtherServers;
  readonly trust: Trust;
  readonly serving: Serving;
  readonly access: AccessLog;
  readonly drainStarts: AbortController;
}

function assemble(
  port: MasterPort,
  configured: Configured,
  deps: WorkerDeps & Pick<ServingParts, "alive" | "tally">,
  closed: () => void,
): Parts {
  const { config, addresses, generation } = configured;
  const { tally, alive } = deps;
  const handles = new Handles(addresses);
  const trust = createTrust(config.trustedProxies);
  const { slot, accessLog: share } = { ...configured, ...config };
  const access = new AccessLog({ slot, generation, clock: systemClock, lines: deps.lines, share });
  const holds = (connections: number, full: boolean, churns: boolean): void => port.send({ type: "holds", connections, full, churns });
  const further = new FurtherServers(port);
  const serving = new Serving(config, { handles, further, clock: systemClock, log: deps.log, trust, access, tally, alive, closed, holds });
  const health: Health = {
    status: "ok",
    generation,
    workers: { ready: 0, target: 0 },
    broker: "none",
    upstream: "never",
    demo: config.demo,
  };
  return { configured, health, handles, further, trust, serving, access, drainStarts: new AbortController() };
}

/** What the application sees of its process: the worker's own services, then the composition root's. */
function runtimeOf(parts: Parts, deps: WorkerDeps, extra: Partial<Services>): Runtime {
  const { serving, trust, drainStarts, configured } = parts;
  const own: Partial<Services> = { threads: createThreads(), streams: createStreams(serving.inFlight), clients: trust, ...extra };
  return {
    slot: configured.slot,
    generation: configured.generation,
    addresses: configured.addresses,
    log: deps.log,
    draining: drainStarts.signal,
    health: () => parts.health,
    service(name) {
      const found = own[name] ?? deps.services[name];
      if (found === undefined) throw new Error(`this worker has no service ${JSON.stringify(name)}`);
      return found;
    },
  };
}
