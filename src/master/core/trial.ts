/**
 * The trial of a roll's canary, the first worker of a new generation. It serves beside the incumbent of its place, which goes
 * only when the trial is over:
 *
 *   lived until settleBy and its probe passed → it takes the seat, the generation is proven, the others follow
 *   exits · probe fails or is not answered by probeBy · silent at beatBy → the roll goes back; nothing old has gone yet
 */
import { after, type Instant } from "../../base/units.ts";
import { kill, vacate } from "./dismiss.ts";
import { find, put, VACANT } from "./places.ts";
import { sayOf, span } from "./say.ts";
import { acts, steps, unchanged } from "./steps.ts";
import { promote, successorLost } from "./succession.ts";
import type { Decision, Event, Master, Place, Policy, Starting, Trial } from "./model.ts";

/** Whether the successor of this place is the canary of a roll. */
export const onTrial = ({ roll }: Master, place: Place, policy: Policy): boolean =>
  roll?.current === place.id &&
  place.role === "worker" &&
  !roll.proven &&
  roll.back === undefined &&
  (policy.rollSettle > 0 || policy.probe !== undefined);

/** The canary is ready: its trial begins. */
export function tried(master: Master, place: Place, child: Starting, at: Instant, policy: Policy): Decision {
  const { pid, generation, beatTimeout } = child;
  const settleBy = after(at, policy.rollSettle);
  const probeBy = policy.probe === undefined ? undefined : after(at, policy.probe);
  const trial: Trial = { is: "trial", pid, generation, beatTimeout, since: at, beatBy: after(at, beatTimeout), settleBy, probeBy };
  const probe = policy.probe === undefined ? [] : [{ do: "probe", pid, within: policy.probe } as const];
  const text = `is ready and on trial for ${span(policy.rollSettle)}, beside the worker it is to replace`;
  return [put(master, { ...place, successor: trial }), [sayOf("info", place, trial, text), ...probe]];
}

/** What the canary's own server answered. Only one that is on trial, and was asked, is heard. */
export function probed(master: Master, { at, pid, ok, message }: Extract<Event, { type: "probed" }>, policy: Policy): Decision {
  const found = find(master, pid);
  if (found === undefined || found.where !== "successor") return unchanged(master);
  const { place, child } = found;
  if (child.is !== "trial" || child.probeBy === undefined) return unchanged(master);
  if (!ok) return failed(master, place, `its probe failed: ${message}`, at, policy);
  const passed: Trial = { ...child, probeBy: undefined };
  const told = sayOf("info", place, child, `passed its probe: ${message}`);
  return steps(put(master, { ...place, successor: passed }), acts(told), (m) =>
    passed.settleBy <= at ? promote(m, { ...place, successor: passed }, passed, at, policy) : unchanged(m),
  );
}

/** A deadline of the trial has come. */
export function trialDue(master: Master, place: Place, trial: Trial, at: Instant, policy: Policy): Decision {
  if (trial.beatBy <= at) return silent(master, place, trial, at, policy);
  if (trial.probeBy !== undefined) return failed(master, place, "its probe was not answered in time", at, policy);
  return promote(master, place, trial, at, policy);
}

/** It has served clients meanwhile: they get their answers before it goes. */
function failed(master: Master, place: Place, why: string, at: Instant, policy: Policy): Decision {
  const order = { at, by: after(at, policy.gracefulTimeout), why: "abandoned" } as const;
  const [freed, actions] = vacate(place, "successor", order, policy);
  return steps(put(master, freed), acts(...actions), (m) => successorLost(m, freed, why, { at, policy }));
}

function silent(master: Master, place: Place, trial: Trial, at: Instant, policy: Policy): Decision {
  const [killed, actions] = kill(trial, "stuck", at, policy.reapTimeout);
  const freed: Place = { ...place, successor: VACANT, leaving: [...place.leaving, killed] };
  const told = sayOf("error", place, trial, `was silent for ${span(trial.beatTimeout)} during its trial and is killed`);
  return steps(put(master, freed), acts(told, ...actions), (m) =>
    successorLost(m, freed, `its successor was silent for ${span(trial.beatTimeout)}`, { at, policy }),
  );
}
