/** Hooks in real daemons: who hears what, and that no hook, whatever it does, costs the service a request or the master its life. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { soaked } from "../times.ts";
import { alive, descendants, get, ONE, ROOT, start, type Daemon, type DaemonOptions } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const APP = join(ROOT, "test/process/apps/plain.mjs");

/** A module whose hooks write down what they hear; `body` is what each does besides. */
const recording = (mark: string, body = ""): string => `
  import { appendFileSync } from "node:fs";
  const note = (hook) => async (event) => {
    appendFileSync("heard", JSON.stringify({ mark: ${JSON.stringify(mark)}, hook, pid: process.pid, event }) + "\\n");
    ${body}
  };
  export const onReady = note("onReady");
  export const onWorkerReady = note("onWorkerReady");
  export const onWorkerExit = note("onWorkerExit");
  export const onReload = note("onReload");
  export const onStop = note("onStop");`;

interface Heard {
  readonly mark: string;
  readonly hook: string;
  readonly pid: number;
  readonly event: Record<string, unknown>;
}

interface Situation {
  readonly dir: string;
  readonly daemon: Daemon;
  write(text: string): void;
  heard(hook?: string): Heard[];
}

async function begin(t: TestContext, hooks: string, options: DaemonOptions = {}): Promise<Situation> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "drover-")));
  const write = (text: string): void => writeFileSync(join(dir, "hooks.mjs"), text);
  write(hooks);
  const env = { DROVER_HOOKS: "./hooks.mjs", ...options.env };
  const daemon = await start(t, { cwd: dir, args: [APP], ...options, env, noWait: true });
  t.after(() => rmSync(dir, { recursive: true, force: true })); // once the daemon has gone: its hooks write there
  await daemon.ready();
  const heard = (hook?: string): Heard[] => {
    let text = "";
    try {
      text = readFileSync(join(dir, "heard"), "utf8");
    } catch {
      // nothing was heard yet
    }
    const all = text.split("\n").filter(Boolean).map((line) => JSON.parse(line) as Heard); // prettier-ignore
    return hook === undefined ? all : all.filter((one) => one.hook === hook);
  };
  return { dir, daemon, write, heard };
}

const failures = (daemon: Daemon, hook: string): Record<string, unknown>[] =>
  daemon.log().filter((line) => String(line["msg"]).startsWith(`hook ${hook} failed: `));

async function rolled({ daemon }: Situation): Promise<void> {
  const { generation } = await daemon.status();
  await daemon.control("reload");
  await eventually("the roll is done", async () => {
    const { lastRoll, roll } = await daemon.status();
    return roll === null && lastRoll?.is === "done" && lastRoll.generation > generation;
  });
}

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
  process.kill(victim, "SIGKILL");
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

/** Each needs a daemon of its own: every third at each run, by chance, all in the soak. */
const third = Math.floor(Math.random() * 3);
const some = <T>(all: readonly T[]): readonly T[] =>
  soaked(
    all.filter((_, nr) => nr % 3 === third),
    all,
  );

const BROKEN = [
  ["a syntax error", "const = 1;", /SyntaxError/],
  ["an error while it loads", 'throw new Error("no hooks today");', /no hooks today/],
  ["an end while it loads", "process.exit(7);", /ended its process with exit code 7/],
  ["a load that never ends", "await new Promise(() => setInterval(() => {}, 1_000));", /not loaded within 2 s/],
  ["a loop while it loads", "for (;;);", /not loaded within 2 s/],
  ["a hook that is no function", "export const onReady = 3;", /onReady is number; expected a function/],
] as const;

test("modules that can not be loaded", { concurrency: 3 }, async (t) => {
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
  await Promise.all(some(BROKEN).map(one));
});

/** What a hook may do to its process, and what the log then says. `body` runs in onWorkerExit. */
const HOSTILE = [
  ["throws", 'throw new Error("on purpose");', /on purpose/],
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

test("hooks that do what no hook should", { concurrency: 3 }, async (t) => {
  const one = ([name, body, why]: (typeof HOSTILE)[number]) =>
    t.test(`a hook that ${name} is one line in the log; the service serves, and the next event is heard`, async (t) => {
      const hostile = `if (hook === "onWorkerExit" && event.generation === 1) { ${body} }`;
      const s = await begin(t, recording("x", hostile), { env: { ...ONE, DROVER_HOOK_TIMEOUT: "1s" } });
      const { daemon, heard } = s;
      await eventually("onReady was heard", () => heard("onReady").length === 1);
      process.kill((await daemon.place("worker/0")).child?.pid ?? 0, "SIGKILL");
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
  await Promise.all(some(HOSTILE).map(one));
});

test("a hook that prints megabytes: the log gets a measure of it, and the process is ended", async (t) => {
  const print = 'if (hook === "onReady") for (let i = 0; i < 400; i += 1) console.log("y\\n".repeat(32_768));';
  const { daemon, heard } = await begin(t, recording("x", print), { env: { ...ONE, DROVER_HOOK_TIMEOUT: "2s" } });
  await daemon.logged(/it printed without measure, and its process was ended/);
  const printed = daemon.log().filter((line) => line["role"] === "hooks").length;
  assert.ok(printed > 100 && printed < 3_000, `${printed} lines`);
  assert.equal((await get(daemon.url)).status, 200);
  process.kill((await daemon.place("worker/0")).child?.pid ?? 0, "SIGKILL");
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
