/** What an application may do to its supervisor: it costs one worker at most, never the service. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { atEnd, sent } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";
import { act, bothReady, descriptors, hostile, memory, replaced } from "./hostile-helper.ts";
import { alive, descendants, get } from "./harness.ts";

test("an application that harms its supervisor", async (t) => {
  const daemon = await hostile(t);
  await t.test("forged, countless and huge messages, and descriptors that nobody asked for: ignored, and nothing grows", async (t) => {
    const before = descriptors(daemon.pid);
    for (const [i, what] of ["forged", "flood", "huge", "holds", "handles"].entries()) {
      await act(daemon, what);
      // One channel, one order: the beat that counts this request comes after all that was sent with it.
      await eventually("its beat has come", async () => (await daemon.status()).counters.served > i);
    }
    await bothReady(daemon);
    t.diagnostic(`master: ${memory(daemon.pid).toFixed(0)} MiB, ${descriptors(daemon.pid)} descriptors (${before} before)`);
    await eventually("no descriptor stays", () => Math.abs(descriptors(daemon.pid) - before) <= 2);
  });

  await t.test("what is no message on its channel, or none that Node.js can take, costs the worker that sent it", async () => {
    for (const what of ["garbage", "endless", "bogus", "ack", "query"]) {
      await replaced(daemon, await act(daemon, what));
      assert.equal((await get(daemon.url)).status, 200, what);
    }
    await daemon.logged(/broke its channel.*not valid JSON/);
    await daemon.logged(/broke its channel.*longer than/);
  });

  await t.test("a worker that closes its channel, or leaves it, is replaced", async () => {
    for (const what of ["close3", "disconnect", "exit"]) await replaced(daemon, await act(daemon, what));
  });
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test("while a worker prints without pause the operator is answered", async (t) => {
  const daemon = await hostile(t);
  const printing = act(daemon, "lines"); // answered when all is written, to a pipe that the master reads
  await daemon.logged(/^x$/);
  let worst = 0;
  for (let i = 0; i < 10; i += 1) {
    const begun = performance.now();
    assert.equal((await daemon.status()).state, "running");
    worst = Math.max(worst, performance.now() - begun);
  }
  t.diagnostic(`slowest answer of the control socket ${worst.toFixed(0)} ms`);
  await printing;
  await act(daemon, "long");
  await daemon.logged(/^y{16384}… \(cut\)$/);
  assert.equal((await daemon.stop("SIGINT")).code, 0);
});

test("what a worker forked and left behind, its pipes in hand, keeps neither the worker's end from being seen nor the master from ending", async (t) => {
  const daemon = await hostile(t);
  const parent = await act(daemon, "child");
  const left = await eventually("it has forked", () =>
    descendants(parent).find((pid) => read(`/proc/${pid}/cmdline`).startsWith("sleep\u0000")),
  );
  atEnd(t, async () => {
    sent(left, "SIGKILL");
    await eventually("it has ended", () => !alive(left));
  });
  process.kill(parent, "SIGKILL");
  await replaced(daemon, parent);
  daemon.signal("SIGTERM");
  assert.deepEqual(await daemon.exited, { code: 0, signal: null });
  assert.ok(alive(left));
});

const read = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // it has gone
  }
};
