/** Hooks that do what no hook should, in real daemons: none costs the service a request or the master its life. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { alive, descendants, get, ONE, start } from "./harness.ts";
import { APP, begin, failures, recording, rolled } from "./hooks-helper.ts";
import { folder, sent } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

test("a hooks module that is not there: refused at the start with 78, and at a reload", async (t) => {
  const dir = folder(t);
  const missing = await start(t, { cwd: dir, args: [APP], noWait: true, env: { DROVER_HOOKS: "./nowhere.mjs" } });
  assert.equal((await missing.exited).code, 78);
  assert.match(missing.stderr, /the hooks module .*nowhere\.mjs does not exist \(DROVER_HOOKS\)/);
  const s = await begin(t, recording("one"), { env: { ...ONE, DROVER_HOOKS: undefined } });
  writeFileSync(join(s.dir, ".env"), "DROVER_HOOKS=./nowhere.mjs\n");
  assert.equal((await s.daemon.control("reload")).status, 409);
  assert.match(String((await s.daemon.status()).refusedReload), /nowhere\.mjs does not exist/);
  writeFileSync(join(s.dir, ".env"), "DROVER_HOOKS=./hooks.mjs\n");
  await rolled(s);
  await s.daemon.logged(/hooks are loaded: onReady/);
});

const BROKEN = [
  ["a syntax error", "const = 1;", /SyntaxError/],
  ["an error while it loads", 'throw new Error("no hooks today");', /no hooks today/],
  ["an end while it loads", "process.exit(7);", /ended its process with exit code 7/],
  ["a load that never ends", "await new Promise(() => setInterval(() => {}, 1_000));", /not loaded within 2 s/],
  ["a loop while it loads", "for (;;);", /not loaded within 2 s/],
  ["a hook that is no function", "export const onReady = 3;", /onReady is number; expected a function/],
] as const;

test("modules that can not be loaded", { concurrency: 2 }, async (t) => {
  const one = ([name, text, why]: (typeof BROKEN)[number]) =>
    t.test(`${name}: a clear line, and the service serves; after a good one, the good one stays`, async (t) => {
      const s = await begin(t, text, { env: { ...ONE, DROVER_BOOT_TIMEOUT: "2s" } });
      const line = await s.daemon.logged(/the hooks in .*hooks\.mjs could not be loaded, none are called until a reload brings some/);
      assert.match(String((await s.daemon.status()).hooks.problem), why);
      assert.match(String(line["msg"]), why);
      await eventually("the operator was told", () => why.test(s.daemon.stderr));
      assert.equal((await get(s.daemon.url)).status, 200);
      s.write(recording("good"));
      await rolled(s);
      await s.daemon.logged(/hooks are loaded: onReady/);
      s.write(text);
      await rolled(s);
      assert.match(String((await s.daemon.logged(/could not be loaded, those of generation 2 stay/))["msg"]), why);
      await rolled(s);
      await eventually("the good one has heard it", () => s.heard("onReload").some(({ event }) => event["generation"] === 4));
    });
  await Promise.all(BROKEN.map(one));
});

/** What a hook may do to its process, and what the log then says. `body` runs in onWorkerExit. */
const HOSTILE = [
  ["rejects with nothing", "return Promise.reject();", /undefined/],
  ["never ends", "await new Promise(() => setInterval(() => {}, 1_000));", /not done within 1 s/],
  ["loops", "for (;;);", /not done within 1 s/],
  ["loops in microtasks", "const again = () => Promise.resolve().then(again); await again();", /not done within 1 s/],
  ["ends its process", "process.exit(0);", /ended its process with exit code 0/],
  ["kills its process", 'process.kill(process.pid, "SIGSEGV"); await new Promise(() => setInterval(() => {}, 1_000));', /SIGSEGV/],
  ["throws where nobody catches", 'setTimeout(() => { throw new Error("later"); }); await new Promise(() => {});', /later/],
  ["stops its process", 'process.kill(process.pid, "SIGSTOP"); await new Promise(() => {});', /not done within 1 s/],
  ["hoards its heap", "const held = []; for (;;) held.push(Array(10_000).fill({}));", /SIGABRT|SIGKILL|exit code|not done/],
  [
    "breaks its channel",
    '(await import("node:fs")).writeSync(3, "nonsense\\n"); await new Promise(() => setInterval(() => {}, 1_000));',
    /broke its channel/,
  ],
  ["floods its channel", "for (let i = 0; i < 5_000; i += 1) process.send({ i }); await new Promise(() => {});", /messages without end/],
  ["closes its channel", "process.disconnect(); await new Promise(() => {});", /exit code 0|closed its channel/],
] as const;

