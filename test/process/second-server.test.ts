/** An application with several servers: all of their sockets are the master's, so that a worker's end costs no client. */
import assert from "node:assert/strict";
import test from "node:test";
import { alive, get } from "./harness.ts";
import { pidOf, twoServers } from "./second-server-helper.ts";
import { eventually } from "../support/wait.ts";

test("with no worker alive, clients of a second server wait in the kernel's queue and are served", async (t) => {
  const { daemon, url } = await twoServers(t, 1);
  const victim = await pidOf(daemon, 0);
  process.kill(victim, "SIGKILL");
  await eventually("it is dead", () => !alive(victim));
  const answers = await Promise.all(Array.from({ length: 5 }, () => get(url)));
  assert.ok(answers.every(({ status, body }) => status === 200 && Number(body) !== victim));
});

test("listen({ fd }) in a worker fails with an error that names the setting to use", async (t) => {
  const { daemon } = await twoServers(t, 1);
  assert.match((await get(`${daemon.url}/descriptor`)).body, /listen\(\{ fd: 3 \}\).*DROVER_BIND/);
});
