/** Columns that a person moves while clients write: 5 edits in 20 s, 500 writes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { times } from "../../support/times.ts";
import type { Fate } from "./google.ts";
import { writeWhileColumnsMove, type Outcome } from "./columns.ts";

const RUNS = times(12);
const WRITES = 500;
const LOST: readonly Fate[] = ["lostAfter", "lostBefore", "errorAfter", "errorBefore", "nonsense", "late"];

const faulty = (random: () => number): Fate => (random() < 0.2 ? (LOST[Math.floor(random() * LOST.length)] ?? "ok") : "ok");

async function runs(fate: (random: () => number) => Fate): Promise<readonly Outcome[]> {
  const results: Outcome[] = [];
  for (let seed = 1; seed <= RUNS; seed += 1) results.push(await writeWhileColumnsMove(seed * 7_919, WRITES, fate));
  const most = (of: (one: Outcome) => number): number => Math.max(...results.map(of));
  const sum = (of: (one: Outcome) => number): number => results.reduce((all, one) => all + of(one), 0);
  console.log(
    `${RUNS} runs: ${sum((one) => one.misplaced)} misplaced (${results.filter((one) => one.misplaced > 0).length} runs), ` +
      `visible for ${most((one) => one.visible)} ms and ${most((one) => one.visibleCalls)} calls at most, ` +
      `${sum((one) => one.published)} readings published wrong; ` +
      `${(sum((one) => one.writes) / RUNS).toFixed(1)} writes and ${(sum((one) => one.reads) / RUNS).toFixed(1)} reads a run, ` +
      `settled ${most((one) => one.settled)} ms after the last at most`,
  );
  return results;
}

test(`5 column edits in 20 s, ${WRITES} writes: nothing stays under a wrong header, and no reader sees it there`, async () => {
  const results = await runs(() => "ok");
  for (const one of results) {
    assert.equal(one.misplaced, 0);
    assert.equal(one.published, 0);
    assert.ok(one.visibleCalls <= 1, `a wrong landing was visible for ${one.visibleCalls} calls`);
  }
});

test("the same while every fifth answer is lost", async () => {
  for (const { misplaced, published } of await runs(faulty)) assert.deepEqual({ misplaced, published }, { misplaced: 0, published: 0 });
});
