/** `drover status --watch`: again and again, over a restart of the daemon, until a signal ends it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { DROVER, ONE, ROOT, start } from "./harness.ts";
import { watch } from "./watch-helper.ts";
import { eventually } from "../support/wait.ts";

const PLAIN = join(ROOT, "test/process/apps/plain.mjs");

test("text again and again; the daemon's restart is survived; SIGINT ends it with 0", async (t) => {
  const first = await start(t, { args: [PLAIN] });
  const watching = watch(t, first.dir, [DROVER, "status", "--watch=0.2"]);
  const times = (pattern: RegExp): number => watching.text().match(pattern)?.length ?? 0;
  await eventually("it was said three times", () => times(/^workers {4}2\/2 ready$/gm) >= 3);
  await first.stop();
  await eventually("it says that nobody answers", () => times(/^\d{4}-\d\d-\d\dT\S+ {2}no daemon answers on .*; asking again$/gm) >= 2);
  const second = await start(t, { cwd: first.dir, args: [PLAIN], env: ONE });
  await eventually("it shows the next one", () => times(new RegExp(`pid ${second.pid}[^]*workers {4}1/1 ready`, "g")) >= 1);
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(watching.text(), /\u001b/, "no terminal, no sequences");
  watching.process.kill("SIGINT");
  assert.deepEqual(await watching.exited, [0, null]);
});

test("wrong intervals and words: 64", async (t) => {
  const daemon = await start(t, { args: [PLAIN], env: ONE });
  for (const args of [["--watch=0"], ["--watch=1e9"], ["--watch=soon"], ["--watch="], ["sometimes"]]) {
    const ended = await watch(t, daemon.dir, ["sh", "-c", '"$0" status "$@" 2>&1', DROVER, ...args]).exited;
    assert.equal(ended[0], 64, args.join(" "));
  }
});
