import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { bytes } from "../../src/base/units.ts";
import { childEnv, nodeFlags } from "../../src/cli/child-env.ts";

const flagsOf = (role: "worker" | "broker" | "emulator", ownCode: boolean): string[] =>
  nodeFlags(role, { memory: bytes(2 ** 30), workers: 8, autopsy: true, ownCode });

test("this Node.js knows every flag that a child gets", () => {
  for (const role of ["worker", "broker", "emulator"] as const)
    assert.equal(execFileSync(process.execPath, [...flagsOf(role, true), "-p", "42"], { encoding: "utf8" }), "42\n");
});

/** Of Node.js's modules: how many were taken as they were compiled when Node.js was built, and how many had to be compiled. */
const COUNTS = `process.getBuiltinModule("node:http");
const { compiledWithCache, compiledWithoutCache } = require("internal/test/binding").internalBinding("builtins").getCacheUsage();
JSON.stringify([[...compiledWithCache].length, [...compiledWithoutCache].length])`;

test("Node.js takes its own modules compiled, as it carries them: the flags have the hash that they were made with", () => {
  const compiled = (flags: readonly string[]): [number, number] => {
    const out = execFileSync(process.execPath, [...flags, "--no-warnings", "--expose-internals", "-p", COUNTS], { encoding: "utf8" });
    return JSON.parse(out) as [number, number];
  };
  for (const role of ["worker", "broker", "emulator"] as const) {
    const [from, anew] = compiled(flagsOf(role, true));
    assert.ok(from > 20, `${role}: ${from} of them were taken`);
    assert.equal(anew, 0, role);
  }
  assert.ok(compiled(["--expose-gc"])[1] > 20, "a flag that changes the hash is seen");
});

test("only a worker of drover's own code stays warm in a quiet minute, and V8's defaults stay an application's", () => {
  const warm = (flags: readonly string[]): boolean => flags.includes("--no-memory-reducer");
  assert.deepEqual([flagsOf("worker", true), flagsOf("broker", true), flagsOf("worker", false)].map(warm), [true, false, false]);
  assert.deepEqual(
    flagsOf("worker", false).filter((flag) => /semi|gc/.test(flag)),
    [],
  );
});

test("glibc's arenas are bounded for drover's own code alone, and not against whoever set them", () => {
  const arenas = (env: NodeJS.ProcessEnv, ownCode: boolean): string | undefined => childEnv(env, ownCode)["MALLOC_ARENA_MAX"];
  assert.deepEqual([arenas({}, true), arenas({}, false), arenas({ MALLOC_ARENA_MAX: "4" }, true)], ["1", undefined, "4"]);
});

test("what is secret or the master's own reaches no child", () => {
  const env = childEnv({ NOTIFY_SOCKET: "/run/x", GOOGLE_APPLICATION_CREDENTIALS: "/key.json", PATH: "/bin" }, true);
  assert.deepEqual([env["NOTIFY_SOCKET"], env["GOOGLE_APPLICATION_CREDENTIALS"], env["PATH"]], [undefined, undefined, "/bin"]);
  assert.ok("NOTIFY_SOCKET" in env);
});
