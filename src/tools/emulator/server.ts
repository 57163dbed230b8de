/** The emulated Google on one HTTP server: API, token endpoint and, when asked for, faults on order. */
import type { Server } from "node:http";
import { http } from "../../base/http.ts";
import { systemClock, type Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { HistogramDelta } from "../../base/histogram.ts";
import type { Logger } from "../../base/log.ts";
import type { Counters } from "../../base/counters.ts";
import { ms, seconds, type Ms } from "../../base/units.ts";
import { createGuard, type Sharing } from "./access.ts";
import { openAccount, setTokenUri } from "./account.ts";
import type { CallPorts } from "./calls.ts";
import type { Engine } from "./engine.types.ts";
import { editByHand, metadataOf, rowsOf } from "./byhand.ts";
import type { Edit, Fault } from "./fault-kinds.ts";
import type { Faults } from "./faults.ts";
import { Front } from "./front.ts";
import { latency, type LatencyProfile } from "./latency.ts";
import { LIMITS } from "./limits.ts";
import { TokenEndpoint } from "./oauth.ts";
import { GOOGLE_QUOTA, NO_QUOTA, Quota, type QuotaPolicy } from "./quota.ts";
import { openState, type DurableEngine } from "./state-file.ts";
import type { Requests } from "./tally.ts";

export type Tabs = Parameters<Engine["seed"]>[2];

/** A spreadsheet that is there from the first start on. */
export interface Seed {
  readonly id: string;
  readonly title: string;
  /** A function is called only when the spreadsheet is not in the state yet. */
  readonly tabs: Tabs | (() => Tabs);
  /** Default: shared with the emulator's account. */
  readonly sharing?: Sharing;
}

export interface EmulatorOptions {
  readonly engine: (dump?: unknown) => Engine;
  readonly dataDir: string;
  /** Made at the first start, mode 0600, in Google's form. */
  readonly keyFile: string;
  /** Where the emulator is reached, for the key file's token_uri; left out: the address the server listens on. */
  readonly url?: string;
  readonly latency: LatencyProfile;
  /** Seed of the latencies' random numbers. */
  readonly seed?: number;
  /** false: none. true: Google's. */
  readonly quota: boolean | QuotaPolicy;
  /** Opens the routes under /emulator/ to callers on this machine that show it; left out: there are none. */
  readonly adminToken?: string;
  /** Faults that wait from the start. */
  readonly faults?: readonly Fault[];
  readonly spreadsheets: readonly Seed[];
  /** API keys that read public spreadsheets. */
  readonly apiKeys?: readonly string[];
  readonly tokenLifetime?: Ms;
  readonly clock?: Clock;
  readonly log: Logger;
  /** The disk has failed: every call is answered 503 from now on. */
  readonly onFailure?: (error: Error) => void;
}

export interface Emulator {
  /** Not listening yet: call listen() with a port, a path or a held handle. */
  readonly server: Server;
  readonly keyFile: string;
  readonly faults: Faults;
  /** A person edits. @throws RangeError where Google would refuse the same. */
  edit(spreadsheetId: string, edit: Edit): Promise<void>;
  /** A tab's rows as they are, whatever quota, latency and faults there are. @throws RangeError when there is no such tab. */
  rows(spreadsheetId: string, tab: string): Promise<readonly (readonly unknown[])[]>;
  /** All developer metadata of a spreadsheet. @throws RangeError when there is no such spreadsheet. */
  metadata(spreadsheetId: string): Promise<readonly unknown[]>;
  /** Its owner shares a spreadsheet otherwise, from the next call on; a restart forgets it. */
  share(spreadsheetId: string, sharing: Sharing): void;
  requests(): Requests;
  inFlight(): number;
  connections(): number;
  counters(): Counters;
  latency(): HistogramDelta;
  /** Stops accepting, lets calls under way end within `within` (default: at once), and puts everything on disk. */
  close(within?: Ms): Promise<void>;
}

const tokenUri = (url: string): string => new URL("/token", url).href;

/** @throws DroverError when the data directory or the key file can't be used. */
export async function createEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { front, engine, sharing } = await open(options);
  for (const fault of options.faults ?? []) front.faults.arm(fault);
  const server = http.createServer(
    {
      maxHeaderSize: LIMITS.headerBytes,
      headersTimeout: LIMITS.headersTimeout,
      requestTimeout: LIMITS.requestTimeout,
    },
    (req, res) => void front.serve(req, res),
  );
  server.keepAliveTimeout = LIMITS.keepAliveTimeout;
  server.maxConnections = LIMITS.connections;
  server.on("connection", (socket) => front.tally.connected(socket));
  if (options.url === undefined)
    server.on("listening", () => followAddress(server, options.keyFile, options.log));
  return {
    server,
    keyFile: options.keyFile,
    faults: front.faults,
    edit: (spreadsheetId, edit) => editByHand(engine, spreadsheetId, edit),
    rows: (spreadsheetId, tab) => rowsOf(engine, spreadsheetId, tab),
    metadata: (spreadsheetId) => metadataOf(engine, spreadsheetId),
    share: (spreadsheetId, as) => void sharing.set(spreadsheetId, as),
    requests: () => front.tally.requests(),
    inFlight: () => front.tally.inFlight,
    connections: () => front.tally.connections,
    counters: () => front.tally.counters,
    latency: () => front.tally.latency.takeDelta(),
    close: (within = ms(0)) => front.close(server, within),
  };
}

