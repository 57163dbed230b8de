/** A row that Google refuses: set aside, the fault mended, tried again; over a killed broker, and twice at once. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import http from "node:http";
import { join } from "node:path";
import test from "node:test";
import { promisify } from "node:util";
import { standalone, type Standalone } from "../tools/emulator/standalone.ts";
import { cleanEnv, DROVER, get, start, type Daemon } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const run = promisify(execFile);
/** Every batch is refused, and every empty one that follows it, to keep it from landing later, is taken. */
const REFUSE = "status=400,message=no such luck,method=batchUpdate,times=1;status=400,message=no such luck,method=batchUpdate,every=2";

interface Told {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The admin API, as the operator who may open the control socket. */
function admin(daemon: Daemon, method: string, path: string, body?: unknown): Promise<Told> {
  return new Promise((resolve, reject) => {
    const options = { socketPath: join(daemon.dir, "var/run/control.sock"), path: `/api/admin/writes${path}`, method, agent: false };
    const req = http.request(options, (res) => {
      let text = "";
      res.on("data", (chunk: Buffer) => (text += chunk.toString()));
      res.on("end", () => resolve({ status: res.statusCode ?? 0, body: JSON.parse(text) as Told["body"] }));
    });
    req.on("error", reject);
    req.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function append(daemon: Daemon, id: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const req = http.request(`${daemon.url}/api/tables/actions`, { method: "POST", agent: false, headers }, (res) => {
      let text = "";
      res.on("data", (chunk: Buffer) => (text += chunk.toString()));
      res.on("end", () =>
        res.statusCode === 201 ? resolve((JSON.parse(text) as { write: { id: string } }).write.id) : reject(new Error(text)),
      );
    });
    req.on("error", reject);
    req.end(JSON.stringify({ id }));
  });
}

const stateOf = async (daemon: Daemon, id: string): Promise<string | undefined> =>
  (JSON.parse((await get(`${daemon.url}/api/writes/${id}`)).body) as { write?: { state: string } }).write?.state;
const becomes = (daemon: Daemon, id: string, state: string): Promise<unknown> =>
  eventually(`the write ${id} is ${state}`, async () => (await stateOf(daemon, id)) === state);
const times = async (emulator: Standalone, key: string): Promise<number> =>
  (await emulator.rows("actions")).filter((row) => row[0] === key).length;

async function killBroker(daemon: Daemon): Promise<void> {
  const { child } = await daemon.place("broker/0");
  process.kill(child?.pid ?? 0, "SIGKILL");
  await eventually("another broker answers", async () => {
    const place = await daemon.place("broker/0");
    return place.child?.pid !== child?.pid && (await admin(daemon, "GET", "")).status === 200;
  });
}

test("a refused row is tried again and is in the sheet once", { timeout: 120_000 }, async (t) => {
  const emulator = await standalone(t, ["--faults"]);
  const daemon = await start(t, {
    env: {
      DROVER_DEMO: "off",
      ...emulator.env,
      DROVER_TABLES: join(import.meta.dirname, "../../config/tables.json"),
      DROVER_WRITES_PER_MINUTE: "6000",
      DROVER_READS_PER_MINUTE: "6000",
      DROVER_RATE_LIMIT: "off",
    },
  });
  await becomes(daemon, await append(daemon, "before"), "landed"); // the fence is proven by now

  await emulator.order(REFUSE);
  const [first, second] = [await append(daemon, "refused-1"), await append(daemon, "refused-2")];
  await Promise.all([first, second].map((id) => becomes(daemon, id, "parked")));
  const listed = await admin(daemon, "GET", "");
  assert.deepEqual([listed.status, listed.body["count"]], [200, 2]);
  const cli = async (...args: string[]): Promise<string> =>
    (await run(DROVER, ["writes", ...args], { cwd: daemon.dir, env: cleanEnv() })).stdout;
  assert.match(await cli(), new RegExp(`^2 writes set aside[^]*${first}  \\S+  append refused-1 in actions\n.*no such luck`));
  await eventually("status says so", async () => (await daemon.status()).upstream?.writes?.setAside === 2);

  // Not mended yet: parked again, under its id.
  assert.equal((await admin(daemon, "POST", "/retry", { ids: [first] })).status, 200);
  await becomes(daemon, first, "parked");
  const unknown = await admin(daemon, "POST", "/retry", { ids: ["01K0000000000000000000NONE"] });
  assert.deepEqual([unknown.status, unknown.body["code"]], [404, "unknown-write"]);

  await killBroker(daemon);
  assert.equal((await admin(daemon, "GET", "")).body["count"], 2, "both are there after a kill");
  await emulator.clear();
  const twice = await Promise.all([1, 2, 3].map(() => admin(daemon, "POST", "/retry", { ids: [first] })));
  assert.deepEqual(
    twice.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 409, 409],
  );
  await becomes(daemon, first, "landed");
  assert.equal(await times(emulator, "refused-1"), 1);

  // The broker dies while it is told to: whatever became of it, another try ends it, and the row is there once.
  const told = admin(daemon, "POST", "/retry", { ids: [second] });
  await killBroker(daemon);
  await told;
  if ((await stateOf(daemon, second)) === "parked") assert.equal((await admin(daemon, "POST", "/retry", { ids: [second] })).status, 200);
  await becomes(daemon, second, "landed");
  assert.deepEqual([await times(emulator, "refused-1"), await times(emulator, "refused-2")], [1, 1]);

  await emulator.order(REFUSE);
  const third = await append(daemon, "refused-3");
  await becomes(daemon, third, "parked");
  assert.match(await cli("discard", third), /^1 write given up; 0 still set aside\n$/);
  assert.equal(await cli(), "no write is set aside\n");
  assert.match((await get(`${daemon.url}/api/writes/${third}`)).body, /given up by the operator/);
  await assert.rejects(cli("retry"), (error: { code: number }) => error.code === 64);
  await emulator.clear();
  assert.match(await cli("retry", "--all"), /no write is set aside/);
  assert.equal(await times(emulator, "refused-3"), 0);
  // On a service that is not a demo no drill runs without a flag.
  const drilled = (...args: string[]): Promise<unknown> => run(DROVER, ["drill", ...args], { cwd: daemon.dir, env: cleanEnv() });
  await assert.rejects(drilled("kill-worker"), /add --allow-live/);
  const audit = daemon.log().filter((line) => line["audit"] === true && line["action"] === "writes/retry");
  assert.ok(audit.length >= 5);
});
