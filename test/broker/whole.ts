/** A broker with its journal and its flusher, over an emulator's HTTP server: all in this process. */
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { makeLogger } from "../../src/base/log.ts";
import { mebibytes, ms, perMinute, seconds } from "../../src/base/units.ts";
import { Broker } from "../../src/broker/broker.ts";
import { readServiceAccount } from "../../src/broker/credentials.ts";
import { createGoogle } from "../../src/broker/google.ts";
import { openWrites } from "../../src/broker/means.ts";
import { createEmulator, type Emulator } from "../../src/tools/emulator/server.ts";
import { parseTables } from "../../src/sheets/tables.ts";
import { temporaryFolder } from "../support/folder.ts";

type Rows = readonly (readonly (string | number | boolean)[])[];

export const SPREADSHEET = "spreadsheet-of-the-whole";

export interface Whole {
  readonly broker: Broker;
  readonly emulator: Emulator;
  readonly dataDir: string;
  readonly lines: readonly string[];
  rows(tab: string): ReturnType<Emulator["rows"]>;
}

/** @param tables as in the tables file. */
export async function whole(t: TestContext, tabs: Readonly<Record<string, Rows>>, said: object): Promise<Whole> {
  const lines: string[] = [];
  const log = makeLogger({ role: "broker" }, "debug", { write: (line: string) => void lines.push(line) });
  const folder = temporaryFolder("whole");
  const emulator = await createEmulator({
    dataDir: join(folder, "emulator"),
    keyFile: join(folder, "key.json"),
    spreadsheets: [{ id: SPREADSHEET, title: "Whole", tabs: Object.entries(tabs).map(([title, rows]) => ({ title, rows })) }],
    latency: "none",
    quota: false,
    log: makeLogger({ role: "emulator" }, "silent", { write() {} }),
  });
  await new Promise<void>((resolve) => emulator.server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(emulator.server.address() as AddressInfo).port}`;
  const upstream = createGoogle({
    spreadsheetId: SPREADSHEET,
    account: readServiceAccount(join(folder, "key.json")),
    sheetsEndpoint: endpoint,
    oauthEndpoint: endpoint,
    timeout: ms(10_000),
    clock: systemClock,
  });
  const dataDir = join(folder, "data");
  const tables = parseTables(JSON.stringify({ tables: said }), "tables.json", ms(200));
  const common = { spreadsheetId: SPREADSHEET, dataDir, journalSize: mebibytes(64) };
  const rates = { readsPerMinute: perMinute(6_000), writesPerMinute: perMinute(6_000) };
  const broker = new Broker({ ...common, ...rates, tables, ttl: ms(200), upstream, clock: systemClock, log });
  const config = { ...common, ...rates } as Parameters<typeof openWrites>[0]["config"];
  const fatal = (why: string): void => assertNever(why);
  broker.openWrites(await openWrites({ config, upstream, log, fatal, lastAccepted: broker.lastAccepted }));
  broker.start();
  t.after(async () => {
    await broker.close();
    await emulator.close(seconds(1));
  });
  return { broker, emulator, dataDir, lines, rows: (tab) => emulator.rows(SPREADSHEET, tab) };
}

function assertNever(why: string): never {
  throw new Error(why);
}
