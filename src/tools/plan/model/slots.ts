/** Slots as a loss system: a login is refused while all of them are taken (Erlang B). */
import { erlangB, timeAbove } from "./erlang.ts";
import type { PlanInput } from "./types.ts";
import { leastSquares } from "./least-squares.ts";
import type { Load } from "./load.ts";
import { needsOf } from "./needs.ts";
import { usable, type LoadRun } from "../run/run.ts";

export interface SlotsForecast {
  readonly max: number;
  readonly comfort: number;
  /** Mean number of slots that are wanted at once, in erlangs. */
  readonly offered: number;
  /** Part of the users that is refused. */
  readonly refused: number;
  /** Part of the time in which more than the comfortable number are in. */
  readonly aboveComfort: number;
  /** The refused part when 80, 90 and 100 % of the slots are wanted. */
  readonly at: readonly { readonly offered: number; readonly refused: number }[];
}

const MARKS = [0.8, 0.9, 1];

export function slotsForecast(
  { signedIn }: Load,
  { place: { slots } }: PlanInput,
): SlotsForecast | undefined {
  if (slots === undefined || signedIn <= 0) return undefined;
  const [max, comfort] = [slots.max, Math.min(slots.comfort, slots.max)];
  return {
    max,
    comfort,
    offered: signedIn,
    refused: erlangB(max, signedIn),
    aboveComfort: timeAbove(comfort, max, signedIn),
    at: MARKS.map((mark) => ({
      offered: Math.round(max * mark),
      refused: erlangB(max, Math.round(max * mark)),
    })),
  };
}

interface Memory {
  /** Bytes of a worker without sessions, and of one session. */
  readonly worker: number;
  readonly session: number;
}

/** Least squares of the memory over the steps' users; undefined: the steps do not tell the two apart. */
function memoryOf(run: LoadRun, { costs, place }: PlanInput): Memory | undefined {
  const steps = usable(run).flatMap(({ model, users, rssBytes }) =>
    model === "closed" && rssBytes !== undefined ? [{ users, rssBytes }] : [],
  );
  const [base = 0, session = 0] =
    leastSquares(
      steps.map(({ users }) => [1, users]),
      steps.map(({ rssBytes }) => rssBytes),
    ) ?? [];
  const worker = (base - costs.others) / (run.server?.workers ?? place.workers);
  return session > 0 && worker > 0 ? { worker, session } : undefined;
}

/** How many times the users of a run it may speak for. */
const FURTHEST = 10;

/**
 * Users that memory and CPU carry within their shares, by what a run with sessions measured.
 * @param input calibrated by the run. @returns undefined when the run has no sessions, tells no memory of one, or had too few users: the table by memory size stays.
 */
export function measuredComfort(input: PlanInput, run: LoadRun): number | undefined {
  if (run.signedIn !== true) return undefined;
  const told = memoryOf(run, input);
  if (told === undefined) return undefined;
  const costs = { ...input.costs, worker: told.worker, connection: told.session };
  const carried = needsOf({ ...input, costs }).flatMap(({ resource, fullAt }) =>
    fullAt !== undefined && (resource === "memory" || resource === "cpu") ? [fullAt] : [],
  );
  const tested = Math.max(...run.steps.map(({ users }) => users ?? 0));
  if (carried.length === 0 || Math.min(...carried) > tested * FURTHEST) return undefined;
  return Math.max(1, Math.min(...carried));
}
