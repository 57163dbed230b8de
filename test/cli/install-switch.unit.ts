/** What an upgrade does around the switch: the check of the new version, and the way back before it. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { filled } from "../../src/tools/emit/systemd.ts";
import { namesOf, SINGLE } from "../../src/tools/emit/units.ts";
import { checkEnvironment, orPutBack } from "../../src/cli/install/switch.ts";
import { folder } from "../support/cleanup.ts";

const PLACE = { root: "/opt/drover", node: "/usr/bin/node", systemd: 252, ffi: true };

for (const [what, names] of [
  ["the service", SINGLE],
  ["an event's", namesOf("spring-game")],
] as const)
  test(`a new version is checked in the directories that the unit gives to a start: ${what}`, () => {
    const env = checkEnvironment(names, "/run/credentials");
    const [unit] = filled(PLACE, [], "/etc", { names, writer: "a test" });
    const directories = { StateDirectory: "/var/lib", RuntimeDirectory: "/run", LogsDirectory: "/var/log" };
    for (const [line, parent] of Object.entries(directories)) {
      assert.match(unit?.text ?? "", new RegExp(`^${line}=${names.dir}$`, "m"));
      const variable = `${line.replace("Directory", "").toUpperCase()}_DIRECTORY`;
      assert.equal(env[variable], join(parent, names.dir));
    }
  });

test("units that systemd-sysusers or systemd-tmpfiles fails with are put back as they were", (t) => {
  const dir = folder(t);
  const [old, added] = [join(dir, "drover.service"), join(dir, "drover.socket")];
  for (const path of [old, added]) writeFileSync(path, "new\n");
  const replaced = [
    { path: old, text: "old\n" },
    { path: added, text: undefined },
  ];
  const failure = new Error("systemd-sysusers drover.conf failed");
  assert.throws(
    () =>
      orPutBack(replaced, () => {
        throw failure;
      }),
    (e) => e === failure,
  );
  assert.deepEqual([readFileSync(old, "utf8"), existsSync(added)], ["old\n", false]);
});

test("what succeeds leaves the new units", (t) => {
  const path = join(folder(t), "drover.service");
  writeFileSync(path, "new\n");
  orPutBack([{ path, text: "old\n" }], () => {});
  assert.equal(readFileSync(path, "utf8"), "new\n");
});
