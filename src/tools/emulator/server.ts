/** The emulator as one HTTP server: API, token endpoint and, with a token, control routes. */
import type { Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock, type Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { http } from "../../base/http.ts";
import type { Logger } from "../../base/log.ts";
import { ms, seconds, type Ms } from "../../base/units.ts";
import type { Sharing } from "./authorization.ts";
import { createEngine } from "./engine/engine.ts";
import type { Engine } from "./engine.types.ts";
import { FaultQueue } from "./faults/fault-queue.ts";
import type { Fault } from "./faults/fault.ts";
import { personAt, type Person } from "./faults/manual-edits.ts";
import { parseEdits, parseFaults } from "./faults/parse-fault.ts";
import { latency, type LatencyProfile } from "./latency.ts";
import { LIMITS } from "./limits.ts";
import { GOOGLE_QUOTA, NO_QUOTA, Quota, type QuotaPolicy } from "./quota.ts";
import { RequestCounters } from "./request-counters.ts";
import { RequestHandler, type Sleep } from "./request-handler.ts";
import { openAccount, setTokenUri } from "./service-account.ts";
import { openState, type DurableEngine } from "./state-file.ts";
import { TokenEndpoint } from "./token-endpoint.ts";

export type Tabs = Parameters<Engine["seed"]>[2];

/** A spreadsheet that exists from the first start on. */
export interface Seed {
  readonly id: string;
  readonly title: string;
  /** A function is called only when the state has no such spreadsheet. */
  readonly tabs: Tabs | (() => Tabs);
  /** Default: editor. */
  readonly sharing?: Sharing;
}

export interface EmulatorOptions {
  /** Default: the emulator's own. */
  readonly engine?: (dump?: unknown) => Engine;
  readonly dataDir: string;
  /** Created at the first start. */
  readonly keyFile: string;
  /** The emulator's address, for the key file's token_uri; default: 127.0.0.1 and the port on which the server listens. */
  readonly url?: string;
  readonly latency: LatencyProfile;
  /** true: Google's. */
  readonly quota: boolean | QuotaPolicy;
  /** Opens the control routes. */
  readonly adminToken?: string;
  /** Queued from the start. */
  readonly faults?: readonly Fault[];
  readonly spreadsheets: readonly Seed[];
  readonly tokenLifetime?: Ms;
  readonly clock?: Clock;
  readonly sleep?: Sleep;
  readonly log: Logger;
  /** The disk has failed: every call is answered 503 from now on. */
  readonly onFailure?: (error: Error) => void;
}

export interface Emulator {
  /** Not listening yet: call listen() with a port, a path or a held handle. */
  readonly server: Server;
  readonly keyFile: string;
  readonly faults: Pick<FaultQueue, "clear" | "list" | "delivered">;
  readonly counters: Pick<RequestCounters, "inFlight" | "connections" | "served" | "requests">;
  /** Queues faults. @throws RangeError for text that is no spec, and when too many wait. */
  order(specs: string): void;
  /** A person edits. @throws RangeError for text that is no spec, and where Google would refuse the same. */
  edit(spreadsheetId: string, specs: string): Promise<void>;
  /** A tab's rows, whatever quota, latency and faults there are. @throws RangeError when there is no such tab. */
  rows(spreadsheetId: string, tab: string): ReturnType<Person["rows"]>;
  /** @throws RangeError when there is no such spreadsheet. */
  metadata(spreadsheetId: string): ReturnType<Person["metadata"]>;
  /** The owner shares a spreadsheet in another way, until the next start. */
  share(spreadsheetId: string, sharing: Sharing): void;
  /** Stops accepting, gives calls in flight `within` (default: 0) to end, and writes the state. */
  close(within?: Ms): Promise<void>;
}

/** @throws DroverError when the data directory or the key file can't be used. */
export async function createEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { adminToken, clock = systemClock, keyFile, log, quota, spreadsheets } = options;
  const tokenUri = options.url === undefined ? undefined : new URL("/token", options.url).href;
  const account = await openAccount(keyFile, tokenUri);
  const engine = await openEngine(options);
  const policy = quota === true ? GOOGLE_QUOTA : quota === false ? NO_QUOTA : quota;
  const sharing = new Map<string, Sharing>(
    spreadsheets.map((seed) => [seed.id, seed.sharing ?? "editor"]),
  );
  const faults = new FaultQueue(clock);
  faults.add(options.faults ?? []);
  const counters = new RequestCounters();
  const handler = new RequestHandler({
    engine,
    tokens: new TokenEndpoint(account, options.tokenLifetime ?? seconds(3_599), clock),
    sharing,
    quota: new Quota(policy, clock),
    latency: latency(options.latency, 1),
    sleep: options.sleep ?? ((wait, signal) => sleep(wait, undefined, { signal })),
    faults,
    counters,
    adminToken,
    log,
  });
  const server = createServer(handler);
  counters.watchConnections(server);
  if (tokenUri === undefined) server.on("listening", () => followPort(server, keyFile, log));
  return {
    server,
    keyFile,
    faults,
    counters,
    order: (specs) => faults.add(valid(parseFaults(specs))),
    async edit(spreadsheetId, specs) {
      for (const edit of valid(parseEdits(specs))) await personAt(engine, spreadsheetId).edit(edit);
    },
    rows: (spreadsheetId, tab) => personAt(engine, spreadsheetId).rows(tab),
    metadata: (spreadsheetId) => personAt(engine, spreadsheetId).metadata(),
    share: (spreadsheetId, as) => void sharing.set(spreadsheetId, as),
    async close(within = ms(0)) {
      handler.close();
      await closeServer(server, within);
      await engine.close();
    },
  };
}

function valid<T>(parsed: T | string): T {
  if (typeof parsed === "string") throw new RangeError(parsed);
  return parsed;
}

/** Reads the state, and creates the spreadsheets that it lacks. */
async function openEngine(options: EmulatorOptions): Promise<DurableEngine> {
  const { dataDir: dir, log, onFailure = () => {}, engine: create = createEngine } = options;
  const engine = await openState({ dir, engine: create, log, onFailure });
  for (const { id, title, tabs } of options.spreadsheets) {
    const method = "sheets.spreadsheets.get";
    const query = { fields: ["spreadsheetId"] };
    const call = { method, path: { spreadsheetId: id }, query, body: undefined };
    if ((await engine.call(call)).status === 404)
      await engine.seed(id, title, typeof tabs === "function" ? tabs() : tabs);
  }
  return engine;
}

function createServer(handler: RequestHandler): Server {
  const { headerBytes: maxHeaderSize, headersTimeout, requestTimeout } = LIMITS;
  const server = http.createServer(
    { maxHeaderSize, headersTimeout, requestTimeout },
    (req, res) => void handler.handle(req, res),
  );
  server.keepAliveTimeout = LIMITS.keepAliveTimeout;
  server.maxConnections = LIMITS.connections;
  return server;
}

async function closeServer(server: Server, within: Ms): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  server.closeIdleConnections();
  const deadline = setTimeout(() => server.closeAllConnections(), within);
  await closed;
  clearTimeout(deadline);
}

/** Writes the port into the key file, for clients that honour token_uri. */
function followPort(server: Server, keyFile: string, log: Logger): void {
  const address = server.address();
  if (address === null || typeof address === "string") return;
  try {
    setTokenUri(keyFile, `http://127.0.0.1:${address.port}/token`);
  } catch (error) {
    log.warn({ err: error }, `the key file keeps its token_uri: ${messageOf(error)}`);
  }
}
