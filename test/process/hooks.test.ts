/** Hooks in a real daemon: what they hear, and a hook that throws. Everything else that a hook may do: hooks.full.ts. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { get, ONE } from "./harness.ts";
import { begin, failures, recording, rolled, type Heard } from "./hooks-helper.ts";
import { sent } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

test("every hook hears what happens, in plain data; a reload brings the module's new text", async (t) => {
  const s = await begin(t, recording("one"), { env: { DROVER_ADDED_LATER: undefined } });
  const { daemon, heard } = s;
  await eventually("onReady was heard", () => heard("onReady").length === 1);
  const { event: ready, pid } = heard("onReady")[0] as Heard;
  assert.deepEqual(
    [ready["master"], ready["generation"], ready["workers"], ready["addresses"]],
    [daemon.pid, 1, 2, [daemon.url]],
    JSON.stringify(ready),
  );
  assert.ok(!Number.isNaN(Date.parse(String(ready["at"]))));
  assert.ok(pid !== daemon.pid, "a process of their own");
  const slots = heard("onWorkerReady").map(({ event }) => event["slot"] as number);
  assert.deepEqual(
    slots.sort((a, b) => a - b),
    [0, 1],
  );

  const victim = (await daemon.place("worker/1")).child?.pid ?? 0;
  assert.ok(sent(victim, "SIGKILL"));
  await eventually("its death was heard", () => heard("onWorkerExit").length === 1);
  const { at, reason, ...death } = heard("onWorkerExit")[0]?.event ?? {};
  assert.deepEqual(death, { slot: 1, pid: victim, generation: 1, death: "signal:SIGKILL", expected: false });
  assert.match(`${String(reason)} ${String(at)}`, /killed by SIGKILL/);
  await eventually("its successor was heard", () => heard("onWorkerReady").length === 3);

  s.write(recording("two"));
  writeFileSync(join(s.dir, ".env"), "DROVER_KEEP_ALIVE=33s\nDROVER_DATA_DIR=./elsewhere\n");
  await rolled(s);
  const { event } = await eventually("the reload was heard", () => heard("onReload")[0]);
  assert.deepEqual(event["generation"], 2);
  assert.deepEqual(event["changes"], [
    { setting: "keep_alive", before: "75s", after: "33s", reload: "roll" },
    ...((event["changes"] as { reload: string }[]).filter(({ reload }) => reload === "restart")),
  ]); // prettier-ignore
  assert.ok((event["changes"] as { reload: string }[]).some(({ reload }) => reload === "restart"));
  await eventually("the new text serves", async () => (await daemon.status()).hooks?.generation === 2);
  const { code } = await daemon.stop();
  assert.equal(code, 0);
  const [stop] = heard("onStop");
  assert.deepEqual([stop?.mark, stop?.event["master"], stop?.event["exit"], stop?.event["quick"]], ["two", daemon.pid, 0, false]);
  assert.ok(heard("onReload").every(({ mark }) => mark === "one"), "the new module serves once the new generation has proved itself"); // prettier-ignore
});

test("a hook that throws is one line in the log; the service serves, and the next event is heard", async (t) => {
  const { daemon, heard } = await begin(t, recording("x", 'if (hook === "onWorkerExit") throw new Error("on purpose");'), { env: ONE });
  await eventually("onReady was heard", () => heard("onReady").length === 1);
  assert.ok(sent((await daemon.place("worker/0")).child?.pid ?? 0, "SIGKILL"));
  const line = await eventually("the failure is in the log", () => failures(daemon, "onWorkerExit")[0]);
  assert.match(String(line["msg"]), /on purpose/);
  assert.equal((line["event"] as { death: string }).death, "signal:SIGKILL");
  await eventually("the successor was heard", () => heard("onWorkerReady").length === 2);
  assert.equal((await get(daemon.url)).status, 200);
  assert.equal(failures(daemon, "onWorkerExit").length, 1);
  await eventually("the status counts it", async () => (await daemon.status()).hooks.failed === 1);
  assert.equal((await daemon.stop()).code, 0);
  assert.equal(heard("onStop").length, 1);
});
