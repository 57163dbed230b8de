/** Which daemon is the target. */
import assert from "node:assert/strict";
import test from "node:test";
import { serves } from "../../src/cli/load/probe.ts";
import { hears, plainAddress } from "../../src/load/address.ts";

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
