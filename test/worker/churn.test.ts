/** What a worker says of connections that come and go, and of kept ones that leave. */
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test, type TestContext } from "node:test";
import { ms } from "../../src/base/units.ts";
import { KEPT } from "../../src/worker/turnover.ts";
import { eventually } from "../support/wait.ts";
import { startRig, type Rig } from "./rig.ts";

const MANY = 40;
/** So many more come than left: news for the master. */
const MORE = 5;

async function open(rig: Rig, count: number): Promise<net.Socket[]> {
  const sockets = Array.from({ length: count }, () => net.connect(rig.port, "127.0.0.1"));
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  return sockets;
}

/** About as many come as leave, at about the same time. @returns whether the worker calls that churn. */
async function exchange(t: TestContext, lasted: number): Promise<boolean> {
  const rig = startRig({ builtIn: { default: () => {} } });
  await rig.until("ready");
  const told = async (connections: number): Promise<void> => {
    while (rig.said.findLast((message) => message.type === "holds")?.connections !== connections) await rig.next("holds");
  };
  const first = await open(rig, MANY);
  await told(MANY);
  const now = performance.now.bind(performance);
  t.mock.method(performance, "now", () => now() + lasted);
  for (const socket of first) socket.destroy();
  const second = await open(rig, MANY + MORE);
  await told(MANY + MORE);
  const churned = rig.said.some((message) => message.type === "holds" && message.churns);
  for (const socket of second) socket.destroy();
  t.mock.restoreAll();
  rig.tell({ type: "drain", within: ms(500) });
  await rig.exited;
  return churned;
}

test("connections that leave soon while others come are churn", async (t) => {
  // In one look's span, 20 ms: on a busy machine they may come later.
  await eventually("connections leave and come in one look", () => exchange(t, 0));
});

test("kept ones that leave while others come are not", async (t) => {
  for (let nr = 0; nr < 3; nr += 1) assert.equal(await exchange(t, KEPT), false);
});
