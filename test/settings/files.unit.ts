import assert from "node:assert/strict";
import { test } from "node:test";
import { adminConnections, CONTROL_CONNECTIONS, masterFiles, mostWorkers } from "../../src/settings/files.ts";
import { problems, resolved } from "./given.ts";

const settingsOf = (env: NodeJS.ProcessEnv = {}) => resolved({ env }).settings;

test("the master's descriptors must suffice for its workers", () => {
  const wrong = problems({ env: { DROVER_WORKERS: "40", DROVER_WORKER_CONNECTIONS: "20" }, machine: { nofile: 256 } }).join();
  assert.match(
    wrong,
    /workers: 40 \(environment DROVER_WORKERS\): expected at most \d+, because a process may open 256 files.*LimitNOFILE/,
  );
  const most = Number(/at most (\d+)/.exec(wrong)?.[1]);
  const fits = (workers: number) => masterFiles({ ...settingsOf(), workers }) <= 256;
  assert.deepEqual([fits(most), fits(most + 1)], [true, false]);
  assert.equal(mostWorkers(settingsOf(), 50), 0);
});

test("connections to the administration never take what children need", () => {
  for (const own of [{}, { DROVER_ADMIN_BIND: "127.0.0.1:9000" }])
    for (const nofile of [512, 1_024, 4_096, 1_048_576]) {
      const settings = settingsOf({ DROVER_WORKERS: "8", ...own });
      const most = adminConnections(settings, nofile);
      const least = adminConnections(settings, masterFiles(settings));
      assert.ok(masterFiles(settings) + (most.workers - least.workers) + (most.own - least.own) <= nofile, `${nofile}`);
      assert.ok(most.workers >= 2 * 2 * 8 && most.own >= 16 && most.own <= 1_024 && CONTROL_CONNECTIONS >= 8);
    }
});
