/** A Google key that others can read draws a warning, which names the mode and the command. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { keyModeWarnings } from "../../src/cli/key-mode.ts";

test("a Google key of mode 0644 or 0640 draws a warning; 0600, a missing one and a copy of systemd's do not", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "drover-mode-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const keyFile = join(dir, "key.json");
  const warnings = (demo = false): string[] => keyModeWarnings({ keyFile, demo });
  assert.deepEqual(warnings(), [], "missing: it has an error of its own");
  writeFileSync(keyFile, "{}");
  chmodSync(keyFile, 0o644);
  const text = (mode: string, who: string): string[] => [
    `the Google key ${keyFile} has mode ${mode} (expected 0600): ${who} can read it. chmod 600 ${keyFile}`,
  ];
  assert.deepEqual(warnings(), text("0644", "every user of this machine"));
  assert.deepEqual(warnings(true), [], "the demo's key is the emulator's");
  chmodSync(keyFile, 0o640);
  assert.deepEqual(warnings(), text("0640", "its group"));
  const before = process.env["CREDENTIALS_DIRECTORY"];
  process.env["CREDENTIALS_DIRECTORY"] = dir;
  t.after(() => (before === undefined ? delete process.env["CREDENTIALS_DIRECTORY"] : (process.env["CREDENTIALS_DIRECTORY"] = before)));
  assert.deepEqual(warnings(), []);
  delete process.env["CREDENTIALS_DIRECTORY"];
  chmodSync(keyFile, 0o600);
  assert.deepEqual(warnings(), []);
});
