/** The items of the launch itself and of the week after it. Pure. */
import { adviceText, NEAR } from "../../admin/advice/advice.ts";
import { merged, type Peaks } from "../../admin/peaks.ts";
import type { TimelineEvent } from "../../admin/timeline.ts";
import { elapsed, minutes, type Ms, type Timestamp } from "../../base/units.ts";
import { millis, percent, rate } from "../terminal/figures.ts";
import type { Facts } from "./facts.ts";
import { ago, counted, done, failed, given, open, timeOf, type Finding } from "./finding.ts";
import type { Item, ItemId } from "./items.ts";
import type { Entry } from "./records.ts";

type Tick = Extract<Entry, { kind: "tick" }>;

/** An hour, and what a person needs to come. */
const HOURLY = minutes(70);
const DAYS = 7;

/** Ticks of an item that no later untick has taken back, oldest first. */
export function ticksOf(records: readonly Entry[], item: string): readonly Tick[] {
  const from = records.findLastIndex((one) => one.kind === "untick" && one.item === item);
  return records.slice(from + 1).filter((one): one is Tick => one.kind === "tick" && one.item === item);
}

export interface Launch {
  readonly began: Timestamp;
  readonly ended: Timestamp | undefined;
}

/** The last launch that the operator named; a new one begins all of its items again. */
export function launchOf(records: readonly Entry[]): Launch | undefined {
  const begin = ticksOf(records, "launch").at(-1);
  if (begin === undefined) return undefined;
  const began = timeOf(begin);
  const end = ticksOf(records, "end").find((one) => timeOf(one) >= began);
  return { began, ended: end === undefined ? undefined : timeOf(end) };
}

/** Of the launch, or of all that is known when none was named. */
export const incidentsOf = ({ told }: Pick<Facts, "told">, from: Timestamp | undefined): readonly TimelineEvent[] =>
  told.is === "unseen" ? [] : told.value.events.filter((event) => event.level !== "info" && timeOf(event) >= (from ?? 0));

/** The highest figures since then; undefined: none are known. */
export function peaksSince({ told, live }: Pick<Facts, "told" | "live">, from: Timestamp): Peaks | undefined {
  const kept = told.is === "seen" ? told.value.peaks.filter((one) => timeOf(one) >= from) : [];
  const all = [...kept, ...(live !== undefined && timeOf(live) >= from ? [live] : [])];
  return all.reduce<Peaks | undefined>((most, one) => (most === undefined ? one : merged(most, one)), undefined);
}

export const peaksText = ({ slots, rps, p95, cpu, ram, errors, refused }: Peaks): string =>
  [
    ...(slots === null ? [] : [`${slots} slots`]),
    `${rate(rps)} requests/s`,
    `p95 ${millis(p95)}`,
    `CPU ${percent(cpu)}`,
    `RAM ${percent(ram)}`,
    counted(errors, "error"),
    counted(refused, "refusal"),
  ].join(", ");

export const peaks = (facts: Facts): Finding =>
  inLaunch(facts, (launch) => {
    const most = peaksSince(facts, launch.began);
    return most === undefined ? open("no figures of the launch are known yet") : done(peaksText(most));
  });

export const calm = ({ status, now }: Facts): Finding =>
  given(status, ({ alerts }) => {
    const [worst, ...more] = alerts.filter(({ acked }) => acked === null);
    if (worst === undefined) return done(alerts.length === 0 ? "no alert fires" : `${counted(alerts.length, "alert")}, all acknowledged`);
    const text = `${worst.level} ${worst.name} since ${ago(worst.since, now)}: ${worst.text}${more.length === 0 ? "" : `; and ${more.length} more`}`;
    return worst.level === "warning" ? open(text) : failed(text);
  });

export const adjust = ({ status }: Facts): Finding =>
  given(status, ({ advice }) => (advice.share >= NEAR ? open(adviceText(advice)) : done(adviceText(advice))));

const inLaunch = ({ records }: Facts, look: (launch: Launch, entries: readonly Entry[]) => Finding): Finding =>
  given(records, (entries) => {
    const launch = launchOf(entries);
    return launch === undefined ? open("the launch has not begun: drover checklist tick launch") : look(launch, entries);
  });

const tickText = ({ by, note }: Tick, at: Timestamp, now: Timestamp): string => `${by}, ${ago(at, now)}${note === "" ? "" : `: ${note}`}`;

/** An item that only the operator can close. @param lasts how long a tick counts; undefined: until the next launch. */
export function operated(facts: Facts, { id }: Pick<Item, "id">, lasts?: Ms): Finding {
  if (facts.records.is === "unseen") return given(facts.records, () => open(""));
  const records = facts.records.value;
  const last = ticksOf(records, id).at(-1);
  const since = lasts === undefined && id !== "launch" ? launchOf(records)?.began : undefined;
  if (last === undefined || timeOf(last) < (since ?? 0)) return open("not ticked");
  const at = timeOf(last);
  if (lasts !== undefined && elapsed(at, facts.now) > lasts)
    return open(`ticked by ${tickText(last, at, facts.now)}: confirm it again`, at);
  return done(`ticked by ${tickText(last, at, facts.now)}`, at);
}

const hourly = (facts: Facts): Finding =>
  inLaunch(facts, ({ began, ended }, entries) => {
    const until = ended ?? facts.now;
    const checks = ticksOf(entries, "hourly")
      .map(timeOf)
      .filter((at) => at >= began && at <= until);
    const last = checks.at(-1) ?? began;
    const text = `${counted(checks.length, "check")}, the last ${ago(last, facts.now)}`;
    return elapsed(last, until) > HOURLY
      ? open(checks.length === 0 ? `not checked since the launch, ${ago(began, facts.now)}` : text)
      : done(text);
  });

const daily = (facts: Facts): Finding =>
  inLaunch(facts, ({ ended }, entries) => {
    if (ended === undefined) return open("the launch is not over: drover checklist tick end");
    const checks = ticksOf(entries, "daily").filter((one) => timeOf(one) >= ended);
    const days = new Set(checks.map((one) => new Date(one.at).toDateString())).size;
    return days >= DAYS ? done(`${days} days`) : open(`${days} of ${DAYS} days`);
  });

const incidents = (facts: Facts): Finding =>
  given(facts.told, () =>
    inLaunch(facts, ({ began }, entries) => {
      const all = incidentsOf(facts, began);
      const reviewed = ticksOf(entries, "incidents").findLast((one) => timeOf(one) >= began);
      const left = all.filter((event) => reviewed === undefined || timeOf(event) > timeOf(reviewed));
      if (all.length === 0) return done("the timeline has no incident");
      return left.length === 0
        ? done(`${counted(all.length, "incident")} reviewed`)
        : open(`${left.length} of ${all.length} not reviewed: ${left.at(-1)?.text ?? ""}`);
    }),
  );

/** The operator's items that need more than one tick. */
export const REPEATED: Readonly<Partial<Record<ItemId, (facts: Facts) => Finding>>> = { hourly, daily, incidents };
