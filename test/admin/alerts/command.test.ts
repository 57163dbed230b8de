import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createCommandSink } from "../../../src/admin/alerts/command.ts";
import type { Notice } from "../../../src/admin/alerts/view.ts";
import { ms, type Timestamp } from "../../../src/base/units.ts";

const notice = (id: string): Notice => ({
  id,
  alert: "disk",
  event: "raised",
  level: "critical",
  text: "$(touch pwned); `id`\nsecond line",
  value: 99,
  threshold: 95,
  at: 0 as Timestamp,
  since: 0 as Timestamp,
  lasted: null,
});

function sink(t: TestContext, script: string, timeout = 10_000, name = "on-alert") {
  const dir = mkdtempSync(join(tmpdir(), "drover-command-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, "on-alert");
  writeFileSync(file, `#!/bin/sh\n${script.replaceAll("DIR", dir)}\n`);
  chmodSync(file, 0o700);
  const limit = { timeout };
  const done: string[] = [];
  const settled: (() => void)[] = [];
  const made = createCommandSink({
    command: () => ({ file: join(dir, name), timeout: ms(limit.timeout) }),
    body: ({ id }) => `{"id":"${id}"}`,
    done: ({ id }, result, why) => (done.push(`${id} ${result}${why === "" ? "" : `: ${why}`}`), settled.shift()?.()),
  });
  t.after(() => made.close());
  const next = (): Promise<void> => new Promise((resolve) => settled.push(resolve));
  return { made, dir, done, next, limit };
}

test("it gets the JSON on stdin, the words in its environment, no shell reads them, and nothing else of ours", async (t) => {
  process.env["DROVER_TEST_SECRET"] = "hunter2";
  t.after(() => delete process.env["DROVER_TEST_SECRET"]);
  const { made, dir, done, next } = sink(t, 'cat > DIR/in; printf %s "$ALERT $ALERT_LEVEL $ALERT_TEXT" > DIR/words; env > DIR/env');
  const over = next();
  made.run(notice("a"));
  await over;
  assert.deepEqual(done, ["a ok"]);
  assert.equal(readFileSync(join(dir, "in"), "utf8"), '{"id":"a"}');
  assert.equal(readFileSync(join(dir, "words"), "utf8"), "disk critical $(touch pwned); `id`\nsecond line");
  assert.doesNotMatch(readFileSync(join(dir, "env"), "utf8"), /hunter2/);
});

test("one at a time, in order; what it says on stderr when it fails is kept", async (t) => {
  const { made, done, next } = sink(t, "mkdir DIR/lock || exit 9; cat > /dev/null; echo no luck >&2; sleep 0.05; rmdir DIR/lock; exit 3");
  const all = [next(), next(), next()];
  for (const id of ["a", "b", "c"]) made.run(notice(id));
  await Promise.all(all);
  assert.deepEqual(
    done.map((line) => line.replace(/\S+on-alert/, "it")),
    ["a", "b", "c"].map((id) => `${id} lost: it exited with 3: no luck`),
  );
});

test("one that hangs is killed with what it has started, and the next one runs", async (t) => {
  const { made, dir, done, next } = sink(t, "[ -e DIR/ran ] && exit 0; touch DIR/ran; sleep 600 & echo $! > DIR/pid; wait", 400);
  const both = [next(), next()];
  made.run(notice("a"));
  made.run(notice("b"));
  await Promise.all(both);
  assert.match(done[0] ?? "", /^a lost: .* took longer than 400 ms and was killed$/);
  assert.equal(done[1], "b ok");
  const pid = readFileSync(join(dir, "pid"), "utf8").trim();
  for (let i = 0; i < 100 && existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8")); i += 1)
    await sleep(20);
  assert.ok(!existsSync(`/proc/${pid}`) || /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8")), "its child is gone");
});

test("one that is not there is said; one that does not read its input is none the worse", async () => {
  const done: string[] = [];
  const settled: (() => void)[] = [];
  for (const file of ["/nowhere/at-all", "/bin/true"]) {
    const { promise, resolve } = Promise.withResolvers<void>();
    settled.push(resolve);
    const made = createCommandSink({
      command: () => ({ file, timeout: ms(5_000) }),
      body: () => "x".repeat(1_000_000),
      done: (_, result, why) => (done.push(`${result} ${why}`), settled.shift()?.()),
    });
    made.run(notice("a"));
    await promise;
  }
  assert.match(done[0] ?? "", /^lost \/nowhere\/at-all can't be run: .*ENOENT/);
  assert.equal(done[1], "ok ");
});

test("a file that can't be run, however that is reported, loses its alert and nothing else", async (t) => {
  const { made, done, next } = sink(t, "exit 0", 10_000, "on-alert/below-a-file");
  const both = [next(), next()];
  made.run(notice("a"));
  made.run(notice("b"));
  await Promise.all(both);
  assert.equal(done.length, 2);
  for (const line of done) assert.match(line, /^[ab] lost: \S+ can't be run: spawn ENOTDIR/);
});

test("one that hangs and may not be killed, because it became another user, is left alone, and the next one runs", async (t) => {
  const { made, done, next, limit } = sink(t, "grep -q b && exit 0; exec sleep 600", 300);
  const asked: number[] = [];
  const kill = t.mock.method(process, "kill", (pid: number) => {
    asked.push(-pid);
    limit.timeout = 60_000; // of the next one
    throw Object.assign(new Error("kill EPERM"), { code: "EPERM" });
  });
  const both = [next(), next()];
  made.run(notice("a"));
  made.run(notice("b"));
  await Promise.all(both);
  kill.mock.restore();
  for (const pid of asked) process.kill(-pid, "SIGKILL");
  assert.deepEqual(
    done.map((line) => line.replace(/\S+on-alert/, "it")),
    ["a lost: it took longer than 300 ms and can't be killed: kill EPERM", "b ok"],
  );
});
