/** Finds the answer of a repeated request that is over a limit. */
import type { IncomingMessage } from "node:http";
import type { WriteAnswer, WriteRequest, WriteWait } from "../../sheets/writes.ts";
import type { AppServices } from "../services.ts";

interface Repeated {
  readonly request: WriteRequest & Required<Pick<WriteRequest, "once">>;
  readonly wait: WriteWait;
  readonly raw: IncomingMessage;
}

/** @returns undefined when no such request was accepted. The search counts as a read: beyond that limit there is none. */
export async function replayed(
  { request, wait, raw }: Repeated,
  { limiter, tables }: AppServices,
): Promise<Extract<WriteAnswer, { is: "written" }> | undefined> {
  if ((await limiter.read(raw)).is === "refused") return undefined;
  const answer = await tables.write({ ...request, replay: true }, wait, raw.signal);
  return answer.is === "written" ? answer : undefined;
}
