/** Finds the answer of a repeated request that is over a limit. */
import type { IncomingMessage } from "node:http";
import type { WriteAnswer, WriteRequest, WriteWait } from "../../sheets/writes.ts";
import type { AppServices } from "../services.ts";

interface Repeated {
  readonly request: WriteRequest & Required<Pick<WriteRequest, "once">>;
  readonly wait: WriteWait;
  readonly raw: IncomingMessage;
}

/**
 * Asks the broker. The caller has asked `limiter.replay` first.
 * @returns undefined when no such request was accepted.
 */
export async function replayed(
  { request, wait, raw }: Repeated,
  { tables }: Pick<AppServices, "tables">,
): Promise<Extract<WriteAnswer, { is: "written" }> | undefined> {
  const answer = await tables.write({ ...request, replay: true }, wait, raw.signal);
  return answer.is === "written" ? answer : undefined;
}
