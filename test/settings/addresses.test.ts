import assert from "node:assert/strict";
import { BlockList } from "node:net";
import { test } from "node:test";
import { ANY_CHARACTER } from "../support/characters.ts";
import { fc } from "../support/fast-check.ts";
import { addresses, networks, type BindAddress } from "../../src/settings/addresses.ts";

const read = (text: string): readonly BindAddress[] | string => {
  const result = addresses.parse(text, "/cwd");
  return result.ok ? result.value : result.problem;
};

test("every form of an address to listen on", () => {
  const cases: readonly (readonly [string, BindAddress])[] = [
    ["127.0.0.1:8080", { kind: "tcp", host: "127.0.0.1", port: 8080 }],
    ["localhost:0", { kind: "tcp", host: "localhost", port: 0 }],
    ["my-host.example:65535", { kind: "tcp", host: "my-host.example", port: 65_535 }],
    [":80", { kind: "tcp", host: "0.0.0.0", port: 80 }],
    ["[::1]:8080", { kind: "tcp", host: "::1", port: 8080 }],
    ["[::]:80", { kind: "tcp", host: "::", port: 80 }],
    ["unix:run/x.sock", { kind: "unix", path: "/cwd/run/x.sock" }],
    ["unix:///run/x.sock", { kind: "unix", path: "/run/x.sock" }],
    ["unix:/run/x.sock", { kind: "unix", path: "/run/x.sock" }],
    ["fd://3", { kind: "fd", fd: 3 }],
  ];
  for (const [text, wanted] of cases) assert.deepEqual(read(text), [wanted], text);
  assert.deepEqual(read(" :80 , unix:/a ")[1], { kind: "unix", path: "/a" });
});

test("what is no address is refused with what would be one", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /HOST:PORT/],
    ["8080", /write :8080/],
    ["::1", /brackets/],
    ["::1:8080", /brackets/],
    ["[::1]", /HOST:PORT/],
    ["[127.0.0.1]:80", /IP address/],
    ["[]:80", /IP address/],
    ["127.0.0.1:65536", /from 0 to 65535/],
    ["127.0.0.1:080", /from 0 to 65535/],
    ["127.0.0.1:", /HOST:PORT/],
    ["127.0.0.1:-1", /HOST:PORT/],
    ["256.0.0.1:80", /IP address/],
    ["127.1:80", /IP address/],
    ["a b:80", /IP address/],
    ["-x:80", /IP address/],
    ["http://x:80", /HOST:PORT/],
    ["unix:", /socket file/],
    ["unix:@x", /socket file/],
    ["fd://2", /from 3/],
    ["fd:3", /from 3/],
    ["fd://x", /from 3/],
    [":80,,:81", /entry ""/],
    [":80,", /entry ""/],
    [":80,0.0.0.0:80", /once/],
    ["unix:/a,unix:/b/../a", /once/],
    ["fd://3,:80", /don't mix/],
  ];
  for (const [text, wanted] of cases) {
    const problem = read(text);
    assert.ok(typeof problem === "string" && wanted.test(problem), `${text}: ${JSON.stringify(problem)}`);
  }
  assert.equal(read("127.0.0.1:0,127.0.0.1:0").length, 2, "the kernel picks two different ports");
  assert.equal(read("fd://3,fd://4").length, 2);
});

test("property: lists of addresses are read back as they were", () => {
  const one = fc.oneof(
    fc.record(
      { kind: fc.constant("tcp" as const), host: fc.oneof(fc.ipV4(), fc.domain()), port: fc.integer({ min: 0, max: 65_535 }) },
      { noNullPrototype: true },
    ),
    fc.record({ kind: fc.constant("tcp" as const), host: fc.ipV6(), port: fc.integer({ min: 0, max: 65_535 }) }, { noNullPrototype: true }),
    fc.record({ kind: fc.constant("unix" as const), path: fc.stringMatching(/^\/[a-z]{1,20}$/) }, { noNullPrototype: true }),
  );
  const lists = fc.uniqueArray(one, { minLength: 1, maxLength: 5, selector: (a) => addresses.format([a]) });
  fc.assert(fc.property(lists, (list) => assert.deepEqual(read(addresses.format(list)), list)));
  fc.assert(fc.property(fc.string({ unit: ANY_CHARACTER }), (text) => void read(text)));
});

const networksOf = (text: string): unknown => {
  const result = networks.parse(text, "/");
  return result.ok ? result.value : "refused";
};

test("networks: CIDR, bare addresses, nothing", () => {
  assert.deepEqual(networksOf(""), []);
  assert.deepEqual(networksOf("10.0.0.0/8, ::1,fd00::/7"), [
    { address: "10.0.0.0", prefix: 8, family: "ipv4" },
    { address: "::1", prefix: 128, family: "ipv6" },
    { address: "fd00::", prefix: 7, family: "ipv6" },
  ]);
  for (const text of [
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/08",
    "10.0.0.0/8/8",
    "::/129",
    "fe80::1%eth0",
    "localhost",
    "10.0.0",
    ",",
    "10.0.0.0/-1",
  ])
    assert.equal(networksOf(text), "refused", text);
});

test("property: every network that is accepted is one that net.BlockList takes, and reads back", () => {
  const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }));
  const v6 = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 }));
  fc.assert(
    fc.property(fc.array(fc.oneof(v4, v6), { maxLength: 5 }), (list) => {
      const result = networks.parse(list.map(([address, prefix]) => `${address}/${prefix}`).join(","), "/");
      assert.ok(result.ok);
      const block = new BlockList();
      for (const { address, prefix, family } of result.value) {
        block.addSubnet(address, prefix, family);
        assert.ok(block.check(address, family));
      }
      assert.deepEqual(networks.parse(networks.format(result.value), "/"), result);
    }),
  );
});
