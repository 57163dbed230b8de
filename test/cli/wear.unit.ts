import assert from "node:assert/strict";
import test from "node:test";
import { createWear, type Worn } from "../../src/cli/wear.ts";
import type { Settings } from "../../src/settings/table.ts";

const MIB = 1_048_576;
const limits = (some: Partial<Settings>): Settings =>
  ({ max_requests: 0, max_requests_jitter: 0, max_lifetime: 0, max_rss: 0, ...some }) as Settings;
const worker = (served = 0, worn?: number): Worn =>
  ({ startedAt: 1_000, worn, exposed: false, lastBeat: { counters: { served } } }) as unknown as Worn;

test("without limits nothing wears out", () => {
  assert.equal(createWear().check(worker(1e9, 1e9), 1e12, limits({}), 1e12), undefined);
});

test("requests: what the worker reported, and what it has served since", () => {
  const { check } = createWear();
  const settings = limits({ max_requests: 100 });
  assert.equal(check(worker(150), 0, settings, 0), undefined, "its own limit may be higher");
  assert.match(check(worker(90, 103), 0, settings, 0) ?? "", /103 requests \(DROVER_MAX_REQUESTS\)/);
  assert.match(check(worker(120, 103), 0, settings, 0) ?? "", /120 requests/);
});

test("a worker whose debugger can't be closed is asked about again and again, whatever its limits", () => {
  const { check } = createWear();
  const exposed = { ...worker(), exposed: true };
  for (const _ of [1, 2]) assert.equal(check(exposed, 0, limits({}), 0), "its debugger can't be closed");
});

test("lifetime counts from its start", () => {
  const { check } = createWear();
  const settings = limits({ max_lifetime: 60_000 } as Partial<Settings>);
  assert.equal(check(worker(), 0, settings, 60_999), undefined);
  assert.match(check(worker(), 0, settings, 61_000) ?? "", /60 s old \(DROVER_MAX_LIFETIME\)/);
});

test("memory: three samples in a row, each process for itself; one below starts anew", () => {
  const wear = createWear();
  const settings = limits({ max_rss: 100 * MIB } as Partial<Settings>);
  const [one, other] = [worker(), worker()];
  const sample = (child: Worn, mib: number): string | undefined => wear.check(child, mib * MIB, settings, 0);
  assert.deepEqual(
    [120, 120, 99, 120, 120].map((mib) => sample(one, mib)),
    Array(5).fill(undefined),
  );
  assert.deepEqual([sample(other, 200), sample(other, 200)], [undefined, undefined]);
  assert.match(sample(one, 130) ?? "", /130 MiB, 3 samples in a row \(DROVER_MAX_RSS\)/);
  assert.equal(sample(worker(), 200), undefined, "another process, whatever its pid");
});

test("memory that can't be read neither counts nor forgives, and the other limits hold", () => {
  const wear = createWear();
  const settings = limits({ max_rss: 100 * MIB, max_requests: 10 } as Partial<Settings>);
  const one = worker();
  const sample = (rss: number | undefined): string | undefined => wear.check(one, rss, settings, 0);
  assert.deepEqual([sample(120 * MIB), sample(undefined), sample(120 * MIB), sample(undefined)], Array(4).fill(undefined));
  assert.match(sample(120 * MIB) ?? "", /3 samples in a row/);
  assert.match(wear.check(worker(10, 10), undefined, settings, 0) ?? "", /DROVER_MAX_REQUESTS/);
});
