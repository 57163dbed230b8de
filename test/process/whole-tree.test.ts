/** SIGTERM and SIGINT to every process at once, as `kill -- -PGID`, a terminal's Ctrl-C or KillMode=control-group send them. */
import assert from "node:assert/strict";
import test from "node:test";
import { http } from "../../src/base/http.ts";
import { get, ONE, start } from "./harness.ts";
import { signalAll } from "./whole-tree-helper.ts";
import { eventually } from "../support/wait.ts";

function post(url: string, body: unknown): Promise<number> {
  return new Promise((resolve, reject) => {
    const req = http.request(url, { method: "POST", agent: false, headers: { "content-type": "application/json" } }, (res) => {
      res.resume();
      res.on("end", () => resolve(res.statusCode ?? 0));
    });
    req.on("error", reject);
    req.end(JSON.stringify(body));
  });
}

test("SIGTERM to every process: requests that wait for Google are answered, the broker goes last", async (t) => {
  const daemon = await start(t, { env: { ...ONE, DROVER_EMULATOR_LATENCY: "slow" } });
  const table = get(`${daemon.url}/api/tables/players?limit=1`);
  const writes: Promise<number>[] = [];
  let waiting = 0;
  const write = (): void => {
    waiting += 1;
    const answer = post(`${daemon.url}/api/tables/actions?wait=sheet`, { player: "p001", kind: "note", note: "kept" });
    writes.push(answer.finally(() => (waiting -= 1)));
  };
  await eventually("two requests are in flight", async () => {
    for (let nr = waiting; nr < 2; nr += 1) write(); // a beat must see them: earlier ones may have landed meanwhile
    return ((await daemon.place("worker/0")).child?.inFlight ?? 0) >= 2;
  });
  await signalAll(daemon, "SIGTERM");
  assert.equal((await table).status, 200);
  for (const status of await Promise.all(writes)) assert.ok([201, 202].includes(status), `the write is acknowledged: ${status}`);
  assert.deepEqual(await daemon.exited, { code: 0, signal: null });
  const broken = daemon.log().filter(({ msg }) => /broker.*(killed by|is gone)|emulator.*(killed by|is gone)/.test(String(msg)));
  assert.deepEqual(broken, []);
});
