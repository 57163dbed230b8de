/** Rotation by the real logrotate, and a large log before a slow reader. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { needs } from "../support/needs.ts";
import { cleanEnv, DROVER, ROOT, start, type Daemon } from "./harness.ts";
import { ask, named } from "./logs-helper.ts";
import { filled } from "../../src/tools/emit/systemd.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const skip = needs("logrotate", "logrotate");

/** The emitted file for this daemon: its log, its user, and a systemctl that knows its pid. */
function rotation(daemon: Daemon): { readonly config: string; readonly env: NodeJS.ProcessEnv } {
  const { dir, pid } = daemon;
  const id = (what: string): string => spawnSync("id", [what], { encoding: "utf8" }).stdout.trim();
  const place = { root: ROOT, node: process.execPath, systemd: 252, ffi: true };
  const emitted = filled(place, [], "/etc").find(({ path }) => path.startsWith("/etc/logrotate.d/"));
  const text = (emitted?.text ?? "")
    .replaceAll("/var/log/drover", join(dir, "var/log"))
    .replace("su drover drover", `su ${id("-un")} ${id("-gn")}`);
  const bin = join(dir, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "systemctl"), `#!/bin/sh\necho ${pid}\n`);
  chmodSync(join(bin, "systemctl"), 0o755);
  const config = join(dir, "logrotate.conf");
  writeFileSync(config, text, { mode: 0o644 });
  return { config, env: { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}` } };
}

test(
  "logrotate itself, with the snippet that is emitted: no line is lost, the new file is written, the old one packed",
  { skip },
  async (t) => {
    const daemon = await start(t, { env: { DROVER_ACCESS_LOG: "all", DROVER_RATE_LIMIT: "off" } });
    const { dir } = daemon;
    const { config, env } = rotation(daemon);
    const rotate = (): void => {
      const { status, stderr } = spawnSync("logrotate", ["--force", "--state", join(dir, "state"), config], { env, encoding: "utf8" });
      assert.equal(status, 0, stderr);
      assert.equal(stderr, "");
    };
    for (let turn = 0; turn < 2; turn += 1) {
      const asking = ask(daemon, turn * 40, 40);
      rotate();
      await asking;
      await eventually("the new file is there", () => readdirSync(join(dir, "var/log")).includes("drover.log"));
      await ask(daemon, 100 + turn, 1);
      await eventually("it is written to", () => readFileSync(join(dir, "var/log/drover.log"), "utf8").includes(named(100 + turn)));
    }
    await daemon.stop();
    assert.deepEqual(
      readdirSync(join(dir, "var/log")).filter((name) => name.startsWith("drover.log")),
      ["drover.log", "drover.log.1", "drover.log.2.gz"],
    );
    const packed = spawnSync("gzip", ["-dc", join(dir, "var/log/drover.log.2.gz")], { encoding: "utf8" }).stdout;
    const plain = ["drover.log", "drover.log.1"].map((name) => readFileSync(join(dir, "var/log", name), "utf8")).join("");
    const ids = [...`${packed}${plain}`.matchAll(/"id":"(mine-\d+)"/g)].map(([, id = ""]) => id).toSorted();
    assert.deepEqual(ids, [...Array.from({ length: 80 }, (_, nr) => named(nr)), named(100), named(101)]);
  },
);

test("what a command has to say is out before it ends, however late it is read; a pager that stands still costs no memory", async (t) => {
  const dir = folder(t);
  const line = `${JSON.stringify({ level: "info", time: "2026-11-21T08:00:00.000Z", role: "master", msg: "x".repeat(900) })}\n`;
  const file = join(dir, "old.log");
  const lines = 100_000;
  writeFileSync(file, line.repeat(lines));
  const late = spawnSync(
    "bash",
    ["-c", `set -o pipefail; "$0" logs "$1" --no-follow --json --lines 2000 | (sleep 0.3; wc -c)`, DROVER, file],
    {
      env: cleanEnv(),
      encoding: "utf8",
    },
  );
  assert.deepEqual([late.status, Number(late.stdout)], [0, line.length * 2_000]);

  const pager = spawn(DROVER, ["logs", file, "--no-follow", "--json", "--since", "2026-11-21T07:00:00Z"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: cleanEnv(),
  });
  t.after(() => pager.kill("SIGKILL"));
  await new Promise((resolve) => pager.stdout.once("readable", resolve));
  const rss = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pager.pid}/status`, "utf8"))?.[1]) / 1_024;
  const cpu = (): number => Number(readFileSync(`/proc/${pager.pid}/stat`, "utf8").split(" ")[13]);
  let before = -1;
  await eventually("it waits for its reader", () => {
    const now = cpu();
    const rests = now === before;
    before = now;
    return rests;
  });
  assert.ok(rss() < 250, `${rss().toFixed(0)} MB for a log of ${(line.length * lines) / 1e6} MB`);
  pager.kill("SIGINT");
  assert.equal(await new Promise((resolve) => pager.once("exit", (code, signal) => resolve(code ?? signal))), 0);
});
