import assert from "node:assert/strict";
import { test } from "node:test";
import { latency } from "../../../src/tools/emulator/latency.ts";

const GET = "sheets.spreadsheets.values.get";
const BATCH = "sheets.spreadsheets.batchUpdate";
const many = (profile: Parameters<typeof latency>[0], method: string): number[] => {
  const next = latency(profile, 7);
  return Array.from({ length: 20_000 }, () => next(method));
};
const mean = (all: number[]): number => all.reduce((a, b) => a + b, 0) / all.length;

test("none is none", () => assert.equal(latency("none", 1)(GET), 0));

test("recorded has the means that were recorded, and a tail", () => {
  assert.ok(Math.abs(mean(many("recorded", GET)) - 320) < 5);
  assert.ok(Math.abs(mean(many("recorded", BATCH)) - 430) < 5);
  const sorted = many("recorded", GET).sort((a, b) => a - b);
  assert.ok((sorted[0] ?? 0) > 60 && (sorted.at(-1) ?? 0) < 1_300);
  assert.ok(
    (sorted[19_800] ?? 0) > 1.8 * (sorted[10_000] ?? 0),
    "the 99th percentile is about twice the median",
  );
});

test("1.1: slow lies between half a second and two", () => {
  const all = many("slow", GET);
  assert.ok(all.every((d) => d >= 500 && d < 2_000));
  assert.ok(Math.abs(mean(all) - 1_250) < 15);
});

test("a seed gives the same delays again", () => {
  const [a, b] = [latency("recorded", 3), latency("recorded", 3)];
  for (let i = 0; i < 50; i += 1) assert.equal(a(GET), b(GET));
});
