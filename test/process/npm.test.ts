/** `npm start` as people type it, and signals. */
import assert from "node:assert/strict";
import test from "node:test";
import { descendants, get } from "./harness.ts";
import { gone, npmStart } from "./npm-helper.ts";
import { folder, sent } from "../support/cleanup.ts";

test("TERM to npm: no process is left, the port is free", async (t) => {
  const daemon = await npmStart(t, folder(t)).ready();
  const { url } = daemon;
  assert.equal((await get(url)).status, 200);
  const family = [daemon.pid, ...descendants(daemon.pid)];
  daemon.signal("SIGTERM");
  await gone(family, url);
});

test("the master is npm's own child: no shell is between a signal and it", async (t) => {
  const daemon = await npmStart(t, folder(t)).ready();
  const [master] = descendants(daemon.pid).filter((pid) => descendants(pid).length > 0);
  assert.ok(master, "npm has a child with children");
  sent(master, "SIGTERM");
  assert.equal((await daemon.exited).code, 0, "npm exits with its code");
});
