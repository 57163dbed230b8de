import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { test } from "node:test";
import { fc } from "../../support/fast-check.ts";
import { notePeer } from "../../../src/worker/peer.ts";
import { createTrust } from "../../../src/worker/gate/address.ts";
import { address, hopsOfForwarded, hopsOfXff } from "../../../src/worker/gate/forwarded.ts";

const PROXIES = [
  { address: "10.0.0.0", prefix: 8, family: "ipv4" },
  { address: "fd00::", prefix: 8, family: "ipv6" },
] as const;

/** @param remoteAddress undefined: a unix socket's peer. */
function request(remoteAddress: string | undefined, headers: Record<string, string> = {}): IncomingMessage {
  const socket = { remoteAddress, _handle: remoteAddress === undefined ? {} : { getpeername() {} } };
  notePeer(socket as unknown as Socket);
  return { socket, headers } as unknown as IncomingMessage;
}

test("the client is the peer unless the peer is a trusted proxy; then the rightmost untrusted hop", () => {
  const trust = createTrust(PROXIES);
  for (const [peer, xff, expected] of [
    ["203.0.113.9", "1.1.1.1", "203.0.113.9"], // a stranger's word counts for nothing
    ["10.0.0.1", undefined, "10.0.0.1"],
    ["10.0.0.1", "1.1.1.1", "1.1.1.1"],
    ["10.0.0.1", "6.6.6.6, 1.1.1.1", "1.1.1.1"], // what is further left the client wrote itself
    ["10.0.0.1", "6.6.6.6, 1.1.1.1, 10.9.9.9", "1.1.1.1"],
    ["10.0.0.1", "10.2.2.2, 10.9.9.9", "10.2.2.2"],
    ["10.0.0.1", "6.6.6.6, nonsense, 10.9.9.9", "10.9.9.9"], // beyond nonsense nothing is known
    ["10.0.0.1", "", "10.0.0.1"],
    ["10.0.0.1", "1.1.1.1:4711", "1.1.1.1"],
    ["::ffff:10.0.0.1", "::ffff:1.1.1.1", "1.1.1.1"],
    ["fd00::1", "2001:DB8::1", "2001:db8::1"],
    [undefined, "1.1.1.1", "1.1.1.1"], // a unix socket's peer passed its permissions
  ] as const)
    assert.equal(trust.addressOf(request(peer, xff === undefined ? {} : { "x-forwarded-for": xff })), expected, `${peer} ${xff}`);
});

test("Forwarded is read too; where both are there and disagree neither is believed", () => {
  const trust = createTrust(PROXIES);
  const from = (headers: Record<string, string>) => trust.addressOf(request("10.0.0.1", headers));
  assert.equal(from({ forwarded: 'for="[2001:db8::1]:4711";proto=http, for=10.1.1.1' }), "2001:db8::1");
  assert.equal(from({ forwarded: "for=_hidden" }), "10.0.0.1");
  assert.equal(from({ forwarded: "for=6.6.6.6", "x-forwarded-for": "1.1.1.1" }), "10.0.0.1");
  assert.equal(from({ forwarded: "for=1.1.1.1", "x-forwarded-for": "6.6.6.6, 1.1.1.1" }), "1.1.1.1");
});

test("0.16: without trusted proxies no header is read, and a unix peer has no address", () => {
  const trust = createTrust([]);
  assert.equal(trust.addressOf(request("10.0.0.1", { "x-forwarded-for": "1.1.1.1" })), "10.0.0.1");
  assert.equal(trust.addressOf(request(undefined, { "x-forwarded-for": "1.1.1.1" })), "unix");
  trust.retune(PROXIES);
  assert.equal(trust.addressOf(request("10.0.0.1", { "x-forwarded-for": "1.1.1.1" })), "1.1.1.1");
});

test("a TCP peer that has gone is unknown: it is never taken for a unix socket's, whose word on the client would count", () => {
  const headers = { "x-forwarded-for": "1.1.1.1" };
  const socket = { remoteAddress: undefined, _handle: { getpeername() {} } };
  notePeer(socket as unknown as Socket);
  const trust = createTrust(PROXIES);
  assert.equal(trust.addressOf({ socket, headers } as unknown as IncomingMessage), "unknown");
  assert.equal(trust.addressOf({ socket: {}, headers } as unknown as IncomingMessage), "unknown");
});

