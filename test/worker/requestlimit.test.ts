import assert from "node:assert/strict";
import test from "node:test";
import { requestLimit } from "../../src/worker/requestlimit.ts";
import { Client } from "./http.ts";
import { startRig } from "./rig.ts";

test("the limit is drawn for each start, evenly between the setting and the jitter on top", () => {
  const draw = (random: number): number => requestLimit({ maxRequests: 1_000, maxRequestsJitter: 200 }, () => random);
  assert.deepEqual([0, 0.5, 0.999_999].map(draw), [1_000, 1_100, 1_200]);
  assert.equal(
    requestLimit({ maxRequests: 0, maxRequestsJitter: 200 }, () => 0.5),
    Infinity,
  );
});

test("a worker reports once, with the request that reaches its limit", async () => {
  const rig = startRig({
    config: { maxRequests: 3, maxRequestsJitter: 4 },
    random: () => 0.5,
    builtIn: { default: async (instance: { get(path: string, answer: () => string): void }) => instance.get("/", () => "x") },
  });
  await rig.until("ready");
  const client = new Client(rig.port);
  const reports = (): unknown[] => rig.said.filter(({ type }) => type === "worn");
  for (let i = 1; i <= 4; i += 1) assert.equal((await client.get("/")).status, 200);
  assert.deepEqual(reports(), [], "3 + 2 of 0…4 on top");
  for (let i = 5; i <= 8; i += 1) await client.get("/");
  assert.deepEqual(reports(), [{ type: "worn", served: 5 }]);
  await client.end();
  rig.tell({ type: "drain", within: 2_000 as never });
  assert.equal(await rig.exited, 0);
});
