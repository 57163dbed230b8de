import { impossible } from "../../base/never.ts";
import { after, type Instant } from "../../base/units.ts";
import { deadlineOf } from "./deadline.ts";
import { kill } from "./dismiss.ts";
import { holdFire } from "./hold.ts";
import { allChildren, changed, find, put, VACANT, without } from "./places.ts";
import { sayOf, span } from "./say.ts";
import { acts, each, steps, unchanged } from "./steps.ts";
import { uncrowd } from "./spawn.ts";
import { successorLost } from "./succession.ts";
import { trialDue } from "./trial.ts";
import type { Action, Child, Decision, Event, Leaving, Master, Pid, Place, Policy, Trial } from "./model.ts";

/** Time has passed: whatever is overdue is dealt with. */
export function tick(master: Master, event: Extract<Event, { type: "tick" }>, policy: Policy): Decision {
  const { at } = event;
  return steps(
    master,
    (m) => holdFire(m, event, policy),
    (m) => each(m, allChildren(m), (now, { child }) => judge(now, child.pid, at, policy)),
    (m) => waited(m, at),
    (m) => uncrowd(m, at),
  );
}

function judge(master: Master, pid: Pid, at: Instant, policy: Policy): Decision {
  const found = find(master, pid);
  const due = found && deadlineOf(found.child);
  if (found === undefined || due === undefined || due > at) return unchanged(master);
  if (found.child.is === "trial") return trialDue(master, found.place, found.child, at, policy);
  const [next, actions] = overdue({ place: found.place, child: found.child }, at, policy);
  if (found.where !== "successor") return [put(master, changed(found, next)), actions];
  const place: Place = { ...without(found), leaving: [...found.place.leaving, next as Leaving] };
  const why = `its successor was not ready within ${span(policy.bootTimeout)}`;
  return steps(put(master, place), acts(...actions), (m) => successorLost(m, place, why, { at, policy }));
}

/** What happens to a child whose deadline has passed. */
function overdue(
  { place, child }: { readonly place: Place; readonly child: Exclude<Child, Trial> },
  at: Instant,
  policy: Policy,
): readonly [Child, readonly Action[]] {
  const killed = (why: "boot-timeout" | "stuck" | "drain-timeout", told: Action): readonly [Child, readonly Action[]] => {
    const [next, actions] = kill(child, why, at, policy.reapTimeout);
    return [next, [told, ...actions]];
  };
  switch (child.is) {
    case "starting":
      return killed("boot-timeout", sayOf("error", place, child, `was not ready within ${span(policy.bootTimeout)} and is killed`));
    case "ready":
      return examine(place, child, at, policy);
    case "examined":
      return killed("stuck", sayOf("error", place, child, "is stuck and is killed: the examination found nothing in time"));
    case "draining":
      return killed("drain-timeout", sayOf("warn", place, child, `did not leave in time (${child.why}) and is killed`));
    case "killed": // not reaped: the kernel holds it (uninterruptible sleep). Say so, and keep watching.
      return [{ ...child, reapBy: after(at, policy.reapTimeout) }, [sayOf("fatal", place, child, "survives SIGKILL: the kernel holds it")]];
    default:
      return impossible(child);
  }
}

function examine(place: Place, child: Extract<Child, { is: "ready" }>, at: Instant, policy: Policy): readonly [Child, readonly Action[]] {
  const { beatBy: _, ...rest } = child;
  const told = sayOf(
    "warn",
    place,
    child,
    child.spared ? "is silent still: it is examined again" : `has been silent for ${span(child.beatTimeout)}: it is examined`,
  );
  const examined: Child = { ...rest, is: "examined", examineBy: after(at, policy.examineLongest) };
  return [examined, [told, { do: "examine", pid: child.pid, budget: policy.examineBudget }]];
}

/** Back-offs that are over: the seat is free to be filled. */
function waited(master: Master, at: Instant): Decision {
  const over = [...master.places.values()].filter(({ incumbent }) => incumbent.is === "waiting" && incumbent.until <= at);
  return [over.reduce((m, place) => put(m, { ...place, incumbent: VACANT }), master), []];
}
