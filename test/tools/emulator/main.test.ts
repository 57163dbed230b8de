/** The emulator as a child of the master: the test is the master, the held socket is real. */
import assert from "node:assert/strict";
import { once, EventEmitter } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { rawHandle } from "../../../src/base/held.ts";
import type { MasterPort } from "../../../src/base/port.ts";
import type { FromChild, ToChild } from "../../../src/base/protocol.ts";
import { ms, seconds } from "../../../src/base/units.ts";
import type { EmulatorConfig } from "../../../src/tools/emulator/config.ts";
import { runEmulator } from "../../../src/tools/emulator/main.ts";
import { assertion, folder, FORM, grant, request } from "./world.ts";

const SAMPLE = fileURLToPath(new URL("../../../config/sample/", import.meta.url));

interface Master {
  readonly dir: string;
  readonly said: FromChild[];
  /** Resolves with the exit code. */
  readonly exited: Promise<number>;
  readonly port: number;
  readonly config: EmulatorConfig;
  tell(message: ToChild, handle?: unknown): void;
  heard<T extends FromChild["type"]>(type: T): Promise<Extract<FromChild, { type: T }>>;
  die(): void;
}

async function supervise(t: TestContext, change: Partial<EmulatorConfig> = {}): Promise<Master> {
  const dir = folder();
  const handle = rawHandle({ host: "127.0.0.1", port: 0 });
  const name = {} as AddressInfo;
  handle.getsockname?.(name);
  const wire = new EventEmitter();
  const said: FromChild[] = [];
  const port: MasterPort = {
    send: (message) => (said.push(message), void wire.emit(message.type, message)),
    onMessage: (take) => void wire.on("to", take),
    onLost: (lost) => void wire.once("lost", lost),
  };
  const config: EmulatorConfig = {
    dataDir: join(dir, "data"),
    sampleDir: SAMPLE,
    keyFile: join(dir, "data", "key.json"),
    spreadsheetId: "sample",
    latency: "none",
    quota: true,
    adminToken: null,
    url: `http://127.0.0.1:${name.port}`,
    backlog: 16,
    log: { target: { file: join(dir, "log") }, level: "info" },
    ...change,
  };
  const exited = Promise.withResolvers<number>();
  t.after(() => wire.emit("lost"));
  runEmulator(config, port, exited.resolve);
  const configure = {
    type: "configure",
    role: "emulator",
    slot: 0,
    generation: 1,
    masterPid: process.pid,
    beatEvery: ms(20),
    addresses: [],
    config,
  } as const;
  wire.emit("to", configure, undefined);
  wire.emit("to", { type: "handle", address: 0, use: "listen" }, handle);
  return {
    dir,
    said,
    config,
    exited: exited.promise,
    port: name.port,
    tell: (message, lent) => void wire.emit("to", message, lent),
    heard: async (type) => {
      const found =
        said.find((m) => m.type === type) ?? ((await once(wire, type)) as [FromChild])[0];
      return found as never;
    },
    die: () => void wire.emit("lost"),
  };
}

test("configure, handle, ready, beats, the sample over HTTP, drain, exit 0", async (t) => {
  const master = await supervise(t);
  assert.equal((await master.heard("ready")).where, master.config.url);
  const ask = (path: string, headers = {}) =>
    request(`${master.config.url}${path}`, "GET", headers, undefined);
  const signed = grant(await assertion(master.config.keyFile, {}));
  const made = await request(`${master.config.url}/token`, "POST", FORM, signed);
  const authorization = `Bearer ${made.json().access_token}`;
  const players = await ask("/v4/spreadsheets/sample/values/players!A1:C3", { authorization });
  assert.deepEqual(players.json().values[0], ["id", "name", "team"]);
  assert.equal(
    JSON.parse(await readFile(master.config.keyFile, "utf8")).token_uri,
    `${master.config.url}/token`,
  );
  const served = () =>
    master.said.filter((m) => m.type === "beat").some((m) => m.counters.served === 2);
  while (!served()) await new Promise(setImmediate);
  master.tell({ type: "drain", within: seconds(5) });
  assert.equal(await master.exited, 0);
  assert.equal((await master.heard("drained")).served, 2);
  const beats = master.said.length;
  await assert.rejects(ask("/"), { code: "ECONNREFUSED" });
  assert.equal(master.said.length, beats, "no beat after the drain");
});

test("a token opens the control routes", async (t) => {
  const adminToken = "a-token-of-the-demo";
  const master = await supervise(t, { adminToken });
  await master.heard("ready");
  const ask = (token: string) =>
    request(
      `${master.config.url}/emulator/faults`,
      "GET",
      { authorization: `Bearer ${token}` },
      undefined,
    );
  assert.deepEqual((await ask(adminToken)).json().waiting, []);
  assert.equal((await ask("another")).status, 401);
  master.tell({ type: "drain", within: seconds(5) });
  assert.equal(await master.exited, 0);
});

test("it exits with 0 when the master dies", async (t) => {
  const master = await supervise(t);
  await master.heard("ready");
  master.die();
  assert.equal(await master.exited, 0);
});

test("with a state on disk it starts without the folder of CSV files", async (t) => {
  const first = await supervise(t);
  await first.heard("ready");
  first.die();
  assert.equal(await first.exited, 0);
  const { dataDir, keyFile } = first.config;
  const sampleDir = join(first.dir, "nowhere");
  const second = await supervise(t, { dataDir, keyFile, sampleDir });
  await second.heard("ready");
});

test("a failed start is fatal, with its exit code and reason", async (t) => {
  const dir = folder();
  await writeFile(join(dir, "file"), "");
  for (const [change, code] of [
    [{ dataDir: join(dir, "file") }, "DROVER_E_DATA_DIR"],
    [{ sampleDir: join(dir, "nowhere") }, "DROVER_E_DATA_DIR"],
    [{ keyFile: join(dir, "file") }, "DROVER_E_CREDENTIALS"],
  ] as const) {
    const master = await supervise(t, change);
    assert.equal(await master.exited, 78);
    const fatal = await master.heard("fatal");
    assert.deepEqual([fatal.exit, fatal.code], [78, code]);
    assert.match(fatal.message, /file|nowhere/);
  }
});
