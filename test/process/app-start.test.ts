/** What an application is started with: its number, its arguments; and what becomes of what it prints. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import test from "node:test";
import { cleanEnv, DROVER, get, ROOT, start } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const APP = join(ROOT, "test/process/apps/argv.mjs");

interface Said {
  readonly pid: number;
  readonly isMain: boolean;
  readonly args: readonly string[];
  readonly NODE_APP_INSTANCE: string;
  readonly DROVER_WORKER: string;
}

test("arguments behind -- are the application's, each worker has its number, JSON lines and stacks are records; a reload keeps all", async (t) => {
  const env = { NODE_APP_INSTANCE: "7", DROVER_WORKERS: "2" };
  const daemon = await start(t, { args: [APP, "--", "--tenant", "blue", "--port=1", "x y"], env });
  const ask = async (path = "/"): Promise<Said> => JSON.parse((await get(daemon.url + path)).body) as Said;
  const both = async (): Promise<Map<string, Said>> => {
    const found = new Map<string, Said>();
    await eventually("each worker has answered", async () => {
      const said = await ask();
      found.set(said.NODE_APP_INSTANCE, said);
      return found.size === 2;
    });
    return found;
  };
  const check = async (): Promise<void> => {
    const found = await both();
    assert.deepEqual([...found.keys()].toSorted((a, b) => Number(a) - Number(b)), ["0", "1"]); // prettier-ignore
    for (const [nr, said] of found) {
      assert.deepEqual([said.isMain, said.args, said.DROVER_WORKER], [true, ["--tenant", "blue", "--port=1", "x y"], nr]);
      const place = await daemon.place(`worker/${nr}`);
      assert.equal(place.child?.pid, said.pid, "the number that status shows");
    }
  };
  await check();
  const { NODE_APP_INSTANCE: nr } = await ask("/log");
  const line = await daemon.logged(/^a warning of pino's$/);
  assert.deepEqual([line["level"], line["stream"], line["slot"], line["reqId"]], ["warn", "stdout", Number(nr), "req-1"]);
  const stack = await daemon.logged(/^Error: with a stack\n\s+at .*\n[^]*cause\]: TypeError: deeper\n\s+at [^]*\n\}$/);
  assert.deepEqual([stack["level"], stack["stream"]], ["warn", "stderr"]);
  assert.equal((await daemon.control("reload")).status, 200);
  await eventually("the new generation runs alone", async () =>
    (await daemon.status()).places.every(({ child }) => child?.generation === 2),
  );
  await check();
  await daemon.stop();
});

test("arguments without an application are refused", (t) => {
  const { status, stderr } = spawnSync(DROVER, ["serve", "--", APP], { cwd: folder(t), env: cleanEnv(), encoding: "utf8" });
  assert.equal(status, 64);
  assert.match(stderr, /drover serve FILE -- ARGUMENTS/);
});
