import assert from "node:assert/strict";
import http from "node:http";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { get, ROOT, start } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const RELOADS = 4;

test(`${RELOADS} reloads under load, by clients that keep their connection and by such that don't: no request fails`, async (t) => {
  const daemon = await start(t, {
    args: [join(ROOT, "test/process/apps/plain.mjs")],
    env: { DROVER_DRAIN_IDLE: "20s", DROVER_ROLL_SETTLE: "100ms" },
  });
  const { url } = daemon;
  const going = { on: true };
  const served = { kept: 0, fresh: 0 };
  const failed: string[] = [];
  const client = async (kind: "kept" | "fresh"): Promise<void> => {
    const agent = kind === "kept" ? new http.Agent({ keepAlive: true, maxSockets: 1 }) : undefined;
    while (going.on) {
      await get(`${url}/?ms=${served.kept % 5}`, agent === undefined ? {} : { agent }).then(
        (answer) => (answer.status === 200 ? (served[kind] += 1) : failed.push(String(answer.status))),
        (error: Error) => failed.push(`${kind}: ${error.message}`),
      );
      await sleep(10);
    }
    agent?.destroy();
  };
  const clients = [client("kept"), client("kept"), client("kept"), client("fresh"), client("fresh"), client("fresh")];
  for (let i = 0; i < RELOADS; i += 1) {
    daemon.signal("SIGHUP");
    await eventually("the roll is done", async () => {
      const { generation, roll, lastRoll } = await daemon.status();
      assert.notEqual(lastRoll?.is, "abandoned");
      return generation === i + 2 && roll === null;
    });
  }
  await eventually("each kind was served more than a hundred times", () => served.kept > 100 && served.fresh > 100);
  going.on = false;
  await Promise.all(clients);
  t.diagnostic(`${served.kept} requests on kept connections, ${served.fresh} on fresh ones, ${failed.length} failed`);
  assert.deepEqual(failed.slice(0, 5), []);
});
