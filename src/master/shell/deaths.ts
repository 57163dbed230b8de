/** The register of deaths: how many of each name, the last one of each place, and one record in the log for each that was not asked for. */
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { RequestInFlight } from "../../base/requests.ts";
import { between, type Instant, type Ms, type Timestamp } from "../../base/units.ts";
import { deathOf, recycledBy, type Death } from "../core/death.ts";
import type { Child as State, PlaceId } from "../core/model.ts";
import type { LastDeath } from "../snapshot.ts";
import { frameText, requestText } from "./autopsy/findings.ts";
import type { Child } from "./children.ts";
import type { Level } from "./collapse.ts";
import type { OomWatch } from "./oomkills.ts";

export interface Deaths {
  /** @param state what the supervisor's state held of the child when it ended. */
  note(child: Child, state: State | undefined, end: { readonly code: number | null; readonly signal: string | null }): Death;
  readonly counts: ReadonlyMap<string, number>;
  readonly last: ReadonlyMap<PlaceId, LastDeath>;
  /** How often a place's child ended that nobody had asked to. */
  readonly restarts: ReadonlyMap<PlaceId, number>;
}

interface Parts {
  readonly log: Logger;
  readonly clock: Clock;
  readonly oom: OomWatch;
  /** Writes lines that may repeat. */
  say(level: Level, fields: Readonly<Record<string, unknown>>, text: string): void;
}

/** Of stderr, as many lines as a record quotes. */
const LINES = 10;
const LONGEST_LINE = 500;

export function createDeaths({ log, clock, oom, say }: Parts): Deaths {
  const counts = new Map<string, number>();
  const last = new Map<PlaceId, LastDeath>();
  const restarts = new Map<PlaceId, number>();
  return {
    counts,
    last,
    restarts,
    note(child, state, { code, signal }) {
      const death = deathOf({
        code,
        signal,
        fatal: child.fatal,
        child: state,
        recycledBy: recycledBy(child.recycle),
        drainedBy: child.drainedBy,
        lastWords: child.output.fatal(),
        oomKilled: signal === "SIGKILL" && oom.grew(),
      });
      const at = clock.now();
      counts.set(death.name, (counts.get(death.name) ?? 0) + 1);
      last.set(child.place, lastDeath(child, death, clock.wall()));
      if (!death.expected) restarts.set(child.place, (restarts.get(child.place) ?? 0) + 1);
      if (death.expected)
        log.debug({ place: child.place, child: child.pid, death: death.name }, `${nameOf(child)} has ended: ${death.name}`);
      else if (child.found !== undefined) log.error(record(child, death, at), headline(child, death));
      else say("error", record(child, death, at), headline(child, death));
      return death;
    },
  };
}

const nameOf = ({ role, nr }: Child): string => (role === "worker" ? `worker ${nr}` : role);

const lastDeath = (child: Child, { name, how, expected }: Death, at: Timestamp): LastDeath => ({
  name,
  how: child.found === undefined || name !== "stuck" ? how : child.found.text,
  expected,
  pid: child.pid,
  generation: child.generation,
  at,
});

function headline(child: Child, { name, how }: Death): string {
  if (name === "stuck") return `${nameOf(child)} was stuck: ${child.found?.text ?? "the examination found nothing in time"}`;
  return `${nameOf(child)} died (${name}): it ${how}`;
}

/** Everything a post-mortem needs, in one line. */
function record(child: Child, death: Death, at: Instant): Record<string, unknown> {
  const { found, lastBeat, lastBeatAt } = child;
  const beatAge = lastBeatAt === undefined ? null : Math.round(between(lastBeatAt, child.foundAt ?? at));
  const asked = found?.requests;
  return {
    death: death.name,
    place: child.place,
    slot: child.nr,
    child: child.pid,
    generation: child.generation,
    age: Math.round(between(child.startedAt, at)),
    beatAge,
    ...(found === undefined ? {} : { verdict: found.verdict, stack: found.frames.map(frameText), waits: found.waits || null }),
    cpu: found?.cpu ?? null,
    rss: found?.rss ?? lastBeat?.rss ?? null,
    elu: lastBeat?.elu ?? null,
    inFlight: list(asked ?? lastBeat?.requests ?? []),
    // How old the list is: 0 when the process itself was asked.
    inFlightAge: asked === undefined ? beatAge : 0,
    ...(death.name === "stuck" ? {} : { stderr: child.output.tail().slice(-LINES).map(cut) }),
  };
}

export const list = (requests: readonly RequestInFlight[]): readonly string[] => requests.map(requestText);
const cut = (line: string): string => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line);

/** "worker 3 has been silent for 15 s", with what it was doing at its last beat. */
export function sayHalfWay(log: Logger, child: Child, silent: Ms): void {
  const { lastBeat } = child;
  log.warn(
    {
      place: child.place,
      slot: child.nr,
      child: child.pid,
      generation: child.generation,
      beatAge: Math.round(silent),
      elu: lastBeat?.elu ?? null,
      inFlight: list(lastBeat?.requests ?? []),
    },
    `${nameOf(child)} has been silent for ${silent < 1_000 ? `${Math.round(silent)} ms` : `${Math.round(silent / 100) / 10} s`}`,
  );
}
