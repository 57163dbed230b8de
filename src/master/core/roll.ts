/**
 * A roll changes the generation: the broker first, then one worker as the canary, then the others one at a time, new before old.
 *
 *   left = [broker/0, worker/0, worker/1 …]       current: the head's successor boots, or is on trial (trial.ts)
 *     successor ready  → it takes the seat, the old child drains in `leaving`; the next may start at once
 *     any fails before the canary has proved the generation, or too many after that
 *                      → the roll goes back: left = the places that have changed, in the same way, new before old
 *     one fails on the way back → tried again; too often, and the place keeps what serves in it
 *     memory short     → no new successor until it is not; one that boots goes on
 *
 * Numbers are never used twice: after generation 2 was rolled back comes 3.
 */
import { after, between, type Instant } from "../../base/units.ts";
import { vacate } from "./dismiss.ts";
import { draining, inOrder, isChild, put } from "./places.ts";
import { yieldToRoll } from "./recycle.ts";
import { say, span } from "./say.ts";
import { spawn } from "./spawn.ts";
import { acts, steps, unchanged } from "./steps.ts";
import type { Action, Decision, Master, Place, Policy, Roll, RollResult } from "./model.ts";

export const reload = (master: Master, at: Instant, policy: Policy): Decision =>
  master.roll === undefined ? begin(master, at, policy) : ask(master, master.roll);

/** However often it is asked for during a roll, one more follows. A roll that waits for the first boot is young enough. */
function ask(master: Master, roll: Roll): Decision {
  if (!master.booted || roll.again) return unchanged(master);
  const told = say("info", `generation ${roll.generation} is still being rolled out: another follows it`, { generation: roll.generation });
  return [{ ...master, roll: { ...roll, again: true } }, [told]];
}

function begin(master: Master, at: Instant, policy: Policy): Decision {
  const generation = Math.max(master.generation, master.lastRoll?.generation ?? 0) + 1;
  const places = [...master.places.values()].filter((place) => place.role !== "emulator" && !place.closing).sort(inOrder);
  const left = places.map(({ id }) => id);
  const start = { proven: false, failures: 0, back: undefined, current: undefined, again: false };
  const roll: Roll = { generation, from: master.generation, since: at, left, ...start };
  const waits = master.booted ? (master.memoryShort ? ": it waits while memory is short" : "") : ": it waits for the first boot";
  return steps(
    { ...master, roll },
    (m) => yieldToRoll(m, at, policy),
    acts(...(master.booted ? [{ do: "announce", what: "reloading" } as const] : [])),
    acts(say("info", `reloading: generation ${generation} replaces ${places.length} children one by one${waits}`, { generation })),
  );
}

/** Takes the roll's next step, if it can be taken now. */
export function advance(master: Master, at: Instant, policy: Policy): Decision {
  if (master.roll === undefined || !master.booted) return unchanged(master);
  const roll = prune(master, master.roll);
  const next: Master = { ...master, roll };
  if (roll.current !== undefined) return [next, []];
  const head = roll.left[0] === undefined ? undefined : master.places.get(roll.left[0]);
  if (head === undefined) return finish(next, roll, at, policy);
  // At most two generations live beside each other: a place's next successor waits for the drain of the roll before. The way
  // back doesn't wait for the old children's drains: those are of the generation it leads to.
  if (master.memoryShort || draining(head) > (roll.back === undefined ? 0 : 1)) return [next, []];
  return spawn({ ...next, roll: { ...roll, current: head.id } }, head, "successor", aimOf(roll));
}

/** Which generation the places of a roll are to get now. */
const aimOf = (roll: Roll): number => (roll.back === undefined ? roll.generation : roll.from);

/** Places given up meanwhile leave the roll. */
function prune(master: Master, roll: Roll): Roll {
  const left = roll.left.filter((id) => master.places.get(id)?.closing === false);
  const current = roll.current !== undefined && left.includes(roll.current) ? roll.current : undefined;
  return { ...roll, left, current };
}

/** A place has its new child. The first worker of a generation, whose trial is over, proves it. */
export function rolled(master: Master, roll: Roll, place: Place): Master {
  const left = roll.left.filter((id) => id !== place.id);
  const next: Roll = { ...roll, left, current: undefined };
  if (roll.back !== undefined || place.role !== "worker") return { ...master, roll: next };
  return { ...master, generation: roll.generation, roll: { ...next, proven: true } };
}

