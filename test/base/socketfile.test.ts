/** A unix socket's path belongs to one process, also before that process listens. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { makeLogger } from "../../src/base/log.ts";
import { bindAddress } from "../../src/master/shell/listeners.ts";

const log = makeLogger({ role: "master" }, "silent", { write: () => {} });

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "drover-socket-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test("a socket that is bound and does not listen yet is not taken for a dead process's", async (t) => {
  const path = join(folder(t), "http.sock");
  const first = await bindAddress({ kind: "unix", path }, log);
  await assert.rejects(bindAddress({ kind: "unix", path }, log), { code: "DROVER_E_PORT", exit: 75 });
  assert.equal(first.check(), undefined, "the first one's socket is still there");
  first.remove();
  assert.deepEqual(readdirSync(join(path, "..")), []);
});

test("of many that start at once on one stale socket one gets it, and the others fail temporarily", async (t) => {
  const path = join(folder(t), "http.sock");
  const listenAndDie = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", listenAndDie, path]);
  assert.ok(existsSync(path), "a dead process left its socket");
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => bindAddress({ kind: "unix", path }, log)));
  const bound = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const failed = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [(outcome.reason as { exit: unknown }).exit] : []));
  assert.deepEqual([bound.length, failed], [1, [75, 75, 75, 75]]);
  assert.equal(bound[0]?.check(), undefined, "its socket is the one at the path");
  bound[0]?.remove();
});
