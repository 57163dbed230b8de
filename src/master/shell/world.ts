import type { ChildProcess } from "node:child_process";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Beat, FromChild, Role, ToChild } from "../../base/protocol.ts";
import type { Ms } from "../../base/units.ts";
import type { Death } from "../core/death.ts";
import type { Master, Policy } from "../core/model.ts";
import type { Child } from "./children.ts";
import type { FurtherSockets } from "./further-sockets.ts";
import type { Totals } from "./totals.ts";

/** What the loop needs of the world. Everything here is synchronous; nothing may throw except `fork`. */
export interface World {
  readonly clock: Clock;
  readonly log: Logger;
  readonly totals: Totals;
  /** What workers of an application listen on besides the daemon's addresses. */
  readonly further: FurtherSockets;
  policy(): Policy;
  /** Forks a child of a generation. @throws Error when the system refuses. */
  fork(role: Role, nr: number, generation: number): ChildProcess;
  /** The first message of a child. */
  configure(role: Role, nr: number, generation: number): Extract<ToChild, { type: "configure" }>;
  /** Lends the listening handles of its role to a child. */
  lend(child: Child): void;
  /** What must run so that tables can be read. */
  rolesForTables(): readonly Role[];
  /** A line the operator must see even if nobody reads the log. */
  fatal(text: string): void;
  announce(what: "ready" | "reloading" | "stopping", state: Master): void;
  /** A child of any role has beaten. */
  beat(child: Child, beat: Beat): void;
  /** A worker has served as many requests as it should: `child.worn`. */
  worn(child: Child): void;
  /** A child serves. */
  born(child: Child): void;
  /** A child has ended. */
  died(child: Child, death: Death): void;
  /** A child answers what the operator asked it. */
  told(answer: Extract<FromChild, { type: "told" }>): void;
  /** Whether children of that generation were started with an inspector to open (DROVER_AUTOPSY). */
  inspectable(generation: number): boolean;
  /** How long a child of this generation may be silent. */
  beatTimeout(generation: number): Ms;
  /** Called after every event that changed something. */
  changed(state: Master): void;
  exit(code: number): void;
}
