import assert from "node:assert/strict";
import net from "node:net";
import { join } from "node:path";
import test from "node:test";
import { ROOT, start } from "./harness.ts";
import { eventually } from "../support/wait.ts";
import { crowd } from "./stuck-clients.ts";

test("a stuck worker is killed: it resets its own connections, and none that another worker or the kernel's queue holds", async (t) => {
  const daemon = await start(t, {
    args: [join(ROOT, "test/process/apps/plain.mjs")],
    env: { DROVER_WORKERS: "3", DROVER_TIMEOUT: "2s" },
  });
  const port = Number(new URL(daemon.url).port);
  const pids = async (): Promise<number[]> => (await daemon.status()).places.map(({ child }) => child?.pid ?? 0);
  const clients = crowd(port, { kept: 90, fresh: 60 }, pids);
  await eventually("every client has been answered", () => clients.answered() >= 300);
  const loops = net.connect(port, "127.0.0.1").on("error", () => {}); // its end is expected
  loops.write("GET /loop HTTP/1.1\r\nHost: t\r\n\r\n");
  const { child: victim } = await eventually("a worker was stuck", () => daemon.log().find((line) => line["death"] === "stuck"));
  const answered = clients.answered();
  await eventually("the others go on", () => clients.answered() >= answered + 150);
  await clients.stop();
  const own = clients.lost.filter(({ owner }) => owner === victim);
  t.diagnostic(`${own.length} of 150 clients were the stuck worker's own; ${clients.lost.length - own.length} of others were reset`);
  assert.deepEqual(
    clients.lost.filter(({ owner }) => owner !== victim),
    [],
  );
  assert.ok(own.length > 0, "it held some");
});
