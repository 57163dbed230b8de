import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, closeSync, rmSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { DroverError } from "../../../src/base/errors.ts";
import { activatedSockets, passedDescriptors } from "../../../src/master/shell/activation.ts";
import { checkBind, locateSockets, type LocatedSocket } from "../../../src/master/shell/activation-check.ts";

const passing = (more: NodeJS.ProcessEnv) => ({ LISTEN_PID: "42", LISTEN_FDS: "3", LISTEN_FDNAMES: "http:notify:", HOME: "/", ...more });

describe("sd_listen_fds(3)", () => {
  test("gives the listening sockets, and takes the variables away", () => {
    const env = passing({ LISTEN_PIDFDID: "7" });
    assert.deepEqual(activatedSockets(env, 42).fds, [
      { fd: 3, name: "http" },
      { fd: 5, name: "unknown" },
    ]);
    assert.deepEqual(env, { HOME: "/" });
    assert.deepEqual(activatedSockets(env, 42).fds, [], "and there are none the second time");
  });

  test("what was meant for another process is not taken, but does not go on to children either", () => {
    for (const more of [{ LISTEN_PID: "41" }, { LISTEN_PID: "" }, { LISTEN_PID: " 42" }, { LISTEN_PID: "042" }]) {
      const env = passing(more);
      assert.deepEqual(activatedSockets(env, 42).fds, []);
      assert.deepEqual(env, { HOME: "/" });
    }
  });

  test("a count that is none means none", () => {
    for (const LISTEN_FDS of ["", "0", "-1", "1.5", "x", "1e3", "99999", "9999"])
      assert.deepEqual(passedDescriptors(passing({ LISTEN_FDS }), 42), [], LISTEN_FDS);
  });

  test("missing and surplus names do no harm", () => {
    assert.deepEqual(
      passedDescriptors(passing({ LISTEN_FDNAMES: undefined, LISTEN_FDS: "2" }), 42).map((d) => d.name),
      ["unknown", "unknown"],
    );
    assert.equal(passedDescriptors(passing({ LISTEN_FDNAMES: "a:b:c:d:e", LISTEN_FDS: "1" }), 42).length, 1);
  });
});

/** The descriptor under a listening server, as a passed one would be. */
async function listening(t: TestContext, options: net.ListenOptions): Promise<{ fd: number; port: number }> {
  const server = net.createServer().listen(options);
  await once(server, "listening");
  t.after(() => server.close());
  const { _handle } = server as unknown as { _handle: { fd: number } };
  return { fd: _handle.fd, port: (server.address() as AddressInfo).port };
}

describe("where passed sockets listen", { skip: process.platform === "linux" ? false : "Linux only" }, () => {
  test("IPv4, IPv6 and unix", async (t) => {
    const dir = mkdtempSync(join(tmpdir(), "drover-activation-"));
    t.after(() => rmSync(dir, { recursive: true }));
    const path = join(dir, "with space.sock");
    const four = await listening(t, { host: "127.0.0.1", port: 0 });
    const six = await listening(t, { host: "::1", port: 0 }).catch(() => undefined); // IPv6 may be off
    const unix = await listening(t, { path });
    const found = locateSockets([four, ...(six === undefined ? [] : [six]), unix].map(({ fd }) => ({ fd, name: "http" })));
    assert.deepEqual(
      found.map(({ address, kind }) => [address, kind]),
      [[`127.0.0.1:${four.port}`, "tcp"], ...(six === undefined ? [] : [[`[::1]:${six.port}`, "tcp"]]), [`unix:${path}`, "unix"]],
    );
    assert.equal(locateSockets([{ fd: four.fd, name: "again" }])[0]?.address, `127.0.0.1:${four.port}`, "looking takes nothing");
  });

  test("what is no listening stream socket is named", async (t) => {
    const file = openSync("/dev/null", "r");
    t.after(() => closeSync(file));
    const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] }); // its stdin is a connected socket
    t.after(() => child.kill("SIGKILL"));
    const { _handle } = child.stdin as unknown as { _handle: { fd: number } };
    for (const fd of [file, _handle.fd, 1_000_000])
      assert.throws(
        () => locateSockets([{ fd, name: "http" }]),
        (e) => e instanceof DroverError && e.code === "DROVER_E_ACTIVATION" && e.exit === 78 && e.message.includes(`descriptor ${fd}`),
      );
  });
});

describe("systemd's sockets and DROVER_BIND", () => {
  const at = (...addresses: string[]): LocatedSocket[] =>
    addresses.map((address, i) => ({ fd: 3 + i, name: "http", address, kind: address.startsWith("unix:") ? "unix" : "tcp" }));
  const written = (...addresses: string[]) => ({ addresses, source: "/etc/drover/drover.env:7" });

  test("equal in any spelling is equal", () => {
    for (const [passed, bind] of [
      [at("127.0.0.1:8080"), written("127.0.0.1:8080")],
      [at("127.0.0.1:8080"), written("localhost:8080")],
      [at("127.0.0.1:8080", "unix:/run/x.sock"), written("unix:/run/x.sock", "127.0.0.1:8080")],
      [at("[::]:80"), written("0.0.0.0:80")],
      [at("[::]:80"), written(":80")],
      [at("[2001:db8::1]:80"), written("[2001:DB8:0:0::1]:80")],
      [at("127.0.0.1:8080"), written("fd://3")],
      [at("127.0.0.1:8080", "unix:/run/x.sock"), written("fd://3", "fd://4")],
    ] as const)
      checkBind(passed, bind);
  });

  test("a default is nobody's wish, and without passed sockets there is nothing to compare", () => {
    checkBind(at("0.0.0.0:80"), undefined);
    checkBind([], written("0.0.0.0:80"));
  });

  test("different: exit 78, and both places and values are named", () => {
    for (const [passed, bind] of [
      [at("127.0.0.1:8080"), written("127.0.0.1:8081")],
      [at("127.0.0.1:8080"), written("0.0.0.0:8080")],
      [at("[::1]:80"), written("127.0.0.1:80")],
      [at("127.0.0.1:8080"), written("127.0.0.1:8080", "unix:/run/x.sock")],
      [at("127.0.0.1:8080", "unix:/run/x.sock"), written("127.0.0.1:8080")],
      [at("127.0.0.1:8080", "127.0.0.1:8081"), written("fd://3")],
      [at("127.0.0.1:8080"), written("fd://4")],
    ] as const)
      assert.throws(
        () => checkBind(passed, bind),
        (e) =>
          e instanceof DroverError &&
          e.exit === 78 &&
          [...passed.map((s) => s.address), ...bind.addresses, "drover.socket", "/etc/drover/drover.env:7"].every((part) =>
            e.message.includes(part),
          ),
      );
  });
});
