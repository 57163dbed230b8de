/** Checks of the launch and of the week after it, and the operator's ticks. */
import { adviceText, NEAR } from "../../admin/advice/advice.ts";
import { merged, type Peaks } from "../../admin/peaks.ts";
import type { TimelineEvent } from "../../admin/timeline.ts";
import { elapsed, minutes, ms, type Timestamp } from "../../base/units.ts";
import { counted, millis, percent, rate } from "../../cli/terminal/figures.ts";
import type { Facts } from "./facts.ts";
import { ago, done, failed, given, open, running, timeOf } from "./finding.ts";
import type { Check, Finding } from "./finding.ts";
import type { Entry, EntryOf } from "./records.ts";

/** An hour, and ten minutes for the operator to come. */
const HOURLY = minutes(70);
const DAYS = 7;
/** A tick before the launch counts for this long. */
export const TICK_FOR = ms(30 * 24 * minutes(60));

/** Ticks of an item that no later untick has taken back, oldest first. */
export function ticksOf(records: readonly Entry[], item: string): readonly EntryOf<"tick">[] {
  const from = records.findLastIndex((one) => one.kind === "untick" && one.item === item);
  return records
    .slice(from + 1)
    .filter((one) => one.kind === "tick")
    .filter((one) => one.item === item);
}

export interface Launch {
  readonly began: Timestamp;
  readonly ended: Timestamp | undefined;
}

/** The last launch that was ticked; a new one restarts all of its items. */
export function launchOf(records: readonly Entry[]): Launch | undefined {
  const began = ticksOf(records, "launch").map(timeOf).at(-1);
  if (began === undefined) return undefined;
  const ended = ticksOf(records, "end")
    .map(timeOf)
    .find((at) => at >= began);
  return { began, ended };
}

const inLaunch =
  (check: (launch: Launch, facts: Facts, records: readonly Entry[]) => Finding): Check =>
  (facts) =>
    given(facts.records, (records) => {
      const launch = launchOf(records);
      if (launch === undefined)
        return open("the launch has not begun: drover checklist tick launch");
      return check(launch, facts, records);
    });

/** Warnings and worse. @param from undefined: all that are known. */
export const incidentsSince = (
  { timeline }: Pick<Facts, "timeline">,
  from = 0,
): readonly TimelineEvent[] =>
  typeof timeline === "string"
    ? []
    : timeline.events.filter((event) => event.level !== "info" && timeOf(event) >= from);

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

export const peaks = inLaunch(({ began }, { timeline }) =>
  given(timeline, ({ peaks: all }) => {
    const [first, ...more] = all.filter((one) => timeOf(one) >= began);
    if (first === undefined)
      return open("no figures of the launch are known yet: every 10 minutes");
    return done(peaksText(more.reduce(merged, first)));
  }),
);

export const calm = running(({ alerts }, { now }) => {
  const [worst, ...more] = alerts.filter(({ acked }) => acked === null);
  if (worst === undefined)
    return done(
      alerts.length === 0
        ? "no alert fires"
        : `${counted(alerts.length, "alert")}, all acknowledged`,
    );
  const others = more.length === 0 ? "" : `; and ${more.length} more`;
  const text = `${worst.level} ${worst.name} since ${ago(worst.since, now)}: ${worst.text}${others}`;
  return worst.level === "warning" ? open(text) : failed(text);
});

export const adjust = running(({ advice }) =>
  advice.share >= NEAR ? open(adviceText(advice)) : done(adviceText(advice)),
);

export const hourly = inLaunch(({ began, ended }, { now }, records) => {
  const until = ended ?? now;
  const checks = ticksOf(records, "hourly")
    .map(timeOf)
    .filter((at) => at >= began && at <= until);
  const last = checks.at(-1) ?? began;
  if (elapsed(last, until) <= HOURLY || checks.length > 0) {
    const text = `${counted(checks.length, "check")}, the last ${ago(last, now)}`;
    return elapsed(last, until) > HOURLY ? open(text) : done(text);
  }
  return open(`not checked since the launch, ${ago(began, now)}`);
});

export const daily = inLaunch(({ ended }, _facts, records) => {
  if (ended === undefined) return open("the launch is not over: drover checklist tick end");
  const checks = ticksOf(records, "daily").filter((one) => timeOf(one) >= ended);
  const days = new Set(checks.map((one) => new Date(one.at).toDateString())).size;
  return days >= DAYS ? done(`${days} days`) : open(`${days} of ${DAYS} days`);
});

export const incidents = inLaunch(({ began }, facts, records) =>
  given(facts.timeline, () => {
    const all = incidentsSince(facts, began);
    const reviewed =
      ticksOf(records, "incidents")
        .map(timeOf)
        .findLast((at) => at >= began) ?? 0;
    const left = all.filter((event) => timeOf(event) > reviewed);
    if (all.length === 0) return done("the timeline has no incident");
    if (left.length === 0) return done(`${counted(all.length, "incident")} reviewed`);
    return open(`${left.length} of ${all.length} not reviewed: ${left.at(-1)?.text ?? ""}`);
  }),
);

/** An item that a tick closes: before the launch for 30 days, else until the next launch. */
export const ticked =
  (id: string, isBefore: boolean): Check =>
  ({ records, now }) =>
    given(records, (all) => {
      const last = ticksOf(all, id).at(-1);
      const since = isBefore || id === "launch" ? 0 : (launchOf(all)?.began ?? 0);
      if (last === undefined || timeOf(last) < since) return open("not ticked");
      const at = timeOf(last);
      const note = last.note === "" ? "" : `: ${last.note}`;
      const text = `ticked by ${last.by}, ${ago(at, now)}${note}`;
      const isOld = isBefore && elapsed(at, now) > TICK_FOR;
      return isOld ? open(`${text}: confirm it again`, at) : done(text, at);
    });
