/** A directory where a file belongs, a file where a directory belongs, a key that others may read: one clear line, exit 78, at once. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import { keysOf } from "../../src/cli/session-key.ts";
import { ONE, start } from "./harness.ts";
import { folder } from "../support/cleanup.ts";

const DIRECTORIES = {
  "journal.db": "a file: the journal of writes",
  "ledger.db": "a file: the ledger of sessions and counts",
  "session.key": "a file: the keys of sessions",
  "broker.json": "a file: the broker's state",
  "quota.json": "a file: the broker's counts of calls",
  "drover.pid": "a file: the daemon's pid",
  "log/drover.log": "a file: the log, DROVER_LOG_FILE",
  "run/control.sock": "a socket: the commands' way to the daemon",
  "run/broker.sock": "a socket: the workers' way to the broker",
};

test("a directory in the place of each file, and a file in the place of a directory, end the start with one line and 78", async (t) => {
  const dir = folder(t);
  const refusal = async (path: string, lay: (full: string) => void, text: string): Promise<void> => {
    const cwd = mkdtempSync(join(dir, "d-"));
    const full = join(cwd, "var", path);
    mkdirSync(dirname(full), { recursive: true, mode: 0o700 });
    lay(full);
    const daemon = await start(t, { cwd, env: { ...ONE, DROVER_DEMO: "on" }, noWait: true });
    assert.equal((await daemon.exited).code, 78, `${path}: ${daemon.stderr}`);
    assert.equal(daemon.stderr, `drover: ${full} ${text}\n`);
    assert.equal(existsSync(full), true, "it was not touched");
  };
  const move = "Move it away, then start again";
  for (const [path, expected] of Object.entries(DIRECTORIES))
    await refusal(path, (full) => mkdirSync(full), `is a directory (expected ${expected}). ${move}`);
  await refusal("snapshots", (full) => writeFileSync(full, ""), `is a file (expected a directory: the tables' snapshots). ${move}`);
});

test("a session key that others may read ends the start with one line and 78", async (t) => {
  const cwd = folder(t);
  mkdirSync(join(cwd, "var"), { mode: 0o700 });
  keysOf(join(cwd, "var"));
  const path = join(cwd, "var/session.key");
  chmodSync(path, 0o644);
  const daemon = await start(t, { cwd, env: { ...ONE, DROVER_DEMO: "on" }, noWait: true });
  assert.equal((await daemon.exited).code, 78, daemon.stderr);
  assert.match(daemon.stderr, new RegExp(`^drover: the session key ${path} has mode 0644 \\(expected 0600.*\\)\\. chmod 600 it.*\\n$`));
});
