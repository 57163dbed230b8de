import assert from "node:assert/strict";
import { test } from "node:test";
import { ANY_CHARACTER } from "../support/characters.ts";
import { fc } from "../support/fast-check.ts";
import { bytes, mebibytes, minutes, ms, seconds } from "../../src/base/units.ts";
import {
  choice,
  duration,
  integer,
  keyFile,
  onOff,
  optional,
  path,
  roughly,
  secret,
  size,
  string,
  url,
} from "../../src/settings/parsers.ts";
import type { Codec } from "../../src/settings/setting.ts";

const value = <T>(codec: Codec<T>, text: string): T | "refused" => {
  const result = codec.parse(text, "/cwd");
  return result.ok ? result.value : "refused";
};
const table = <T>(codec: Codec<T>, rows: readonly (readonly [text: string, value: T | "refused"])[]): void => {
  for (const [text, wanted] of rows) assert.deepEqual(value(codec, text), wanted, JSON.stringify(text));
};

test("durations carry their unit; only zero needs none", () => {
  table(duration(ms(0), minutes(60)), [
    ["500ms", ms(500)],
    ["30s", seconds(30)],
    ["2m", minutes(2)],
    ["1h", minutes(60)],
    ["1.5s", ms(1_500)],
    ["0", ms(0)],
    ["0s", ms(0)],
    ["0.001s", ms(1)],
    ["0.07s", ms(70)],
    ...["", "30", "-1s", "+1s", "1 s", " 1s", "1S", "1d", "1h30m", "1e3s", "0.5ms", "61m", "Infinity", "NaN", "0x10s", "٣s", "1s\n"].map(
      (text) => [text, "refused"] as const,
    ),
    [`${"9".repeat(400)}h`, "refused"],
  ]);
  table(duration(ms(100), minutes(60)), [
    ["0", "refused"],
    ["99ms", "refused"],
    ["100ms", ms(100)],
  ]);
});

test("a bare number is told that it lacks its unit", () => {
  const result = duration(ms(100), minutes(60)).parse("30", "/");
  assert.match(result.ok ? "" : result.problem, /needs its unit/);
});

test("sizes are powers of 1024", () => {
  table(size(mebibytes(1), mebibytes(4_096), "never"), [
    ["512m", mebibytes(512)],
    ["4g", mebibytes(4_096)],
    ["1.5G", mebibytes(1_536)],
    ["1.1g", bytes(1_181_116_006)],
    ["512MiB", mebibytes(512)],
    ["512mb", mebibytes(512)],
    ["1048576b", mebibytes(1)],
    ["0", bytes(0)],
    ...["", "512", "1k", "5g", "-1m", "1 m", "1p", "1bb", "1e9b", "m", "0m"].map((text) => [text, "refused"] as const),
  ]);
  assert.equal(value(size(mebibytes(1), mebibytes(4_096)), "0"), "refused");
});

test("integers are decimal, without sign, exponent or leading zeros", () => {
  table(integer(0, 256), [
    ["0", 0],
    ["256", 256],
    ...["", "257", "-1", "+1", "1.0", "1e2", "0x10", "08", " 8", "8 ", "NaN", "9".repeat(30)].map((text) => [text, "refused"] as const),
  ]);
});

test("switches and choices", () => {
  table(onOff, [
    ["on", true],
    ["OFF", false],
    ["True", true],
    ["false", false],
    ["1", true],
    ["0", false],
    ...["", "yes", "2", "constructor"].map((text) => [text, "refused"] as const),
  ]);
  table(choice(["on", "off", "auto"]), [
    ["auto", "auto"],
    ["1", "on"],
    ["FALSE", "off"],
    ["__proto__", "refused"],
  ]);
  table(choice(["none", "slow"]), [
    ["Slow", "slow"],
    ["1", "refused"],
    ["off", "refused"],
  ]);
});

test("paths become absolute; ~ is not taken literally; a key is no path", () => {
  table(path, [
    ["a/../b", "/cwd/b"],
    ["/x/", "/x"],
    ["", "refused"],
    ["~", "refused"],
    ["~/x", "refused"],
    ["a\0b", "refused"],
  ]);
  table(keyFile, [
    ["key.json", "/cwd/key.json"],
    ['{"private_key":"x"}', "refused"],
    ["-----BEGIN PRIVATE KEY-----", "refused"],
  ]);
  const pasted = keyFile.parse('{"private_key":"x"}', "/");
  assert.equal(pasted.ok || pasted.hide, true);
});

test("addresses of services have no credentials, query or fragment", () => {
  table(url, [
    ["http://127.0.0.1:9000/", "http://127.0.0.1:9000"],
    ["https://example.com/v4//", "https://example.com/v4"],
    ...["", "example.com", "ftp://x", "http://", "http://u:p@x", "http://u@x", "http://x?a", "http://x#a", "javascript:1"].map(
      (text) => [text, "refused"] as const,
    ),
  ]);
  const leak = url.parse("http://user:hunter2@x", "/");
  assert.equal(leak.ok || leak.hide, true);
});

test("strings, secrets, optional values", () => {
  const id = string({ pattern: /^[a-z]{3}$/, looksLike: "three letters" });
  table(id, [
    ["abc", "abc"],
    ["abcd", "refused"],
    ["abc\n", "refused"],
  ]);
  table(secret(4), [
    ["1234", "1234"],
    ["123", "refused"],
  ]);
  table(optional(id), [
    ["", undefined],
    ["abc", "abc"],
    ["x", "refused"],
  ]);
  assert.equal(optional(id).format(undefined), "");
});

const sameAgain = <T>(codec: Codec<T>, values: fc.Arbitrary<T>): void =>
  fc.assert(fc.property(values, (v) => assert.deepEqual(codec.parse(codec.format(v), "/cwd"), { ok: true, value: v })));

test("property: what is formatted is read again as the same", () => {
  sameAgain(duration(ms(0), minutes(1e6)), fc.integer({ min: 0, max: 6e10 }).map(ms));
  sameAgain(size(bytes(1), bytes(2 ** 50), "none"), fc.integer({ min: 0, max: 2 ** 50 }).map(bytes));
  sameAgain(integer(0, 1e9), fc.integer({ min: 0, max: 1e9 }));
  sameAgain(onOff, fc.boolean());
  sameAgain(choice(["on", "off", "auto"]), fc.constantFrom("on" as const, "off" as const, "auto" as const));
  sameAgain(optional(duration(ms(0), minutes(60))), fc.option(fc.integer({ min: 0, max: 3_600_000 }).map(ms), { nil: undefined }));
});

test("property: no text at all makes a parser throw, and what it accepts is in bounds", () => {
  const range = duration(ms(100), minutes(60));
  const texts = fc.oneof(
    fc.string({ unit: ANY_CHARACTER }),
    fc.tuple(fc.double(), fc.constantFrom("ms", "s", "m", "h", "g", "")).map(([n, u]) => `${n}${u}`),
  );
  fc.assert(
    fc.property(texts, (text) => {
      for (const codec of [onOff, path, url, integer(0, 9), size(bytes(0), bytes(9)), keyFile]) codec.parse(text, "/");
      const result = range.parse(text, "/");
      if (result.ok) assert.ok(Number.isInteger(result.value) && result.value >= 100 && result.value <= 3_600_000);
    }),
  );
});

test("sizes in sentences", () => {
  assert.equal(roughly(bytes(25_276_502_016)), "23.5g");
  assert.equal(roughly(mebibytes(90)), "90m");
  assert.equal(roughly(bytes(0)), "0b");
});