/** A place joins the roll under way, unless its children are of the roll's generation anyway. */
export function join(master: Master, place: Place): Master {
  const { roll } = master;
  if (roll === undefined || place.role === "emulator" || place.generation === aimOf(roll) || roll.left.includes(place.id)) return master;
  return { ...master, roll: { ...roll, left: [...roll.left, place.id] } };
}

function finish(master: Master, roll: Roll, at: Instant, policy: Policy): Decision {
  if (roll.back !== undefined) return wentBack(master, roll, roll.back, { at, policy });
  const took = between(roll.since, at);
  const { generation } = roll;
  const told = say("info", `reloaded: generation ${generation} serves, after ${span(took)}`, { generation, took });
  return end({ ...master, generation }, { is: "done", generation, took }, told, { at, policy, again: roll.again });
}

interface When {
  readonly at: Instant;
  readonly policy: Policy;
}

/** After the canary has proved the generation so many of its children may fail and are tried again. */
const MOST_FAILURES = 2;

/** A child of the generation on its way has failed: it is tried again, or the roll turns round. */
export function setBack(master: Master, roll: Roll, why: string, when: When): Decision {
  const failures = roll.failures + 1;
  if (failures <= MOST_FAILURES && (roll.proven || roll.back !== undefined)) {
    const told = say("warn", `generation ${aimOf(roll)} is tried again: ${why}`, { generation: aimOf(roll), failures });
    return [{ ...master, roll: { ...roll, failures } }, [told]];
  }
  if (roll.back === undefined) return turnRound(master, roll, why, when);
  const lost = `${roll.back}; and generation ${roll.from} can't be started again, ${roll.left.length} children stay as they are: ${why}`;
  return wentBack(master, roll, lost, when);
}

/** From now on the roll leads back: whatever has the new generation is replaced by the old one, new before old. */
function turnRound(master: Master, roll: Roll, why: string, when: When): Decision {
  const { generation, from } = roll;
  const changed = [...master.places.values()].filter((place) => place.role !== "emulator" && place.generation === generation);
  const [living, empty] = [changed.filter(({ incumbent }) => isChild(incumbent)), changed.filter(({ incumbent }) => !isChild(incumbent))];
  const refilled = empty.reduce((m, place) => put(m, { ...place, generation: from }), master);
  const left = living
    .filter(({ closing }) => !closing)
    .sort(inOrder)
    .map(({ id }) => id);
  const back: Roll = { ...roll, left, current: undefined, failures: 0, back: why };
  const text = `generation ${generation} fails and is rolled back, ${left.length} children return to generation ${from}: ${why}`;
  return steps(
    refilled,
    (m) => dropSuccessor(m, roll, when),
    (m) => [{ ...m, generation: from, roll: back }, []],
    (m) => (left.length === 0 ? wentBack(m, back, why, when) : [m, [say("error", text, { generation, from })]]),
  );
}

/** A successor of the failing generation that boots meanwhile is not waited for. */
function dropSuccessor(master: Master, roll: Roll, { at, policy }: When): Decision {
  const place = roll.current === undefined ? undefined : master.places.get(roll.current);
  if (place === undefined) return unchanged(master);
  const [freed, actions] = vacate(place, "successor", { at, by: after(at, policy.gracefulTimeout), why: "abandoned" }, policy);
  return [put(master, freed), actions];
}

/** The roll is over, and nothing has changed by it; or as little as could be helped. */
function wentBack(master: Master, roll: Roll, why: string, when: When): Decision {
  const { generation, from } = roll;
  const told = say("error", `the reload is rolled back, generation ${from} serves: ${why}`, { generation: from, failed: generation });
  return end({ ...master, generation: from }, { is: "rolledBack", generation, why }, told, { ...when, again: roll.again });
}

function end(master: Master, lastRoll: RollResult, told: Action, { at, policy, again }: When & { readonly again: boolean }): Decision {
  return steps({ ...master, roll: undefined, lastRoll }, acts(told, { do: "announce", what: "ready" }), (m) =>
    again ? begin(m, at, policy) : unchanged(m),
  );
}
