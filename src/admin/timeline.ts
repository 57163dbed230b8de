/** What has happened: the differences of two snapshots, and what operators did. Bounded in memory; `keep` gets every event for the disk. */
import type { UpstreamReport } from "../base/upstreamreport.ts";
import type { Level } from "./alerts/model.ts";
import type { AdminSnapshot } from "./source.ts";

/** The page says it in the reader's language by `what`; `text` says it in English. */
export interface TimelineEvent {
  readonly nr: number;
  /** ISO 8601. */
  readonly at: string;
  readonly what:
    | "start"
    | "reload"
    | "rolled"
    | "rolled-back"
    | "refused-reload"
    | "scaled"
    | "ended"
    | "slots"
    | "schedule"
    | "google"
    | "action"
    | "alert"
    | "delivered";
  readonly level: "info" | "warning" | "critical";
  readonly text: string;
  readonly with?: Readonly<Record<string, string | number>>;
}

type New = Omit<TimelineEvent, "nr" | "at">;

const MOST = 100;
const LONGEST = 300;

export class Timeline {
  readonly #events: TimelineEvent[];
  readonly #keep: (events: readonly TimelineEvent[]) => void;
  #last: number;
  #before: AdminSnapshot | undefined;

  /** @param kept events of earlier lives, oldest first: numbers go on from theirs. @param keep writes events to disk. */
  constructor(kept: readonly TimelineEvent[] = [], keep: (events: readonly TimelineEvent[]) => void = () => {}) {
    this.#events = kept.slice(-MOST);
    this.#last = kept.reduce((most, { nr }) => Math.max(most, nr), 0);
    this.#keep = keep;
  }

  /** Notes what has changed since the last call. */
  look(now: AdminSnapshot): void {
    const before = this.#before;
    // A new broker knows no state of Google: the last one that is known stays.
    this.#before = before !== undefined && askedState(now) === undefined ? { ...now, upstream: before.upstream } : now;
    const news =
      before === undefined ? [{ what: "start", level: "info", text: `drover ${now.version} started` } as const] : newsOf(before, now);
    this.#add(news, now.at);
  }

  note(event: New, wall: number): void {
    this.#add([event], wall);
  }

  /** The newest last. @param after only those with a higher number. */
  since(after = 0): readonly TimelineEvent[] {
    return this.#events.filter(({ nr }) => nr > after);
  }

