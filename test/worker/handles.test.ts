import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { pause } from "../../src/base/held.ts";
import type { FromChild } from "../../src/base/protocol.ts";
import { Handles } from "../../src/worker/handles.ts";
import { Holder } from "./holder.ts";
import { Client } from "./http.ts";

test("several addresses: complete when each has its handle; re-arming takes one of each from the reserve and asks for as many", async () => {
  const holders = [await Holder.start(), await Holder.start()] as const;
  const said: FromChild[] = [];
  const addresses = holders.map(({ port }) => ({ name: `127.0.0.1:${port}`, kind: "tcp" }) as const);
  const handles = new Handles(addresses, { send: (message) => void said.push(message), onMessage() {}, onLost() {} });
  let complete = false;
  void handles.complete.then(() => (complete = true));
  assert.equal(handles.take(0, "listen", await holders[0].one()), true);
  await new Promise(setImmediate);
  assert.equal(complete, false);
  assert.equal(handles.take(1, "listen", await holders[1].one()), true);
  await handles.complete;
  const server = createServer((_, res) => res.end("both"));
  const listening = once(server, "listening");
  handles.attach(server, 16);
  await listening;
  const answered = async (port: number): Promise<string> => (await new Client(port).get("/", ["Connection: close"])).body;
  assert.deepEqual(await Promise.all(holders.map(({ port }) => answered(port))), ["both", "both"]);
  pause(server);
  assert.equal(handles.rearm(server, 16), false, "there is no reserve");
  let refilled = 0;
  handles.refilled = () => (refilled += 1);
  handles.take(0, "reserve", await holders[0].one());
  assert.equal(handles.rearm(server, 16), false, "one address still has none");
  handles.take(1, "reserve", await holders[1].one());
  assert.equal(refilled, 2);
  const waited = holders.map(({ port }) => answered(port)); // these wait in the kernel's queues
  assert.equal(handles.rearm(server, 16), true);
  assert.deepEqual(await Promise.all(waited), ["both", "both"]);
  assert.deepEqual(
    said,
    [0, 1].map((address) => ({ type: "refill", address, count: 1 })),
  );
  for (const thing of [undefined, {}, "handle"]) assert.equal(handles.take(0, "reserve", thing), false);
  assert.equal(handles.take(2, "listen", undefined), false);
  server.close();
  server.closeAllConnections();
  for (const holder of holders) holder.stop();
});

test("a worker without addresses has nothing to wait for", async () => {
  await new Handles([], { send() {}, onMessage() {}, onLost() {} }).complete;
});
