/** An application's answers that no client reads. */
import assert from "node:assert/strict";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { get, ROOT, start } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const LARGE = join(ROOT, "test/process/apps/large.mjs");
const MIB = 1_048_576;

test("DROVER_MAX_RSS replaces a worker that holds large answers for clients that read nothing", async (t) => {
  const daemon = await start(t, { args: [LARGE], env: { DROVER_WORKERS: "1", DROVER_MAX_RSS: "300m", DROVER_GRACEFUL_TIMEOUT: "1s" } });
  const first = (await daemon.place("worker/0")).child?.pid;
  const { port, hostname: host } = new URL(daemon.url);
  const clients = Array.from({ length: 12 }, () => {
    const socket = net.connect({ port: Number(port), host }).pause();
    socket.on("error", () => {}).write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    return socket;
  });
  t.after(() => clients.forEach((socket) => socket.destroy()));
  const seen = await eventually("the status shows it", async () => {
    const rss = (await daemon.place("worker/0")).child?.rss ?? 0;
    return rss > 300 * MIB && rss;
  });
  t.diagnostic(`${Math.round(seen / MIB)} MiB`);
  const socketPath = join(daemon.dir, "var/run/control.sock");
  await eventually("so do the metrics, with their next sample", async () =>
    /^process_resident_memory_bytes\{role="worker",slot="0"\} \d{9,}$/m.test((await get("http://localhost/metrics", { socketPath })).body),
  );
  await daemon.logged(/worker.*it holds \d+ MiB, 3 samples in a row \(DROVER_MAX_RSS\)/);
  const fresh = await eventually("another worker serves in its place", async () => {
    const { child, leaving } = await daemon.place("worker/0");
    return child !== null && child.pid !== first && child.state === "ready" && leaving.length === 0 && child;
  });
  assert.ok((fresh.rss ?? 0) < 300 * MIB);
});
