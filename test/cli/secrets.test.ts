/** `drover codes`, `drover hash`, and the session key of a data directory. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { keysOf } from "../../src/cli/session-key.ts";
import { checkPassword } from "../../src/app/session/scrypt.ts";
import { DROVER } from "../tools/emulator/standalone.ts";
import { deriveKey, keep, matchesCode, readCode } from "../../src/sheets/secrets.ts";

const run = (args: readonly string[], input = "") => spawnSync(DROVER, args, { input, encoding: "utf8", timeout: 60_000 });

test("drover codes: a code and its hash a line, one a name where names are given", () => {
  const made = run(["codes", "--count", "3"]);
  assert.equal(made.status, 0, made.stderr);
  const lines = made.stdout.trimEnd().split("\n");
  assert.equal(lines.length, 3);
  const key = deriveKey("a key of the operator, over 32 characters");
  for (const line of lines) {
    const [code = "", hash = ""] = line.split("\t");
    assert.ok(readCode(code), code);
    const kept = keep(hash, key);
    assert.ok(kept.is === "kept" && matchesCode(code, kept.verifier, [key]));
  }
  const named = run(["codes", "--users", "-"], "\uFEFFZoé\r\n\r\nBob\u001b[2J\tevil\n");
  assert.deepEqual(
    named.stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t")[0]),
    ["Zoé", "Bob evil"],
  );
  for (const args of [["--count", "0"], ["--count", "x"], ["--count", "2", "--users", "-"], ["extra"], ["--users", "/nowhere"]])
    assert.equal(run(["codes", ...args]).status, 64, args.join(" "));
});

test("drover hash reads the password, never takes it as an argument, and prints what a login checks", () => {
  const made = run(["hash"], "correct horse\n");
  assert.equal(made.status, 0, made.stderr);
  assert.equal(checkPassword({ password: "correct horse", verifier: made.stdout.trim() }), true);
  assert.equal(run(["hash"], "short\n").status, 64);
  const argument = run(["hash", "correct horse"]);
  assert.deepEqual([argument.status, argument.stdout], [64, ""]);
  assert.doesNotMatch(argument.stderr, /horse/);
});

test("drover check says who logs in by what, without making a key", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "drover-check-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const env = {
    PATH: process.env["PATH"],
    DROVER_DEMO: "on",
    DROVER_DATA_DIR: join(dir, "var"),
  };
  const checked = spawnSync(DROVER, ["check"], { encoding: "utf8", cwd: dir, env, timeout: 60_000 });
  assert.equal(checked.status, 0, checked.stderr);
  assert.match(checked.stdout, /^login: by "name" and the hidden "code"; for: checkins$/m);
  assert.match(checked.stdout, /^tables: 7 in /m);
  assert.equal(existsSync(join(dir, "var")), false);
});

test("drover check refuses a Google key that a start would refuse, in the same words", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "drover-check-"));
  t.after(() => rmSync(dir, { recursive: true }));
  for (const [text, words] of [
    ["no key", /The Google key file \S+key\.json is not JSON\./],
    ['{"type":"authorized_user"}', /of type "authorized_user", not a service account's key/],
    [undefined, /The Google key file \S+key\.json does not exist\./],
  ] as const) {
    const key = join(dir, "key.json");
    rmSync(key, { force: true });
    if (text !== undefined) writeFileSync(key, text);
    const env = { PATH: process.env["PATH"], DROVER_SPREADSHEET_ID: "1".repeat(30), GOOGLE_APPLICATION_CREDENTIALS: key };
    const checked = spawnSync(DROVER, ["check"], { encoding: "utf8", cwd: dir, env, timeout: 60_000 });
    assert.deepEqual([checked.status, words.test(checked.stderr)], [78, true], checked.stderr);
  }
});

test("the session key is made once, 0600; one that others may read, or that is none, is refused", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "drover-key-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const data = join(dir, "var");
  const [made = ""] = keysOf(data);
  assert.ok(made.length >= 43);
  const path = join(data, "session.key");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(keysOf(data), [made]);
  writeFileSync(path, `# the new one\n${"n".repeat(32)}\n${readFileSync(path, "utf8")}`);
  assert.deepEqual(keysOf(data), ["n".repeat(32), made]);
  chmodSync(path, 0o644);
  assert.throws(() => keysOf(data), /has mode 0644 \(expected 0600/);
  chmodSync(path, 0o600);
  writeFileSync(path, "short\n");
  assert.throws(() => keysOf(data), /a key that is too short/);
});
