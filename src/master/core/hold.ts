import { after, ms, type Instant } from "../../base/units.ts";
import { allChildren, changed, put } from "./places.ts";
import { say, span } from "./say.ts";
import { unchanged } from "./steps.ts";
import type { Child, Decision, Event, Master, Policy } from "./model.ts";

/**
 * The master's own loop was late by more than half the beat timeout: the machine was suspended or starved, and the silence
 * of the children is its doing, not theirs. Fire is held for one beat period (a third of the timeout), once per incident: a
 * tick that was due before the hold ended and is late again belongs to the same one. (Unicorn has the same guard.)
 */
export function holdFire(master: Master, { at, late }: Extract<Event, { type: "tick" }>, policy: Policy): Decision {
  if (late <= policy.beatTimeout / 2) return unchanged(master);
  if (master.heldUntil !== undefined && at - late <= master.heldUntil) return unchanged(master);
  const until = after(at, ms(policy.beatTimeout / 3));
  const judged = allChildren(master).filter(({ child }) => JUDGED.has(child.is));
  // Both seats of one place may change: each change is made on the place as it is by then.
  const pushed = judged.reduce((m, found) => {
    const place = m.places.get(found.place.id) ?? found.place;
    return put(m, changed({ ...found, place }, push(found.child, until)));
  }, master);
  const text = `the master's own loop was ${span(late)} late (suspended or starved): no child is judged for ${span(ms(policy.beatTimeout / 3))}`;
  return [{ ...pushed, heldUntil: until }, [say("warn", text, { late })]];
}

const JUDGED: ReadonlySet<Child["is"]> = new Set(["starting", "trial", "ready", "examined"]);

const latest = (a: Instant, b: Instant): Instant => (a > b ? a : b);

function push(child: Child, until: Instant): Child {
  if (child.is === "starting") return { ...child, readyBy: latest(child.readyBy, until) };
  if (child.is === "ready") return { ...child, beatBy: latest(child.beatBy, until) };
  if (child.is === "trial")
    return {
      ...child,
      beatBy: latest(child.beatBy, until),
      probeBy: child.probeBy === undefined ? undefined : latest(child.probeBy, until),
    };
  return child.is === "examined" ? { ...child, examineBy: latest(child.examineBy, until) } : child;
}
