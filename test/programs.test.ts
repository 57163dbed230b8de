/** .ci/programs: one installation for all tests, and a word for what could not be installed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import test, { type TestContext } from "node:test";
import { folder } from "./support/cleanup.ts";

/** Runs .ci/programs with an apt-get of the test's own, in which `here` stands for the folder of programs. */
function programs(t: TestContext, list: string, aptGet: string, user = "0") {
  const root = folder(t);
  const here = join(root, "bin");
  for (const dir of [".ci", "test", "bin"]) mkdirSync(join(root, dir));
  copyFileSync(".ci/programs", join(root, ".ci/programs"));
  writeFileSync(join(root, "test/programs.txt"), list);
  const script = (name: string, text: string): void => {
    writeFileSync(join(here, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(here, name), 0o755);
  };
  script("apt-get", `here=${here}\necho "$@" >>${root}/calls\n${aptGet}`);
  script("sleep", "exit 0");
  script("id", `echo ${user}`);
  const env = { ...process.env, PATH: `${here}${delimiter}${process.env["PATH"]}` };
  const { status, stdout, stderr } = spawnSync("bash", [join(root, ".ci/programs")], { encoding: "utf8", env });
  const calls = spawnSync("cat", [`${root}/calls`], { encoding: "utf8" })
    .stdout.trim()
    .split("\n")
    .filter(Boolean);
  return { status, stdout, stderr, calls };
}

const LIST = "# program package\nsh dash\nno-such-a package-a\nno-such-b package-b\n";
const INSTALLS = 'for name in no-such-a no-such-b; do cp "$here/id" "$here/$name"; done';

test("programs that are there need no apt-get", (t) => {
  assert.deepEqual(programs(t, "sh dash\n", "exit 1"), { status: 0, stdout: "", stderr: "", calls: [] });
});

test("missing ones are installed by one apt-get install", (t) => {
  const { status, stdout, calls } = programs(t, LIST, INSTALLS);
  assert.deepEqual([status, stdout], [0, "installed: package-a package-b \n"]);
  assert.deepEqual(calls, ["update -q", "install -y -q --no-install-recommends package-a package-b"]);
});

test("an apt-get that fails three times is no failure: NOT CHECKED names the programs", (t) => {
  const { status, stdout, stderr, calls } = programs(t, LIST, "echo no route to the mirror; exit 100");
  assert.deepEqual([status, stdout, calls.length], [0, "NOT CHECKED: what needs no-such-a no-such-b \n", 3]);
  assert.match(stderr, /no route to the mirror/);
});

test("a user who is not root, too", (t) => {
  const { status, stdout, stderr, calls } = programs(t, LIST, INSTALLS, "1000");
  assert.deepEqual([status, stdout, calls], [0, "NOT CHECKED: what needs no-such-a no-such-b \n", []]);
  assert.match(stderr, /only root/);
});

test("an apt-get that reports success and brings no program is a failure: the list is wrong", (t) => {
  const { status, stderr } = programs(t, LIST, "exit 0");
  assert.equal(status, 1);
  assert.match(stderr, /these are missing: no-such-a no-such-b/);
});

test("each program that a test names is in the list, with the same package", () => {
  const known = new Map(
    readFileSync("test/programs.txt", "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.split(" ", 2) as [string, string]),
  );
  const asked = readdirSync("test", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".soak.ts"))
    .flatMap((file) => [...readFileSync(join("test", file), "utf8").matchAll(/needs\("([^"]+)", "([^"]+)"\)/g)]);
  assert.ok(asked.length > 20);
  const wrong = asked
    .map(([, program = "", packages = ""]) => [program, packages] as const)
    .filter(([program, packages]) => known.get(program) !== packages);
  assert.deepEqual(wrong, []);
});
