/** Probes of the quota. All of them stand on one exhaustion of the account's reads, which is only done when it is asked for. */
import { ms, seconds } from "../../../base/units.ts";
import type { Finding } from "./assumptions.ts";
import { confirmed, falsified, said, show, tag, Untested, verdict, type Answer, type Bench } from "./bench.ts";

/** Calls that must pass at the least: what the ledger allows of 60 a minute. */
const LEDGER = 51;
/** More than any recorded overshoot of 60. */
const MOST = 200;
const LOCKOUT = seconds(61);

interface Exhaustion {
  /** Readings of three ranges each that were answered before the first refusal. */
  readonly passed: number;
  readonly took: number;
  readonly refusal: Answer;
  readonly refusedAt: number;
  /** A write, and a write that reads back, while the reads were used up. */
  readonly write: Answer;
  readonly readback: Answer;
  readonly stillRefused: Answer;
  /** A reading 61 s after the refusal. */
  readonly later: Answer;
}

const runs = new WeakMap<Bench, Promise<Exhaustion>>();

function exhausted(bench: Bench): Promise<Exhaustion> {
  const run = runs.get(bench) ?? exhaust(bench);
  runs.set(bench, run);
  return run;
}

async function exhaust(bench: Bench): Promise<Exhaustion> {
  const { clock, say } = bench.ports;
  const tab = await bench.tab([["id"], ["k1"]]);
  const ranges = ["A1:A2", "B1:B2", "A1:B1"].map((range) => `${tab.title}!${range}`);
  say("The quota of the minute so far is waited for, then used up: that takes about two minutes.");
  await bench.pause(LOCKOUT);
  const begun = clock.now();
  let [passed, refusal]: [number, Answer | undefined] = [0, undefined];
  while (refusal === undefined && passed < MOST) {
    const answer = await bench.read(ranges, true);
    if (answer.status === 429) refusal = answer;
    else if (answer.status === 200) passed += 1;
    else throw new Untested(`Google answered ${said(answer)}`);
  }
  const took = clock.now() - begun;
  if (refusal === undefined) throw new Untested(`${MOST} readings in ${Math.round(took / 1_000)} s were all answered: the quota is larger`);
  const refusedAt = clock.wall();
  const write = await bench.batch([bench.append(tab, [["k2"]])], {}, undefined, true);
  const more = { includeSpreadsheetInResponse: true, responseRanges: [`${tab.title}!A2`], responseIncludeGridData: true };
  const readback = await bench.batch([tag(bench.id(), tab, 1)], more, undefined, true);
  const stillRefused = await bench.read(ranges, true);
  await bench.pause(ms(LOCKOUT));
  const later = await bench.read(ranges, true);
  return { passed, took, refusal, refusedAt, write, readback, stillRefused, later };
}

export async function oneCall(bench: Bench): Promise<Finding> {
  const { passed, took } = await exhausted(bench);
  const saw = `${passed} readings of 3 ranges were answered within ${Math.round(took / 1_000)} s before the first 429`;
  return passed >= LEDGER ? confirmed(saw) : falsified(saw);
}

interface Details {
  readonly error?: { readonly status?: string; readonly details?: readonly { readonly metadata?: Readonly<Record<string, string>> }[] };
}
const infoOf = ({ json }: Answer): Readonly<Record<string, string>> =>
  (json as Details | undefined)?.error?.details?.find(({ metadata }) => metadata?.["quota_limit"] !== undefined)?.metadata ?? {};

export async function quotaAnswer(bench: Bench): Promise<Finding> {
  const { refusal } = await exhausted(bench);
  const limit = infoOf(refusal)["quota_limit"];
  const retryAfter = refusal.headers["retry-after"];
  return verdict(
    limit !== undefined && retryAfter === undefined,
    `${said(refusal)}; quota_limit ${limit ?? "none"}; Retry-After ${retryAfter ?? "none"}`,
  );
}

export async function quotaWindow(bench: Bench): Promise<Finding> {
  const { refusal, refusedAt } = await exhausted(bench);
  const start = infoOf(refusal)["window_start_time"];
  if (start === undefined) throw new Untested("the 429 has no window_start_time");
  const ago = refusedAt / 1_000 - Number(start);
  return verdict(ago > -5 && ago < 66, `window_start_time ${show(start)}: ${ago.toFixed(0)} s before the 429`);
}

export async function quotaApart(bench: Bench): Promise<Finding> {
  const { write, stillRefused } = await exhausted(bench);
  if (stillRefused.status !== 429) throw new Untested("the reads were open again too soon");
  return verdict(write.status === 200, `a write: ${said(write)}; a reading after it: ${stillRefused.status}`);
}

export async function quotaReadback(bench: Bench): Promise<Finding> {
  const { readback, stillRefused } = await exhausted(bench);
  if (stillRefused.status !== 429) throw new Untested("the reads were open again too soon");
  return verdict(readback.status === 200, `a write that reads back: ${said(readback)}`);
}

export async function quotaEnds(bench: Bench): Promise<Finding> {
  const { later } = await exhausted(bench);
  return verdict(later.status === 200, `61 s after it: ${said(later)}`);
}
