import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { answerControl, type ControlPorts } from "../../../src/tools/emulator/control-routes.ts";
import { parseFaults } from "../../../src/tools/emulator/faults/parse-fault.ts";
import { ADMIN, faulty, reset } from "./faults/faulty.ts";
import { request, world } from "./world.ts";

test("without a token there are no control routes; with one they ask for it, and a page may not use them", async (t) => {
  const closed = await world(t);
  assert.match((await closed.ask("GET", "/emulator/faults")).body.toString(), /404/);
  const w = await faulty(t);
  const order = async (headers: Record<string, string>, specs = "hang") =>
    (await w.admin("POST", "/emulator/faults", specs, headers)).status;
  assert.equal((await request(`${w.url}/emulator/faults`, "GET", {}, undefined)).status, 401);
  for (const authorization of ["Bearer wrong", `Basic ${ADMIN}`, `Bearer ${await w.token()}`])
    assert.equal(await order({ authorization }), 401);
  assert.equal(await order({ origin: "http://evil.example" }), 403);
  for (const type of ["application/x-www-form-urlencoded", "application/json"])
    assert.equal(await order({ "content-type": type }), 415);
  assert.equal(await order({}, "x".repeat(70_000)), 413);
  assert.equal(await order({}, "hnag"), 400);
  assert.equal((await w.admin("GET", "/emulator/nothing")).status, 404);
  assert.deepEqual(w.emulator.faults.list(), []);
  assert.equal((await w.get()).status, 200);
});

test("only from this machine", async () => {
  const answers: number[] = [];
  const res = {
    writeHead: (status: number) => (answers.push(status), { end: () => {} }),
  } as unknown as ServerResponse;
  const foreign = ["10.0.0.7", "::ffff:10.0.0.7", "fe80::1", "128.0.0.1"];
  for (const remoteAddress of [...foreign, "127.0.0.1", "::ffff:127.0.0.1", "::1"]) {
    const socket = { remoteAddress };
    const req = { socket, headers: {}, url: "/emulator/faults", method: "GET" };
    await answerControl(req as unknown as IncomingMessage, res, { token: ADMIN } as ControlPorts);
  }
  assert.deepEqual(answers, [403, 403, 403, 403, 401, 401, 401]);
});

test("faults from the start, their counters, and an order", async (t) => {
  const faults = parseFaults("status=503,method=read;drop,method=values.append,times=2");
  assert.ok(typeof faults !== "string");
  const w = await faulty(t, { faults });
  assert.equal((await w.get()).status, 503);
  await reset(w.append("a"));
  const { waiting, delivered } = (await w.admin("GET", "/emulator/faults")).json();
  const method = "sheets.spreadsheets.values.append";
  const drop = { kind: "drop", partial: false, method, applied: false, times: 1 };
  assert.deepEqual(waiting, [drop]);
  const byMethod = { "sheets.spreadsheets.values.get": 1, [method]: 1 };
  assert.deepEqual(delivered, { total: 2, byKind: { status: 1, drop: 1 }, byMethod });
  assert.equal((await w.admin("GET", "/emulator/requests")).json().reads, 1);
  const ordered = await w.admin("POST", "/emulator/faults", "drop,method=values.append");
  assert.deepEqual([ordered.status, ordered.json()], [201, [drop]]);
  assert.equal((await w.admin("POST", "/emulator/faults", "hang;".repeat(999))).status, 409);
  const { waiting: left } = (await w.admin("DELETE", "/emulator/faults")).json();
  assert.deepEqual([left, w.emulator.faults.list()], [[], []]);
});