  #add(news: readonly New[], wall: number): void {
    if (news.length === 0) return;
    const at = new Date(wall).toISOString();
    const events = news.map((event): TimelineEvent => ({ nr: (this.#last += 1), at, ...event, text: event.text.slice(0, LONGEST) }));
    this.#events.push(...events);
    this.#events.splice(0, Math.max(0, this.#events.length - MOST));
    this.#keep(events);
  }
}

/** Pure. */
export function newsOf(before: AdminSnapshot, now: AdminSnapshot): New[] {
  return [
    ...rolls(before, now),
    ...deaths(before, now),
    ...levels(before, now),
    ...schedule(before, now),
    ...alerts(before, now),
    ...deliveries(before, now),
  ];
}

function rolls(before: AdminSnapshot, now: AdminSnapshot): New[] {
  const news: New[] = [];
  if (now.roll !== null && now.roll.generation !== before.roll?.generation)
    news.push({
      what: "reload",
      level: "info",
      text: `generation ${now.roll.generation} begins`,
      with: { generation: now.roll.generation },
    });
  const { lastRoll: last } = now;
  const ended = last !== null && JSON.stringify(last) !== JSON.stringify(before.lastRoll);
  if (ended && last.is === "rolledBack")
    news.push({
      what: "rolled-back",
      level: "critical",
      text: `generation ${last.generation} was rolled back: ${last.why}`,
      with: { generation: last.generation },
    });
  else if (ended)
    news.push({ what: "rolled", level: "info", text: `generation ${last.generation} serves`, with: { generation: last.generation } });
  if (now.refusedReload !== null && now.refusedReload !== before.refusedReload)
    news.push({ what: "refused-reload", level: "warning", text: `a reload was refused: ${now.refusedReload}` });
  if (now.workers.target !== before.workers.target && before.workers.target > 0)
    news.push({
      what: "scaled",
      level: "info",
      text: `${now.workers.target} workers wanted`,
      with: { from: before.workers.target, to: now.workers.target },
    });
  return news;
}

function deaths(before: AdminSnapshot, now: AdminSnapshot): New[] {
  const known = new Map(before.places.map(({ id, lastDeath }) => [id, lastDeath?.pid]));
  return now.places.flatMap(({ id, role, slot, lastDeath }): New[] => {
    if (lastDeath === null || lastDeath.pid === known.get(id) || lastDeath.expected) return [];
    const who = role === "worker" ? `worker ${slot}` : role;
    return [
      { what: "ended", level: "warning", text: `${who} ended: ${lastDeath.name}; ${lastDeath.how}`, with: { who, name: lastDeath.name } },
    ];
  });
}

/** @returns undefined when the broker has not asked Google yet, or there is none: both are so for a moment after a reload. */
function askedState({ upstream }: AdminSnapshot): Exclude<UpstreamReport["state"], "never"> | undefined {
  return upstream === null || upstream.state === "never" ? undefined : upstream.state;
}

function levels(before: AdminSnapshot, now: AdminSnapshot): New[] {
  const news: New[] = [];
  const [was, is] = [before.slots?.status, now.slots?.status];
  if (is !== undefined && was !== undefined && is !== was) {
    const level = is === "FULL" ? "critical" : is === "WARNING" ? "warning" : "info";
    const { used, max } = now.slots ?? { used: 0, max: 0 };
    news.push({ what: "slots", level, text: `capacity is ${is}: ${used} of ${max}`, with: { status: is, used, max } });
  }
  const [state, earlier] = [askedState(now), askedState(before) ?? "ok"];
  if (state !== undefined && state !== earlier)
    news.push({ what: "google", level: state === "ok" ? "info" : "warning", text: `Google: ${state}`, with: { state } });
  return news;
}

function schedule({ schedule: was }: AdminSnapshot, { schedule: is }: AdminSnapshot): New[] {
  if (was === null || is === null || was.step === is.step) return [];
  const { day, scheduled: max } = is;
  return [{ what: "schedule", level: "info", text: `day ${day} of the launch: ${max} slots from now on`, with: { day, max } }];
}

const GRAVITY = { warning: "warning", urgent: "critical", critical: "critical" } as const satisfies Record<Level, New["level"]>;

function alerts(before: AdminSnapshot, now: AdminSnapshot): New[] {
  const [was, is] = [firing(before), firing(now)];
  const changed = [...is.values()].filter(({ name, level }) => was.get(name)?.level !== level);
  const seen = [...is.values()]
    .filter(({ name, acked }) => acked !== null && was.has(name) && was.get(name)?.acked === null)
    .map(({ name }) => name);
  const over = [...was.keys()].filter((name) => !is.has(name));
  return [
    ...changed.map(({ name, level, text }): New => ({
      what: "alert",
      level: GRAVITY[level],
      text: `${name}: ${text}`,
      with: { name, level },
    })),
    ...seen.map((name): New => ({ what: "alert", level: "info", text: `${name} is marked as seen`, with: { name, level: "seen" } })),
    ...over.map((name): New => ({ what: "alert", level: "info", text: `the alert ${name} has ended`, with: { name, level: "over" } })),
  ];
}

/** What came of a test of the alerts: the proof that they arrive. */
function deliveries(before: AdminSnapshot, now: AdminSnapshot): New[] {
  const known = new Set(before.alertTests.map(({ sink, at }) => `${sink} ${at}`));
  return now.alertTests
    .filter(({ sink, at }) => sink !== "log" && !known.has(`${sink} ${at}`))
    .map(({ sink, result, why }): New => {
      const text = result === "ok" ? `the ${sink} took a test alert` : `the ${sink} did not take a test alert: ${why}`;
      return { what: "delivered", level: result === "ok" ? "info" : "warning", text, with: { sink, result } };
    });
}

const firing = ({ alerts: raised }: AdminSnapshot) => new Map(raised.map((alert) => [alert.name, alert]));
