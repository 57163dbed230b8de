/** Doctor on the embedded emulator, over HTTP, with whatever stands between them. */
import { mkdtempSync, rmSync } from "node:fs";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { http } from "../../../src/base/http.ts";
import { systemClock, type Clock } from "../../../src/base/clock.ts";
import { perMinute, seconds } from "../../../src/base/units.ts";
import { readServiceAccount } from "../../../src/broker/credentials.ts";
import { Ledger } from "../../../src/broker/quota.ts";
import { createRaw } from "../../../src/broker/raw.ts";
import type { AssumptionId, Finding } from "../../../src/cli/doctor/sheets/assumptions.ts";
import type { Ports } from "../../../src/cli/doctor/sheets/bench.ts";
import { run, type Run, type Wanted } from "../../../src/cli/doctor/sheets/run.ts";
import { createEngine } from "../../../src/emulator/engine/engine.ts";
import { createEmulator, type Emulator, type EmulatorOptions } from "../../../src/emulator/server.ts";
import { request, silent, type Reply } from "../../emulator/world.ts";

export const ID = "an-empty-spreadsheet-of-nobody";

export interface World {
  readonly emulator: Emulator;
  readonly url: string;
}

/** An emulator with one empty spreadsheet that is called throw-away. */
export async function emulated(t: TestContext, options: Partial<EmulatorOptions> = {}): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), "drover-doctor-"));
  const emulator = await createEmulator({
    engine: createEngine,
    dataDir: dir,
    keyFile: join(dir, "key.json"),
    latency: "none",
    quota: false,
    spreadsheets: [{ id: ID, title: "A throw-away spreadsheet", tabs: [{ title: "Sheet1", rows: [] }] }],
    log: silent,
    ...options,
  });
  emulator.server.listen(0, "127.0.0.1");
  await once(emulator.server, "listening");
  t.after(async () => {
    await emulator.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return { emulator, url: `http://127.0.0.1:${(emulator.server.address() as AddressInfo).port}/` };
}

/** Ports that wait for nothing. */
export function ports(t: TestContext, world: World, more: Partial<Ports> = {}, clock: Clock = systemClock): Ports {
  const ledger = (): Ledger => new Ledger(perMinute(1e6), clock);
  const raw = createRaw({
    spreadsheetId: ID,
    account: readServiceAccount(world.emulator.keyFile),
    sheetsEndpoint: world.url,
    oauthEndpoint: world.url,
    timeout: seconds(10),
    clock,
  });
  t.after(() => raw.close());
  const sleep = async (): Promise<void> => {};
  const quiet = { sleep, say: () => {}, stopped: () => false, seed: "seed", timeout: seconds(10) };
  return { raw, clock, ledgers: { read: ledger(), write: ledger() }, ...quiet, ...more };
}

export const PLAIN: Wanted = { exhaust: false, byHand: false };

/** @returns the run and, by finding, the ids. */
export async function examined(with_: Ports, wanted: Wanted = PLAIN) {
  const done: Run = await run(with_, wanted, () => {});
  const ids = (is: Finding["is"]): AssumptionId[] => [...done.findings].filter(([, finding]) => finding.is === is).map(([id]) => id);
  return { ...done, confirmed: ids("confirmed"), falsified: ids("falsified"), untested: ids("untested") };
}

/** What an API that is otherwise does with one call. `body` is JSON, `{}` for none; `forward` asks the emulator. */
export interface Call {
  readonly verb: string;
  readonly url: URL;
  readonly body: any; // oxlint-disable-line typescript/no-explicit-any -- whatever a test takes apart
  /** @param body in place of the call's own. @param query changes the call's own. */
  forward(body?: unknown, query?: Readonly<Record<string, string | undefined>>): Promise<Answered>;
}
export interface Answered {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: any; // oxlint-disable-line typescript/no-explicit-any -- whatever a test takes apart
}
/** @returns undefined for a call that goes as it is. */
export type Otherwise = (call: Call) => Promise<Answered> | undefined;

/** A server in front of the emulator that is otherwise in one thing. */
export async function proxied(t: TestContext, world: World, otherwise: Otherwise): Promise<World> {
  const server = http.createServer((req, res) => void answer(req, res, world.url, otherwise));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { ...world, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

async function answer(req: IncomingMessage, res: ServerResponse, to: string, otherwise: Otherwise): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of req) parts.push(part as Buffer);
  const bytes = Buffer.concat(parts);
  const url = new URL(req.url ?? "/", to);
  const { "accept-encoding": _, "content-length": _length, host: _host, connection: _connection, ...headers } = req.headers;
  const verb = req.method ?? "GET";
  if (url.pathname === "/token") {
    const reply = await request(url.href, verb, headers, bytes);
    return void res.writeHead(reply.status, { "content-type": "application/json" }).end(reply.body);
  }
  const forward: Call["forward"] = async (body, query = {}) => {
    const changed = new URL(url);
    for (const [name, value] of Object.entries(query))
      if (value === undefined) changed.searchParams.delete(name);
      else changed.searchParams.set(name, value);
    const given = body === undefined ? (bytes.length === 0 ? undefined : bytes) : Buffer.from(JSON.stringify(body));
    const { status, body: text }: Reply = await request(changed.href, verb, headers, given);
    return { status, body: JSON.parse(text.toString()) as unknown };
  };
  const body: unknown = bytes.length === 0 ? {} : JSON.parse(bytes.toString());
  const { status, headers: more = {}, body: said } = await (otherwise({ verb, url, body, forward }) ?? forward());
  const pretty = url.searchParams.get("prettyPrint") === "false" ? undefined : 2;
  res.writeHead(status, { "content-type": "application/json; charset=UTF-8", ...more }).end(JSON.stringify(said, null, pretty));
}