/** Reads what is on disk, makes what is missing, and puts the parts together. */
async function open(
  options: EmulatorOptions,
): Promise<{ front: Front; engine: DurableEngine; sharing: Map<string, Sharing> }> {
  const { clock = systemClock, log, spreadsheets, quota } = options;
  const audience = options.url === undefined ? undefined : tokenUri(options.url);
  const account = await openAccount(options.keyFile, audience);
  const engine = await openState({
    dir: options.dataDir,
    engine: options.engine,
    log,
    onFailure: (error) => options.onFailure?.(error),
  });
  const exists = async (spreadsheetId: string): Promise<boolean> => {
    const method = "sheets.spreadsheets.get";
    const query = { fields: ["spreadsheetId"] };
    const answer = await engine.call({ method, path: { spreadsheetId }, query, body: undefined });
    return answer.status === 200;
  };
  for (const { id, title, tabs } of spreadsheets)
    if (!(await exists(id)))
      await engine.seed(id, title, typeof tabs === "function" ? tabs() : tabs);
  const tokens = new TokenEndpoint(account, {
    lifetime: options.tokenLifetime ?? seconds(3_599),
    clock,
    audience,
  });
  const sharing = new Map<string, Sharing>(
    spreadsheets.map((s) => [s.id, s.sharing ?? "shared"] as const),
  );
  const policy = quota === true ? GOOGLE_QUOTA : quota === false ? NO_QUOTA : quota;
  const ports: CallPorts = {
    guard: createGuard({ tokens, apiKeys: options.apiKeys ?? [], sharing }),
    quota: new Quota(policy, clock),
    engine,
    latency: latency(options.latency, options.seed ?? 1),
    log,
  };
  return {
    front: new Front(ports, tokens, { adminToken: options.adminToken, clock }),
    engine,
    sharing,
  };
}

/** Writes the address into the key file, so that clients that honour token_uri need nothing else. */
function followAddress(server: Server, keyFile: string, log: Logger): void {
  const address = server.address();
  if (address === null || typeof address === "string") return;
  const everywhere = address.address === "::" || address.address === "0.0.0.0";
  const host = everywhere
    ? "127.0.0.1"
    : address.family === "IPv6"
      ? `[${address.address}]`
      : address.address;
  try {
    setTokenUri(keyFile, `http://${host}:${address.port}/token`);
  } catch (error) {
    log.warn({ err: error }, `the key file's token_uri stays as it was: ${messageOf(error)}`);
  }
}
