/** What a signal that asks for a stop does to a stop that may be under way. */

/** The latest request to stop that had an effect. */
export interface StopAsked {
  /** SIGINT and SIGQUIT ask for a quick stop, SIGTERM for a graceful one. */
  readonly quick: boolean;
  /** Milliseconds on a monotonic clock. */
  readonly at: number;
}

/** npm and the terminal both send SIGINT for one Ctrl-C: the same request again within this time means the first one. */
const SAME_REQUEST = 1_000;

export function stopStep(before: StopAsked | undefined, now: StopAsked): "begin" | "hurry" | "kill" | "none" {
  if (before === undefined) return "begin";
  if (now.at - before.at > SAME_REQUEST) return "kill";
  return now.quick && !before.quick ? "hurry" : "none";
}
