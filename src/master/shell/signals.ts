import type { EventEmitter } from "node:events";

/**
 * Every signal the master answers, in one table: it gives the handlers, the verbs of the command line and of the control
 * socket, and docs/SIGNALS.md. SIGUSR1 is caught as the process's first act (Node would open its debugger on it).
 */
export const SIGNALS = [
  { signal: "SIGTERM", verb: "stop", does: "stop gracefully: workers finish their requests, then exit 0" },
  { signal: "SIGINT", verb: "quit", does: "stop quickly; again after a second: at once" },
  { signal: "SIGQUIT", verb: "quit", does: "the same as SIGINT" },
  { signal: "SIGHUP", verb: "reload", does: "read the settings again and roll a new generation, one worker at a time" },
  { signal: "SIGUSR2", verb: "reload", does: "the same as SIGHUP" },
  { signal: "SIGTTIN", verb: "grow", does: "one worker more" },
  { signal: "SIGTTOU", verb: "shrink", does: "one worker fewer, never below one" },
  { signal: "SIGUSR1", verb: "reopen", does: "open the log files again, after they were rotated" },
  { signal: "SIGWINCH", verb: "ignore", does: "nothing: a resized terminal is no order" },
] as const satisfies readonly { signal: NodeJS.Signals; verb: string; does: string }[];

export type SignalVerb = (typeof SIGNALS)[number]["verb"];

/** A handler only passes the verb on: all judgement is elsewhere. @returns the function that takes the handlers off again. */
export function installSignals(on: EventEmitter, take: (verb: SignalVerb, signal: NodeJS.Signals) => void): () => void {
  const handlers = SIGNALS.map(({ signal, verb }) => [signal, () => take(verb, signal)] as const);
  for (const [signal, handler] of handlers) on.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) on.off(signal, handler);
  };
}

/** Signals that come before there is a master to take them. */
export interface HeldSignals {
  /**
   * Whoever takes them from now on, and at once those that came first: a stop before `begin`, which finds nothing to start then, and what is for a
   * daemon that runs after it. @returns the function that takes the handlers off again.
   */
  hand(take: Take, begin: () => void): () => void;
}
type Take = Parameters<typeof installSignals>[1];

/** From the start of a daemon on no signal has its default action, which would leave sockets and locks behind, or stop us. */
export function holdSignals(on: EventEmitter): HeldSignals {
  const came: Parameters<Take>[] = [];
  const off = installSignals(on, (...signal) => void came.push(signal));
  return {
    hand(take, begin) {
      const undo = installSignals(on, take);
      off();
      const ends = ([verb]: Parameters<Take>): boolean => verb === "stop" || verb === "quit";
      for (const signal of came.filter(ends)) take(...signal);
      begin();
      for (const signal of came.filter((one) => !ends(one))) take(...signal);
      return undo;
    },
  };
}
