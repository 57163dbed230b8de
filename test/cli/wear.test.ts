import assert from "node:assert/strict";
import test from "node:test";
import { createWear, type Worn } from "../../src/cli/wear.ts";
import type { Settings } from "../../src/settings/table.ts";

const MIB = 1_048_576;
const limits = (some: Partial<Settings>): Settings =>
  ({ max_requests: 0, max_requests_jitter: 0, max_lifetime: 0, max_rss: 0, ...some }) as Settings;
const worker = (pid: number, served = 0): Worn => ({ pid, startedAt: 1_000, lastBeat: { counters: { served } } }) as unknown as Worn;

test("without limits nothing wears out", () => {
  assert.equal(createWear().check(worker(1, 1e9), 1e12, limits({}), 1e12), undefined);
});

test("requests: the limit and the pid's own jitter on top", () => {
  const { check } = createWear();
  const settings = limits({ max_requests: 100, max_requests_jitter: 9 });
  assert.equal(check(worker(13, 102), 0, settings, 0), undefined, "13 % 10 = 3 on top");
  assert.match(check(worker(13, 103), 0, settings, 0) ?? "", /103 requests \(DROVER_MAX_REQUESTS\)/);
  assert.match(check(worker(20, 100), 0, settings, 0) ?? "", /100 requests/);
});

test("lifetime counts from its start", () => {
  const { check } = createWear();
  const settings = limits({ max_lifetime: 60_000 } as Partial<Settings>);
  assert.equal(check(worker(1), 0, settings, 60_999), undefined);
  assert.match(check(worker(1), 0, settings, 61_000) ?? "", /60 s old \(DROVER_MAX_LIFETIME\)/);
});

test("memory: three samples in a row, each process for itself; one below starts anew", () => {
  const wear = createWear();
  const settings = limits({ max_rss: 100 * MIB } as Partial<Settings>);
  const sample = (pid: number, mib: number): string | undefined => wear.check(worker(pid), mib * MIB, settings, 0);
  assert.deepEqual(
    [120, 120, 99, 120, 120].map((mib) => sample(1, mib)),
    Array(5).fill(undefined),
  );
  assert.deepEqual([sample(2, 200), sample(2, 200)], [undefined, undefined]);
  assert.match(sample(1, 130) ?? "", /130 MiB, 3 samples in a row \(DROVER_MAX_RSS\)/);
  wear.forget(2);
  assert.equal(sample(2, 200), undefined, "another process has that number now");
});

test("memory that can't be read neither counts nor forgives, and the other limits hold", () => {
  const wear = createWear();
  const settings = limits({ max_rss: 100 * MIB, max_requests: 10 } as Partial<Settings>);
  const sample = (rss: number | undefined): string | undefined => wear.check(worker(1), rss, settings, 0);
  assert.deepEqual([sample(120 * MIB), sample(undefined), sample(120 * MIB), sample(undefined)], Array(4).fill(undefined));
  assert.match(sample(120 * MIB) ?? "", /3 samples in a row/);
  assert.match(wear.check(worker(2, 10), undefined, settings, 0) ?? "", /DROVER_MAX_REQUESTS/);
});
