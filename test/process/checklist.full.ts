// alone
/** The checklist of a real demo: everything before the launch is proven until the command exits with 0, and a restart keeps it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { cleanEnv, DROVER, get, start, type Daemon } from "./harness.ts";
import { eventually } from "../support/wait.ts";

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Shown {
  readonly code: number;
  isDone(id: string): boolean;
  why(id: string): string;
  readonly open: readonly string[];
}

const run = (daemon: Daemon, ...args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) =>
    execFile(DROVER, [...args], { cwd: daemon.dir, env: cleanEnv() }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    ),
  );

async function show(daemon: Daemon, phase = "before"): Promise<Shown> {
  const { code, stdout, stderr } = await run(daemon, "checklist", "--phase", phase);
  assert.notEqual(stdout, "", stderr);
  const items = [...stdout.matchAll(/^ {2}\[(.)\] (\S+) +(.*)$/gm)].map(([, mark = "", id = "", text = ""]) => ({ mark, id, text }));
  const one = (id: string) => items.find((item) => item.id === id);
  return {
    code,
    isDone: (id) => one(id)?.mark === "x",
    why: (id) => one(id)?.text ?? "",
    open: items.filter(({ mark }) => mark === " " || mark === "!").map(({ id, text }) => `${id}: ${text}`),
  };
}

/** @returns where it is; every delivery is accepted. */
async function receiver(t: TestContext): Promise<string> {
  const server = http.createServer((req, res) => void req.resume().on("end", () => res.writeHead(204).end()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
}

test("2.11, 4.15: drover checklist --phase before exits with 0 once all is proven, and a restart forgets nothing", async (t) => {
  const env = { DROVER_DEMO: "on", DROVER_ALERT_WEBHOOK: await receiver(t), DROVER_ALERT_DISK: "99", DROVER_MAX_SLOTS: "50" };
  const daemon = await start(t, { env });
  const first = await show(daemon);
  assert.equal(first.code, 1);
  for (const id of ["settings", "service", "page"]) assert.ok(first.isDone(id), first.why(id));
  for (const id of ["ten-users", "max-plus-one", "monitor", "alerts", "backup", "on-call"]) assert.ok(!first.isDone(id), id);

  assert.equal((await run(daemon, "drill", "full")).code, 0);
  await run(daemon, "load", daemon.url, "--users", "10", "--requests", "200");
  assert.equal((await run(daemon, "alerts", "test")).code, 0);
  assert.equal((await run(daemon, "backup", join(daemon.dir, "drover.backup"))).code, 0);
  await get(`${daemon.url}/api/admin/health`, { headers: { "user-agent": "UptimeRobot/2.0" } });
  await eventually("the master knows of the monitor", async () => (await daemon.status()).monitorSeen.length === 1);
  const proven = await eventually("the webhook's answer is known", async () => {
    const now = await show(daemon);
    return now.isDone("alerts") && now;
  });
  assert.match(proven.why("max-plus-one"), /: drill full passed, /);
  assert.match(proven.why("ten-users"), /: (?:PASS|FAIL|INVALID) with 10 users on http:/);
  assert.match(proven.why("monitor"), /: last request .* ago; 1 of 3 were seen/);
  assert.match(proven.why("backup"), /drover\.backup, \d+ bytes/);
  assert.equal((await run(daemon, "checklist", "tick", "monitor")).code, 64, "a reason is needed");
  const byHand = ["monitor", "ten-users", "load", "lost-worker", "rollback", "budget", "runbook", "on-call"];
  assert.equal((await run(daemon, "checklist", "tick", ...byHand, "--note", "in a test")).code, 0);
  const all = await show(daemon);
  assert.deepEqual([all.code, all.open], [0, []]);

  assert.equal((await run(daemon, "why", "full")).stdout.includes("full  1 (503)"), true);
  assert.equal((await run(daemon, "checklist", "tick", "launch")).code, 0);
  await daemon.stop();
  const without = await run(daemon, "checklist");
  assert.equal(without.code, 1);
  assert.match(without.stdout, /^without a running daemon: no daemon answers on /);
  assert.match(without.stdout, /^ {2}\[x\] max-plus-one /m);

  const again = await start(t, { cwd: daemon.dir, env });
  const kept = await eventually("the new start is an event", async () => {
    const { body } = await get("http://localhost/api/admin/history", { socketPath: join(daemon.dir, "var/run/control.sock") });
    const { events } = JSON.parse(body) as { events: { nr: number; what: string; text: string }[] };
    return events.filter(({ what }) => what === "start").length === 2 && events;
  });
  assert.deepEqual(
    kept.map(({ nr }) => nr),
    kept.map((_, i) => i + 1),
    "numbers go on",
  );
  assert.ok(kept.some(({ text }) => text === "the webhook took a test alert"));
  const file = join(daemon.dir, "var/timeline.jsonl");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(readFileSync(file, "utf8"), /"monitor":1,"kind":"peaks"/);
  const report = join(daemon.dir, "launch.md");
  assert.equal((await run(daemon, "checklist", "--markdown", report)).code, 1, "the launch is under way");
  assert.match(readFileSync(report, "utf8"), /## Peaks\n\n\| day \(UTC\)[^]*\n\| \d{4}-\d\d-\d\d \| \d+ slots/);
  assert.equal((await again.stop()).code, 0);
});
