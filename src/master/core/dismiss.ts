import { impossible } from "../../base/never.ts";
import { after, between, type Instant, type Ms } from "../../base/units.ts";
import type { Action, Child, Leaving, Place, Policy, Reason } from "./model.ts";

type Killed = Extract<Leaving, { is: "killed" }>;

/** SIGKILL. What was killed already is left alone. */
export function kill(child: Child, why: Reason, at: Instant, reapTimeout: Ms): readonly [Killed, readonly Action[]] {
  if (child.is === "killed") return [child, []];
  const { pid, generation } = child;
  return [{ is: "killed", pid, generation, reapBy: after(at, reapTimeout), why }, [{ do: "kill", pid, why }]];
}

export interface Order {
  readonly at: Instant;
  /** By when it must be gone. */
  readonly by: Instant;
  readonly why: Reason;
}

/**
 * Asks a child to go. One that serves drains; one that drains already may be hurried, never given more time; one that is
 * still starting is killed: it serves nobody, and may be too busy loading to hear us.
 */
export function dismiss(child: Child, { at, by, why }: Order, policy: Policy): readonly [Leaving, readonly Action[]] {
  const { pid, generation } = child;
  switch (child.is) {
    case "starting":
      return kill(child, why, at, policy.reapTimeout);
    case "draining":
      if (child.exitBy <= by) return [child, []];
      return [{ ...child, exitBy: by }, [{ do: "drain", pid, within: between(at, by), why }]];
    case "trial":
    case "ready":
    case "examined":
      return [{ is: "draining", pid, generation, exitBy: by, why }, [{ do: "drain", pid, within: between(at, by), why }]];
    case "killed":
      return [child, []];
    default:
      return impossible(child);
  }
}

/** Asks the child of one seat, if there is one, to go: it leaves the seat at once. A spawn that is not answered stays. */
export function vacate(place: Place, seat: "incumbent" | "successor", order: Order, policy: Policy): readonly [Place, readonly Action[]] {
  const slot = place[seat];
  if (slot.is === "vacant" || slot.is === "spawning") return [place, []];
  const empty: Place = { ...place, [seat]: { is: "vacant" } };
  if (slot.is === "waiting") return [empty, []];
  const [leaver, actions] = dismiss(slot, order, policy);
  return [{ ...empty, leaving: [...place.leaving, leaver] }, actions];
}
