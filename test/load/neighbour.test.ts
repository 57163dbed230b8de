/** Whose processes are watched: those that listen at the target's address, also after they were started again. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import test, { type TestContext } from "node:test";
import { neighbour } from "../../src/cli/load/neighbour.ts";
import { serves } from "../../src/cli/load/probe.ts";
import { hears, plainAddress } from "../../src/load/address.ts";
import { detectMachine } from "../../src/settings/machine.ts";

const machine = detectMachine({});

/** @param burn ms of CPU before it listens. @param holds MiB. @returns the process and its port, once it listens. A word on its stdin, and it does so no more. */
async function listener(
  t: TestContext,
  address: string,
  port = 0,
  { burn = 0, holds = 0 }: { readonly burn?: number; readonly holds?: number } = {},
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const code = `const end = Date.now() + ${burn}; while (Date.now() < end);
    globalThis.held = Buffer.alloc(${holds} * 1048576, 1);
    setInterval(() => {}, 1e6);
    process.stdin.once("data", () => server.close(() => console.log("closed")));
    const server = require("node:net").createServer().listen(${port}, "${address}", () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ["-e", code], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { child, port: Number(line.toString()) };
}

test(
  "a target that is started again is found again, and what it burnt before is not counted",
  { skip: process.platform !== "linux" },
  async (t) => {
    const address = "127.0.0.1";
    const { child, port } = await listener(t, address);
    const server = neighbour({ address, port }, machine);
    const before = await server?.sample();
    assert.ok(before !== undefined && before.rssBytes > 0);
    child.kill("SIGKILL");
    await once(child, "close");
    assert.equal(await server?.sample(), undefined);
    await listener(t, address, port, { burn: 600 });
    const after = await server?.sample();
    assert.ok(after !== undefined && after.rssBytes > 0);
    const burnt = after.cpuSeconds - before.cpuSeconds;
    assert.ok(burnt >= 0 && burnt < 0.3, `${burnt} s`);
  },
);

test("one who drains beside his successor is not watched for ever", { skip: process.platform !== "linux" }, async (t) => {
  const address = "127.0.0.1";
  const { child, port } = await listener(t, address);
  const server = neighbour({ address, port }, machine);
  child.stdin?.write("close");
  assert.ok(child.stdout !== null);
  await once(child.stdout, "data");
  await listener(t, address, port, { holds: 200 });
  const seen: number[] = [];
  for (let i = 0; i < 5; i += 1) seen.push((await server?.sample())?.rssBytes ?? 0);
  assert.ok((seen.at(-1) ?? 0) > 200 * 1_048_576, seen.join(", "));
});

test("a neighbour at another address of the same port is another's", { skip: process.platform !== "linux" }, async (t) => {
  const { port } = await listener(t, "127.0.0.2");
  assert.equal(neighbour({ address: "127.0.0.1", port }, machine), undefined);
  assert.ok(neighbour({ address: "127.0.0.2", port }, machine) !== undefined);
  const all = await listener(t, "0.0.0.0");
  assert.ok(neighbour({ address: "127.0.0.3", port: all.port }, machine) !== undefined);
});

test("the daemon of this folder is the target at its own addresses alone", () => {
  const at = (name: string, address: string, port = 8080): boolean => serves({ addresses: [{ name, kind: "tcp" }] }, { address, port });
  assert.deepEqual(
    [at("127.0.0.1:8080", "127.0.0.1"), at("0.0.0.0:8080", "127.0.0.2"), at("[::]:8080", "127.0.0.1"), at("0.0.0.0:80", "127.0.0.1", 80)],
    [true, true, true, true],
  );
  assert.deepEqual(
    [at("127.0.0.1:8080", "127.0.0.2"), at("127.0.0.1:8080", "127.0.0.1", 8081), at("[::1]:8080", "127.0.0.1")],
    [false, false, false],
  );
  assert.equal(serves({ addresses: [{ name: "/run/drover.sock", kind: "unix" }] }, { address: "127.0.0.1", port: 80 }), false);
});

test("an address is the same however it is written", () => {
  for (const text of ["127.0.0.1", "[::ffff:7f00:1]", "::ffff:127.0.0.1", "0:0:0:0:0:ffff:7f00:0001"])
    assert.equal(plainAddress(text), "127.0.0.1");
  assert.deepEqual(
    [plainAddress("[0:0::1]"), plainAddress("fe80::1%eth0"), plainAddress("localhost")],
    ["::1", "fe80::1%eth0", "localhost"],
  );
  assert.deepEqual([hears("0.0.0.0", "::1"), hears("::", "::1"), hears("::ffff:127.0.0.1", "127.0.0.1")], [false, true, true]);
});
