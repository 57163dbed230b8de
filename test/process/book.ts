/** A daemon on a spreadsheet of the test's own, in an emulator in this process: clients that write, and a person at the sheet. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Emulator } from "../../src/tools/emulator/server.ts";
import { SPREADSHEET } from "../broker/upstream.ts";
import { world as emulatorWorld, request, type Reply } from "../tools/emulator/world.ts";
import { get, start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

type Cell = string | number | boolean;
export interface Tab {
  readonly rows: readonly (readonly Cell[])[];
  /** Its entry in the tables file; public in every way, with a TTL of a minute. */
  readonly table?: Readonly<Record<string, unknown>>;
}

/** A write as clients see it. */
export interface Told {
  readonly id: string;
  readonly key: string;
  readonly state: string;
  readonly reason?: string;
}

export interface Book {
  readonly daemon: Daemon;
  /** Of the daemon, to start it again. */
  readonly env: NodeJS.ProcessEnv;
  readonly emulator: Emulator;
  /** A request that writes. @param path under /api/tables/ */
  write(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Reply>;
  /** A write that is taken. */
  taken(method: string, path: string, body?: unknown): Promise<Told>;
  told(id: string): Promise<Told>;
  /** Waits until it is in the sheet, or set aside. */
  ended(write: Told): Promise<Told>;
  /** A person: requests of `batchUpdate`. */
  hand(...requests: object[]): Promise<void>;
  /** A person types into cells. */
  type(range: string, values: readonly (readonly Cell[])[]): Promise<void>;
  /** A tab as it stands. */
  rows(tab: string): Promise<readonly (readonly unknown[])[]>;
  /** What was entered into a tab's cells, as CellData has it. */
  entered(tab: string): Promise<readonly (readonly unknown[])[]>;
  sheetId(tab: string): Promise<number>;
}

const json = (body: unknown): string | undefined => (body === undefined ? undefined : JSON.stringify(body));

/** @param tabs each a table. @param env of the daemon. */
export async function book(
  t: TestContext,
  tabs: Readonly<Record<string, Tab>>,
  env: NodeJS.ProcessEnv = {},
  cwd = folder(t),
): Promise<Book> {
  const seed = Object.entries(tabs).map(([title, { rows }]) => ({ title, rows: rows as never }));
  const it = await emulatorWorld(t, { spreadsheets: [{ id: SPREADSHEET, title: "Game", tabs: seed }] });
  const all = { read: "public", append: "public", update: "public", ttl: "1m" };
  const tables = Object.fromEntries(Object.entries(tabs).map(([name, { table }]) => [name, { ...all, ...table }]));
  writeFileSync(join(cwd, "tables.json"), JSON.stringify({ tables }));
  const environment = {
    DROVER_SPREADSHEET_ID: SPREADSHEET,
    DROVER_SHEETS_ENDPOINT: `${it.url}/`,
    DROVER_OAUTH_ENDPOINT: `${it.url}/`,
    GOOGLE_APPLICATION_CREDENTIALS: it.emulator.keyFile,
    DROVER_TABLES: join(cwd, "tables.json"),
    DROVER_READS_PER_MINUTE: "10000",
    DROVER_WRITES_PER_MINUTE: "10000",
    DROVER_RATE_LIMIT: "off",
    ...env,
  };
  const daemon = await start(t, { cwd, env: environment });
  const api = `/v4/spreadsheets/${SPREADSHEET}`;
  const done = async (answer: Promise<Reply>): Promise<Reply> => {
    const { status, body } = await answer;
    assert.equal(status, 200, body.toString());
    return answer;
  };
  const url = daemon.url;
  const write: Book["write"] = (method, path, body, headers = {}) =>
    request(
      `${url}/api/tables/${path}`,
      method,
      body === undefined ? headers : { "content-type": "application/json", ...headers },
      json(body),
    );
  const told: Book["told"] = async (id) => (JSON.parse((await get(`${url}/api/writes/${id}`)).body) as { write: Told }).write;
  return {
    daemon,
    env: environment,
    emulator: it.emulator,
    write,
    told,
    async taken(method, path, body) {
      const { status, body: answer } = await write(method, path, body);
      assert.ok(status === 200 || status === 201 || status === 202, `${status} ${answer.toString()}`);
      return (JSON.parse(answer.toString()) as { write: Told }).write;
    },
    ended: ({ id }) =>
      eventually(`the write ${id} has ended`, async () => {
        const write = await told(id);
        return (write.state === "landed" || write.state === "parked") && write;
      }).catch(async (e: unknown) => {
        const { upstream } = await daemon.status(); // what a failing run leaves: the next one may not fail
        const said = daemon.log().filter(({ role }) => role === "broker");
        console.log(JSON.stringify([await told(id), upstream, ...said.slice(-30)], null, 1));
        throw e;
      }),
    hand: async (...requests) => void (await done(it.call("POST", `${api}:batchUpdate`, { requests }))),
    type: async (range, values) =>
      void (await done(it.call("PUT", `${api}/values/${encodeURIComponent(range)}?valueInputOption=RAW`, { values }))),
    rows: (tab) => it.emulator.rows(SPREADSHEET, tab),
    async entered(tab) {
      const fields = "sheets.data.rowData.values.userEnteredValue";
      const answer = await done(it.call("GET", `${api}?ranges=${encodeURIComponent(tab)}&includeGridData=true&fields=${fields}`));
      const rows = answer.json().sheets[0].data[0].rowData as { values?: { userEnteredValue?: unknown }[] }[];
      return rows.map(({ values = [] }) => values.map(({ userEnteredValue }) => userEnteredValue));
    },
    async sheetId(tab) {
      const { sheets } = (await done(it.call("GET", `${api}?fields=sheets.properties`))).json();
      return (
        (sheets as { properties: { title: string; sheetId?: number } }[]).find((s) => s.properties.title === tab)?.properties.sheetId ?? 0
      );
    },
  };
}
