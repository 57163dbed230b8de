/** What the processes are called, as people and scripts see it: ps, top, pgrep. */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { appName, commOf, titleOf } from "../../src/base/title.ts";
import { descendants, ONE, ROOT, start } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

type Shown = "cmdline" | "comm";

/** A file of a process in /proc, as ps reads it; undefined: the process has ended. Not every machine has ps. */
function read(pid: number, what: Shown): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${what}`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return undefined; // between the list and the look
  }
}

/** Waits until a daemon's processes are these and no others: a helper of the master, such as df, may run for a moment. */
const shows = (pid: number, what: Shown, expected: readonly string[]): Promise<unknown> =>
  eventually(`${what} of the processes is ${expected.join(", ")}`, () => {
    const found = [pid, ...descendants(pid)].flatMap((each) => read(each, what) ?? []);
    return found.toSorted().join() === expected.join();
  });

test("0.9: ps shows drover: master, worker N and broker with the application's name, whole", async (t) => {
  const daemon = await start(t, { env: { DROVER_WORKERS: "2" } });
  const roles = ["broker", "emulator", "master", "worker 0", "worker 1"];
  await shows(
    daemon.pid,
    "cmdline",
    roles.map((role) => `drover: ${role} [sheets]`),
  );
  await shows(daemon.pid, "comm", ["drover-broker", "drover-emulator", "drover-master", "drover-worker", "drover-worker"]);
});

test("0.9: an application's name stands in the titles, and a long one is cut, also after a reload", async (t) => {
  const cwd = folder(t);
  const long = `${"a-very-long-name-of-an-application-".repeat(5)}.mjs`;
  for (const name of ["shop.mjs", long]) copyFileSync(join(ROOT, "test/process/apps/listener.mjs"), join(cwd, name));
  const serve = (name: string): void => writeFileSync(join(cwd, ".env"), `DROVER_APP=${name}\n`);
  serve("shop.mjs");
  const daemon = await start(t, { cwd, env: ONE });
  await shows(daemon.pid, "cmdline", ["drover: master [shop]", "drover: worker 0 [shop]"]);
  serve(long);
  daemon.signal("SIGHUP");
  await daemon.logged(/generation 2 serves/);
  const name = "a-very-long-name-of-an-applicat…";
  await shows(daemon.pid, "cmdline", [`drover: master [${name}]`, `drover: worker 0 [${name}]`]);
});

test("names: no control character, no path, nothing longer than what the kernel keeps", () => {
  assert.equal(appName(undefined), "sheets");
  assert.equal(appName("/srv/shop/app.js"), "app");
  assert.equal(appName("/srv/été/l’app\u001b[2J\n.mjs"), "l’app?[2J?");
  assert.equal(titleOf("worker", 12, "app"), "drover: worker 12 [app]");
  assert.equal(titleOf("broker", 0, "app"), "drover: broker [app]");
  for (const role of ["master", "worker", "broker", "emulator", "hooks"] as const) assert.ok(commOf(role).length <= 15, role);
});
