/** Orders that are too early or too large: the answer of the daemon is what it then does. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { cleanEnv, DROVER, get, ONE, ROOT, start } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const PLAIN = join(ROOT, "test/process/apps/plain.mjs");

test("a recycle that can't be done is refused with the reason, and more workers than memory holds are not forked", async (t) => {
  const env = { DROVER_WORKERS: "2", DROVER_ROLL_SETTLE: "20s", DROVER_MEMORY: "500m" };
  const daemon = await start(t, { args: [PLAIN], env });
  const many = await daemon.control("scale", { to: 100 });
  assert.equal(many.status, 409);
  assert.match(many.body, /from 1 to 5, not 100: 500 MiB of memory hold 5/);
  assert.equal((await daemon.control("reload", {})).status, 200);
  const refused = await daemon.control("recycle", { slot: 1 });
  assert.equal(refused.status, 409, refused.body);
  assert.match(refused.body, /worker 1 is not replaced: the roll replaces it anyway/);
  daemon.signal("SIGTERM");
  await daemon.logged(/stopping/);
});

test("DROVER_ADMIN_HOSTS changes on the administration's own address by a reload", async (t) => {
  const daemon = await start(t, { args: [PLAIN, "--admin-bind", "127.0.0.1:0"], env: { ...ONE, DROVER_ROLL_SETTLE: "0s" } });
  const [link = ""] = (JSON.parse((await daemon.control("dashboard")).body) as { message: string }).message.split("\n", 1);
  const page = async (): Promise<number> => (await get(new URL("/admin", link).href, { headers: { host: "events.example.org" } })).status;
  assert.equal(await page(), 421);
  writeFileSync(join(daemon.dir, ".env"), "DROVER_ADMIN_HOSTS=events.example.org\n");
  assert.equal((await daemon.control("reload", {})).status, 200);
  await eventually("the reload is over", async () => (await daemon.status()).roll === null);
  assert.equal(await page(), 200);
});

test("a setting that a command could not change is refused, not ignored", async (t) => {
  const daemon = await start(t, { args: [PLAIN], env: ONE });
  for (const argv of [
    ["reload", "--workers", "3"],
    ["stop", "--timeout=5s"],
    ["status", "--cache-ttl", "9s"],
  ]) {
    const { status, stderr } = spawnSync(DROVER, argv, { cwd: daemon.dir, env: cleanEnv(), encoding: "utf8" });
    assert.equal(status, 64, argv.join(" "));
    assert.match(stderr, /changes nothing here: the daemon that runs has its own settings/);
  }
  assert.equal((await daemon.status()).state, "running");
});
