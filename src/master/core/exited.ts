import { EXIT } from "../../base/exit.ts";
import { impossible } from "../../base/never.ts";
import { find, put, without, type Found } from "./places.ts";
import { crashed, killed, killedByOthers } from "./restart.ts";
import { nameOf, sayOf } from "./say.ts";
import { acts, steps, unchanged } from "./steps.ts";
import { seatedLost, successorLost } from "./succession.ts";
import type { Action, Decision, Event, Master, Policy } from "./model.ts";

type Exit = Extract<Event, { type: "exited" }>;

/** A process of ours has ended. */
export function exited(master: Master, event: Exit, policy: Policy): Decision {
  const found = find(master, event.pid);
  if (found === undefined) return unchanged(master);
  const place = without(found);
  const gone = put(master, place);
  const told = sayExit(master, found, event);
  if (found.where === "successor" && master.mode.is === "running")
    return steps(gone, acts(told), (m) => successorLost(m, place, `its successor ${howItEnded(event)}`, { at: event.at, policy }));
  if (found.where === "incumbent" && master.mode.is === "running" && !asked(found) && !left(found, event))
    return steps(
      gone,
      acts(told),
      (m) =>
        killedByOthers(m, found.child, event)
          ? killed(m, place, event.at, policy)
          : crashed(m, place, { at: event.at, fatal: firstBootFailure(found, event), last: lastOf(event), child: found.child }, policy),
      (m) => seatedLost(m, place, `${nameOf(place)} ${howItEnded(event)}`, { at: event.at, policy }),
    );
  return [gone, [told]];
}

/** Whether it went because it was told to. One that was killed for being stuck or for booting too long was not. */
const asked = ({ child }: Found): boolean =>
  child.is === "draining" || (child.is === "killed" && child.why !== "stuck" && child.why !== "boot-timeout");

/** It served, and left because an operator asked it alone: it is replaced at once. */
const left = ({ child }: Found, { gentle }: Exit): boolean => gentle === true && (child.is === "ready" || child.is === "examined");

/** Exit codes of a child that would fail the same way if it were started again. */
const HOPELESS: readonly number[] = [EXIT.settings.code, EXIT.loadFailed.code, EXIT.bootFailed.code];

function firstBootFailure({ child }: Found, { fatal, code }: Exit): number | undefined {
  if (child.is === "killed" && child.why === "boot-timeout") return EXIT.bootFailed.code;
  const exit = fatal?.exit ?? code ?? undefined;
  return exit !== undefined && HOPELESS.includes(exit) ? exit : undefined;
}

/** After too many failures of a child that may recover, such as of a failing disk, the next start of drover may succeed. */
const lastOf = ({ fatal }: Exit): number => (fatal?.exit === EXIT.temporary.code ? EXIT.temporary.code : EXIT.bootFailed.code);

function howItEnded({ code, signal, fatal }: Exit): string {
  const how = signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
  return fatal === undefined ? how : `${how}: ${fatal.code}: ${fatal.message}`;
}

function sayExit(master: Master, found: Found, event: Exit): Action {
  const { place, child } = found;
  const how = howItEnded(event);
  const calm = event.code === 0 || master.mode.is !== "running";
  switch (child.is) {
    case "killed":
      return sayOf("info", place, child, `is gone (${child.why}): it ${how}`);
    case "draining":
      return sayOf(event.code === 0 ? "info" : "warn", place, child, `left as asked (${child.why}): it ${how}`);
    case "starting":
      return sayOf(calm ? "warn" : "error", place, child, `failed to start: it ${how}`);
    case "trial":
    case "ready":
    case "examined":
      if (left(found, event)) return sayOf("info", place, child, "has drained because somebody sent it SIGTERM: it is replaced");
      return sayOf(calm ? "warn" : "error", place, child, how);
    default:
      return impossible(child);
  }
}
