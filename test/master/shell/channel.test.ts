import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { channelPipe, guardChannel } from "../../../src/master/shell/channel.ts";

function child(t: TestContext, code: string): ChildProcess {
  const dir = mkdtempSync(join(tmpdir(), "drover-channel-"));
  writeFileSync(join(dir, "child.mjs"), code);
  const made = fork(join(dir, "child.mjs"), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  t.after(() => {
    made.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  });
  return made;
}

const broken = (made: ChildProcess): Promise<string> => new Promise((resolve) => guardChannel(made, resolve));

test("this Node.js has the pipe that is guarded", (t) => {
  assert.ok(channelPipe(child(t, "")));
});

test("messages go through as ever", async (t) => {
  const made = child(t, 'process.send({ a: 1 }); process.send({ long: "ö".repeat(200_000) });');
  const got: unknown[] = [];
  guardChannel(made, (why) => assert.fail(why));
  made.on("message", (message) => got.push(message));
  await new Promise((resolve) => made.once("disconnect", resolve));
  assert.deepEqual(got, [{ a: 1 }, { long: "ö".repeat(200_000) }]);
});

for (const [what, code, why] of [
  ["a line that is no JSON", 'import fs from "node:fs"; fs.writeSync(3, "nonsense\\n");', /not valid JSON/],
  ["an acknowledgement nobody awaits", 'process.send({ cmd: "NODE_HANDLE_ACK" });', /a message to Node\.js itself was refused/],
] as const) {
  test(`${what} is told to the guard, and nothing is thrown`, async (t) => {
    assert.match(await broken(child(t, `${code} setInterval(() => {}, 1_000);`)), why);
  });
}