test("hooks that do what no hook should", { concurrency: 2 }, async (t) => {
  const one = ([name, body, why]: (typeof HOSTILE)[number]) =>
    t.test(`a hook that ${name} is one line in the log; the service serves, and the next event is heard`, async (t) => {
      const hostile = `if (hook === "onWorkerExit" && event.generation === 1) { ${body} }`;
      const s = await begin(t, recording("x", hostile), { env: { ...ONE, DROVER_HOOK_TIMEOUT: "1s" } });
      const { daemon, heard } = s;
      await eventually("onReady was heard", () => heard("onReady").length === 1);
      assert.ok(sent((await daemon.place("worker/0")).child?.pid ?? 0, "SIGKILL"));
      const line = await eventually("the failure is in the log", () => failures(daemon, "onWorkerExit")[0]);
      assert.match(String(line["msg"]), why);
      assert.equal((line["event"] as { death: string }).death, "signal:SIGKILL");
      await eventually("the successor was heard", () => heard("onWorkerReady").length === 2);
      for (let i = 0; i < 5; i += 1) assert.equal((await get(daemon.url)).status, 200);
      assert.equal(failures(daemon, "onWorkerExit").length, 1);
      assert.equal((await daemon.status()).hooks.failed, 1);
      const { code } = await daemon.stop();
      assert.equal(code, 0);
      assert.equal(heard("onStop").length, 1);
    });
  await Promise.all(HOSTILE.map(one));
});

test("a hook that prints megabytes: the log gets a measure of it, and the process is ended", async (t) => {
  const print = 'if (hook === "onReady") for (let i = 0; i < 400; i += 1) console.log("y\\n".repeat(32_768));';
  const { daemon, heard } = await begin(t, recording("x", print), { env: { ...ONE, DROVER_HOOK_TIMEOUT: "2s" } });
  await daemon.logged(/it printed without measure, and its process was ended/);
  const printed = daemon.log().filter((line) => line["role"] === "hooks").length;
  assert.ok(printed > 100 && printed < 3_000, `${printed} lines`);
  assert.equal((await get(daemon.url)).status, 200);
  assert.ok(sent((await daemon.place("worker/0")).child?.pid ?? 0, "SIGKILL"));
  await eventually("the next event is heard", () => heard("onWorkerExit").length === 1);
});

test("memory beside the heap: the process is ended, the master keeps its size", async (t) => {
  const hoard =
    'if (hook === "onReady") { globalThis.held = []; for (let i = 0; i < 40; i += 1) { held.push(Buffer.alloc(10_485_760, 1)); await new Promise((r) => setTimeout(r, 20)); } await new Promise(() => setInterval(() => {}, 1_000)); }';
  const { daemon } = await begin(t, recording("x", hoard), { env: { ...ONE, DROVER_HOOK_TIMEOUT: "30s" } });
  const line = await eventually("the failure is in the log", () => failures(daemon, "onReady")[0]);
  assert.match(String(line["msg"]), /it took \d+ MiB of memory/);
});

test("a stop waits for onStop within its time, and a second one does not", async (t) => {
  const endless = 'if (hook === "onStop") await new Promise(() => setInterval(() => {}, 1_000));';
  const first = await begin(t, recording("x", endless), { env: { DROVER_HOOK_TIMEOUT: "3s", DROVER_DRAIN_IDLE: "100ms" } });
  await eventually("onReady was heard", () => first.heard("onReady").length === 1);
  const began = performance.now();
  const children = descendants(first.daemon.pid);
  assert.equal((await first.daemon.stop()).code, 0);
  const took = performance.now() - began;
  assert.ok(took > 2_500 && took < 8_000, `${took} ms`);
  assert.ok(children.length >= 3 && children.every((pid) => !alive(pid)));

  const second = await begin(t, recording("x", endless), { env: { ...ONE, DROVER_HOOK_TIMEOUT: "60s", DROVER_DRAIN_IDLE: "100ms" } });
  await eventually("onReady was heard", () => second.heard("onReady").length === 1);
  second.daemon.signal("SIGTERM");
  await eventually("onStop was heard", () => second.heard("onStop").length === 1);
  await eventually("the workers have left", () =>
    second.daemon.log().some((line) => String(line["msg"]).startsWith("stopped: every child")),
  );
  await new Promise((resolve) => setTimeout(resolve, 1_100)); // a second signal within a second is the same wish
  const again = performance.now();
  second.daemon.signal("SIGTERM");
  assert.equal((await second.daemon.exited).code, 0);
  const left = performance.now() - again;
  console.log(`onStop that never ends: left after ${Math.round(took)} ms (limit 3 s); after a second TERM ${Math.round(left)} ms`);
  assert.ok(left < 2_500, `${left} ms`);
});

test("the hooks' process dies with the master, even in a loop", async (t) => {
  const { daemon, heard } = await begin(t, recording("x", "for (;;);"), { env: { ...ONE, DROVER_HOOK_TIMEOUT: "60s" } });
  const [first] = await eventually("a hook loops", () => heard().length > 0 && heard());
  assert.ok(first !== undefined && alive(first.pid));
  daemon.signal("SIGKILL");
  await eventually("it has gone", () => !alive(first.pid));
});
