/**
 * When alerts are raised and cleared: pure. Level-triggered with hysteresis, told at the edges alone, so that what lasts is said once.
 *
 *   quiet ── in a band for `for` ──→ firing ── in a higher band for `for` ──→ escalated
 *     ↑                                 └──── below, by `clearance`, for `calm` ──→ eased, or cleared
 */
import { between, type Instant, type Timestamp } from "../../base/units.ts";
import { QUIET, type AlertState, type BandIndex, type Change, type Reading, type Rule } from "./model.ts";

export interface At {
  readonly now: Instant;
  readonly wall: Timestamp;
}

/** The highest band that holds the value: bands up to the present one hold it `clearance` longer. */
export function bandOf({ bands, clearance }: Rule<string>, value: number, present: BandIndex): BandIndex {
  return bands.findLastIndex(({ from }, i) => value >= from - (i <= present ? clearance : 0));
}

/** One look at one rule. @param reading undefined: there is nothing to judge. */
export function step(
  rule: Rule<string>,
  state: AlertState,
  reading: Reading | undefined,
  at: At,
): readonly [AlertState, Change | undefined] {
  const present = Math.min(state.band, rule.bands.length - 1); // a reload may have taken a band away
  // What can't be seen is not over: it stays as it was, and counts anew on its way to another band.
  if (reading === undefined) return [{ ...state, blindSince: state.blindSince ?? at.now, toward: undefined }, undefined];
  const aim = bandOf(rule, reading.value, present);
  const seen = { ...noted(state, aim < present ? { value: reading.value, text: "" } : reading), blindSince: undefined };
  if (aim === present) return [{ ...seen, band: present, toward: undefined }, undefined];
  const toward = onTheWay(state.toward, aim, present, at.now);
  const due = between(toward.since, at.now) >= (toward.band > present ? rule.for : rule.calm);
  if (!due) return [{ ...seen, band: present, toward }, undefined];
  // A notice must not name a level that its own value has left: it waits for the level below to be calm, too.
  if (aim < toward.band && toward.band < present) return [{ ...seen, band: present, toward: { band: aim, since: at.now } }, undefined];
  return arrive(rule, { ...seen, band: present }, reading, { ...toward, at, aim });
}

/** Text, value and peak of an alert that fires. Without a text, and for a value below its level, it keeps the last words. */
function noted(state: AlertState, { value, text, said }: Reading): AlertState {
  const { raised } = state;
  return raised === undefined
    ? state
    : { ...state, raised: { ...raised, value, ...(text === "" ? {} : { text, said }), peak: Math.max(raised.peak, value) } };
}

/** The value counts for the nearest band that it has not left since: 90, 99, 85 has been over 80 all the time, over 95 it has not. */
function onTheWay(toward: AlertState["toward"], aim: BandIndex, present: BandIndex, now: Instant): NonNullable<AlertState["toward"]> {
  if (toward === undefined || toward.band > present !== aim > present) return { band: aim, since: now };
  return { band: aim > present ? Math.min(aim, toward.band) : Math.max(aim, toward.band), since: toward.since };
}

interface Arrival {
  readonly band: BandIndex;
  readonly aim: BandIndex;
  readonly at: At;
}

function arrive(
  rule: Rule<string>,
  state: AlertState,
  { value, text, said }: Reading,
  { band, aim, at }: Arrival,
): readonly [AlertState, Change] {
  if (band < 0) return [QUIET, "cleared"];
  const rest = bandOf(rule, value, band) === band ? undefined : { band: aim, since: at.now };
  if (state.band < 0) {
    const raised = { at: at.wall, value, peak: value, text, said };
    return [{ band, toward: rest, blindSince: undefined, raised, acked: undefined }, "raised"];
  }
  const up = band > state.band;
  const told = noted(state, { value, text, said });
  return [{ ...told, band, toward: rest, acked: up ? undefined : state.acked }, up ? "escalated" : "eased"];
}
