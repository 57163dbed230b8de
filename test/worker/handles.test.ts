import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { pause } from "../../src/base/held.ts";
import { http } from "../../src/base/http.ts";
import { Handles } from "../../src/worker/handles.ts";
import { Intake } from "../../src/worker/intake.ts";
import { Holder } from "./holder.ts";
import { Client } from "./http.ts";

test("several addresses: complete when each has its handle; held while anybody has a reason, on all of them", async () => {
  const holders = [await Holder.start(), await Holder.start()] as const;
  const addresses = holders.map(({ port }) => ({ name: `127.0.0.1:${port}`, kind: "tcp" }) as const);
  const handles = new Handles(addresses);
  let complete = false;
  void handles.complete.then(() => (complete = true));
  assert.equal(handles.take(0, await holders[0].one()), true);
  await new Promise(setImmediate);
  assert.equal(complete, false);
  assert.equal(handles.take(1, await holders[1].one()), true);
  await handles.complete;
  const server = http.createServer((_, res) => res.end("both"));
  const listening = once(server, "listening");
  handles.attach(server, 16);
  await listening;
  const answered = async (port: number): Promise<string> => (await new Client(port).get("/", ["Connection: close"])).body;
  assert.deepEqual(await Promise.all(holders.map(({ port }) => answered(port))), ["both", "both"]);
  const intake = new Intake(() => 16);
  intake.land(server);
  assert.equal(intake.hold("cap"), true);
  assert.equal(intake.hold("pace"), true);
  let early = 0;
  const waited = holders.map(async ({ port }) => {
    const body = await answered(port); // it waits in the kernel's queue
    early += 1;
    return body;
  });
  intake.release("cap");
  for (let i = 0; i < 50; i += 1) await new Promise(setImmediate);
  assert.equal(early, 0, "there is another reason still");
  intake.release("pace");
  assert.deepEqual(await Promise.all(waited), ["both", "both"]);
  for (const thing of [undefined, {}, "handle"]) assert.equal(handles.take(0, thing), false);
  assert.equal(handles.take(2, undefined), false);
  server.close();
  server.closeAllConnections();
  for (const holder of holders) holder.stop();
});

test("a further handle for an address is accepted from as well; with the next one the first is closed", async () => {
  const holders = [await Holder.start(), await Holder.start(), await Holder.start()] as const;
  const handles = new Handles([{ name: "unix:/a", kind: "unix" }]);
  handles.take(0, await holders[0].one());
  const server = http.createServer((_, res) => res.end("here"));
  const listening = once(server, "listening");
  handles.attach(server, 16);
  await listening;
  const answered = async (port: number): Promise<string> => (await new Client(port).get("/", ["Connection: close"])).body;
  assert.equal(handles.take(0, await holders[1].one()), true);
  assert.deepEqual([await answered(holders[0].port), await answered(holders[1].port)], ["here", "here"]);
  assert.equal(handles.take(0, await holders[2].one()), true);
  assert.deepEqual([await answered(holders[1].port), await answered(holders[2].port)], ["here", "here"]);
  assert.equal(pause(server), 2, "no more than two are kept");
  server.close();
  server.closeAllConnections();
  for (const holder of holders) holder.stop();
});

test("a worker without addresses has nothing to wait for", async () => {
  await new Handles([]).complete;
});
