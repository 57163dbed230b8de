import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../support/fast-check.ts";
import { matched } from "../../src/worker/conditional.ts";
import { Negotiator } from "../../src/base/encoding.ts";

test("Accept-Encoding is read as RFC 9110 says", () => {
  const negotiator = new Negotiator();
  for (const [header, expected] of [
    ["", "identity"],
    ["gzip", "gzip identity"],
    ["gzip, deflate, br", "br gzip identity"],
    ["gzip;q=1.0, br;q=0.5", "gzip br identity"],
    ["br;q=0, gzip", "gzip identity"],
    ["*", "br gzip identity"],
    ["*;q=0", "identity"],
    ["gzip;q=0.5, *;q=0.8", "br identity gzip"],
    ["identity, gzip;q=0.2", "identity gzip"],
    ["identity;q=0, gzip", "gzip identity"],
    ["X-GZIP", "gzip identity"],
    ["br;q=2", "br identity"],
    ["deflate", "identity"],
    [",,;q=1", "identity"],
  ] as const) {
    assert.equal(negotiator.preferences(header).join(" "), expected, header);
    assert.equal(negotiator.preferences(header).join(" "), expected, `${header}, remembered`);
  }
});

test("whatever a client sends, there is an answer, identity is in it, and nothing comes twice", () => {
  const negotiator = new Negotiator();
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from('gzipbr*;q=0.1, \t"')) }), (header) => {
      const order = negotiator.preferences(header);
      assert.ok(order.includes("identity"));
      assert.equal(new Set(order).size, order.length);
    }),
  );
});

test("2.6: If-None-Match: one tag, lists, weak tags and *", () => {
  const tags = ['"v1"', '"v1-gz"', '"v1-br"'];
  for (const [header, expected] of [
    ['"v1"', '"v1"'],
    ['"v1-br"', '"v1-br"'],
    ['W/"v1-gz"', '"v1-gz"'],
    ['"v0", W/"v1-gz" , "v2"', '"v1-gz"'],
    ["*", '"v1"'],
    [" * ", '"v1"'],
    ['"v2"', undefined],
    ["v1", undefined],
    ['"v0,"v1"', undefined],
    ["", undefined],
    ['"v1', undefined],
  ] as const)
    assert.equal(matched(header, tags), expected, header);
});