test("addresses are read in every spelling a proxy uses, and nothing else", () => {
  for (const [text, expected] of [
    ["1.2.3.4", "1.2.3.4"],
    ["1.2.3.4:80", "1.2.3.4"],
    ["[::1]", "::1"],
    ["[::1]:80", "::1"],
    ["::1", "::1"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["fe80::1%eth0", undefined],
    ["1.2.3", undefined],
    ["unknown", undefined],
    ["", undefined],
    ["1.2.3.4:http", undefined],
  ] as const)
    assert.equal(address(text), expected, text);
});

test("quoted separators do not split, and no header makes the parsers throw or run long", () => {
  assert.deepEqual(hopsOfForwarded('for="1.1.1.1";by="a,b;c", for=2.2.2.2'), ["1.1.1.1", "2.2.2.2"]);
  assert.equal(hopsOfXff("1.1.1.1,".repeat(5_000)).length, 32);
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from('for=;,"\\[]:. 1af%\t')) }), (text) => {
      for (const hop of [...hopsOfXff(text), ...hopsOfForwarded(text)]) assert.ok(hop === undefined || hop.length <= 45);
    }),
  );
});

test("HTTPS is what a trusted proxy says it is, and nobody else's word", () => {
  const trust = createTrust(PROXIES);
  for (const [peer, headers, expected] of [
    ["10.0.0.1", {}, false],
    ["10.0.0.1", { "x-forwarded-proto": "https" }, true],
    ["10.0.0.1", { "x-forwarded-proto": "HTTPS" }, true],
    ["10.0.0.1", { "x-forwarded-proto": "https, http" }, false], // the nearest proxy's word is the last
    ["10.0.0.1", { "x-forwarded-proto": "http" }, false],
    ["10.0.0.1", { forwarded: 'for=1.1.1.1;proto="https"' }, true],
    ["10.0.0.1", { forwarded: "for=1.1.1.1;proto=https, for=10.9.9.9" }, false],
    ["203.0.113.9", { "x-forwarded-proto": "https", forwarded: "proto=https" }, false],
    [undefined, { "x-forwarded-proto": "https" }, true],
  ] as const)
    assert.equal(trust.isSecure(request(peer, headers)), expected, `${peer} ${JSON.stringify(headers)}`);
  assert.equal(createTrust([]).isSecure(request(undefined, { "x-forwarded-proto": "https" })), false);
});

test("HTTPS with drover itself is HTTPS, unless a trusted proxy says that its client came without", () => {
  const trust = createTrust(PROXIES);
  for (const [peer, headers, expected] of [
    ["203.0.113.9", {}, true],
    ["203.0.113.9", { "x-forwarded-proto": "http" }, true],
    ["10.0.0.1", {}, true],
    ["10.0.0.1", { forwarded: "for=1.1.1.1" }, true],
    ["10.0.0.1", { "x-forwarded-proto": "http" }, false],
    ["10.0.0.1", { "x-forwarded-proto": "https" }, true],
  ] as const) {
    const req = request(peer, headers);
    Object.assign(req.socket, { encrypted: true });
    assert.equal(trust.isSecure(req), expected, `${peer} ${JSON.stringify(headers)}`);
  }
});

test("for counting: a proxy that names nobody is not a client; who sits at this machine is one; contradictions count together", () => {
  const trust = createTrust([...PROXIES, { address: "127.0.0.0", prefix: 8, family: "ipv4" }]);
  const count = (peer: string | undefined, headers: Record<string, string> = {}, httpVersion = "1.1") =>
    trust.countable(Object.assign(request(peer, { host: "localhost:8080", ...headers }), { httpVersion }));
  assert.equal(count("203.0.113.9"), "203.0.113.9");
  assert.equal(count("203.0.113.9", { "x-forwarded-for": "1.1.1.1" }), "203.0.113.9");
  assert.equal(count("10.0.0.1", { "x-forwarded-for": "1.1.1.1" }), "1.1.1.1");
  assert.equal(count("10.0.0.1"), undefined);
  assert.equal(count("10.0.0.1", { "x-forwarded-for": "10.2.2.2" }), undefined, "a proxy before it that names nobody");
  assert.equal(count("127.0.0.1"), "127.0.0.1");
  assert.equal(count(undefined), "unix");
  assert.equal(count("127.0.0.1", { "x-forwarded-for": "127.0.0.1" }), "127.0.0.1", "named, though it is here");
  for (const trace of [{ via: "1.1 x" }, { "x-real-ip": "1.1.1.1" }, { host: "event.example" }, { origin: "https://event.example" }]) {
    assert.equal(count("127.0.0.1", trace), undefined, JSON.stringify(trace));
    assert.equal(count(undefined, trace), undefined);
  }
  assert.equal(count("127.0.0.1", {}, "1.0"), undefined, "no browser speaks HTTP/1.0");
  assert.equal(count("127.0.0.1", { origin: "http://localhost:8080" }), "127.0.0.1");
  for (const junk of [
    { "x-forwarded-for": "me" },
    { forwarded: "for=unknown" },
    { "x-forwarded-for": "1.1.1.1", forwarded: "for=2.2.2.2" },
  ])
    assert.equal(count("10.0.0.1", junk), "10.0.0.1", "counted together");
  assert.equal(createTrust([]).countable(request(undefined)), "unix");
});
