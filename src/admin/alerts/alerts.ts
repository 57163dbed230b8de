/** The alerts of the daemon: looks at every rule, and hands what changed to the sinks. */
import type { Clock } from "../../base/clock.ts";
import { between, elapsed, minutes, type Instant, type Ms, type Timestamp } from "../../base/units.ts";
import { QUIET, type AlertName, type AlertState, type Band, type Change, type Rule } from "./model.ts";
import { step } from "./engine.ts";
import { pastFrom, remembering, type Past, type Seen } from "./past.ts";
import { said } from "../said.ts";
import { readingsOf } from "./readings.ts";
import { rulesOf, type Thresholds } from "./rules.ts";
import { remember, timeTo, type Point } from "./trend.ts";
import type { AlertView, Notice } from "./view.ts";

export interface Alerts {
  /** Looks once; call it every few seconds. */
  look(seen: Omit<Seen, "now">): void;
  /** What fires, the gravest first. */
  firing(): readonly AlertView[];
  raised(): Readonly<Record<string, number>>;
  /** Until all slots are taken; null: no clear trend. */
  fullIn(): Ms | null;
  /** Marks one as seen. @returns false when it does not fire. */
  ack(name: string): boolean;
  /** A notice that says it is a test. */
  test(): Notice;
}

interface Parts {
  readonly clock: Clock;
  thresholds(): Thresholds;
  tell(notice: Notice): void;
}

const GRAVITY = { critical: 0, urgent: 1, warning: 2 } as const;
const NO_BAND: Band = { level: "warning", from: 0 };

export function createAlerts({ clock, thresholds, tell }: Parts): Alerts {
  const states = new Map<AlertName, AlertState>();
  const counts = new Map<AlertName, number>();
  const startedAt = clock.wall();
  let past: Past = pastFrom(clock.now());
  let slots: readonly Point[] = [];
  let fullIn: Ms | null = null;
  let told = 0;

  const nextId = (): string => `${startedAt.toString(36)}-${(told += 1)}`;

  const notice = (rule: Rule, before: AlertState, state: AlertState, event: Change): Notice => {
    const band = rule.bands[event === "cleared" ? before.band : state.band] ?? rule.bands[0] ?? NO_BAND;
    const raised = state.raised ?? before.raised;
    const [at, since] = [clock.wall(), raised?.at ?? clock.wall()];
    const lasted = event === "cleared" ? elapsed(since, at) : null;
    const text = raised?.text ?? "";
    return {
      id: nextId(),
      alert: rule.name,
      event,
      level: band.level,
      text,
      value: raised?.value ?? 0,
      threshold: band.from,
      at,
      since,
      lasted,
    };
  };

  const follow = ({ used, max }: { readonly used: number; readonly max: number }): void => {
    const before = slots;
    slots = remember(slots, { at: clock.now(), value: used });
    if (slots !== before) fullIn = timeTo(slots, max);
  };

  return {
    look(seen) {
      const [now, wall] = [clock.now(), clock.wall()];
      past = remembering(past, { ...seen, now });
      if (seen.snapshot.slots !== null) follow(seen.snapshot.slots);
      const readings = readingsOf({ ...seen, now }, past);
      for (const rule of rulesOf(thresholds())) {
        const before = states.get(rule.name) ?? QUIET;
        const [state, change] = step(rule, before, readings[rule.name], { now, wall });
        states.set(rule.name, state);
        if (change === undefined) continue;
        if (change === "raised") counts.set(rule.name, (counts.get(rule.name) ?? 0) + 1);
        tell(notice(rule, before, change === "cleared" ? { ...state, raised: last(before, readings[rule.name]) } : state, change));
      }
    },
    firing: () =>
      rulesOf(thresholds())
        .flatMap((rule) => view(rule, states.get(rule.name), clock.now()))
        .toSorted((a, b) => GRAVITY[a.level] - GRAVITY[b.level] || a.since - b.since),
    raised: () => Object.fromEntries(counts),
    fullIn: () => fullIn,
    ack(name) {
      const state = states.get(name as AlertName);
      if (state?.raised === undefined) return false;
      states.set(name as AlertName, { ...state, acked: clock.wall() });
      return true;
    },
    test(): Notice {
      const at: Timestamp = clock.wall();
      const text = "this is a test: nothing is wrong";
      return { id: nextId(), alert: "test", event: "test", level: "warning", text, value: 0, threshold: 0, at, since: at, lasted: null };
    },
  };
}

/** A cleared alert tells what there is now, not what there was. */
const last = ({ raised }: AlertState, reading: { readonly value: number; readonly text: string } | undefined): AlertState["raised"] =>
  raised === undefined
    ? raised
    : {
        ...raised,
        value: reading?.value ?? raised.value,
        text: reading === undefined || reading.text === "" ? `was: ${raised.text}` : reading.text,
      };

/** Without a reading for so long an alert says that it is not known whether it goes on. */
const UNKNOWN_AFTER = minutes(5);

function view(rule: Rule, state: AlertState | undefined, now: Instant): readonly AlertView[] {
  const band = rule.bands[state?.band ?? -1];
  if (state?.raised === undefined || band === undefined) return [];
  const { at, value, peak } = state.raised;
  const unseen = state.blindSince === undefined ? 0 : between(state.blindSince, now);
  const words = state.raised.said ?? said`${state.raised.text}`;
  const shown =
    unseen < UNKNOWN_AFTER ? words : said`${words}; for ${Math.floor(unseen / 60_000)} minutes it has not been known whether it goes on`;
  return [
    {
      name: rule.name,
      level: band.level,
      since: at,
      value,
      peak,
      threshold: band.from,
      text: shown.text,
      said: shown,
      acked: state.acked ?? null,
    },
  ];
}
