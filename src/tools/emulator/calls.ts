/** One call of the API from its parts to Google's answer: who, how often, what, whether it may, and then the engine. */
import type { IncomingHttpHeaders } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { DroverError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { Ms } from "../../base/units.ts";
import type { Guard, Principal, Refused } from "./access.ts";
import { PROJECT_NUMBER } from "./account.ts";
import { badRequest, googleError, type Answer } from "./answers.ts";
import { isRead } from "./api/discovery.ts";
import type { Match } from "./api/router.ts";
import type { Violation } from "./api/validate.ts";
import { parseJson } from "./body.ts";
import type { EngineCall } from "./engine.types.ts";
import { quotaExceeded, type Quota } from "./quota.ts";
import type { DurableEngine } from "./state-file.ts";

export interface Incoming {
  readonly match: Match;
  readonly headers: IncomingHttpHeaders;
  readonly query: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
}

export interface CallPorts {
  readonly guard: Guard;
  readonly quota: Quota;
  readonly engine: DurableEngine;
  /** The whole server time of one call of a method. */
  readonly latency: (method: string) => Ms;
  readonly log: Logger;
}

/** A call that the engine will answer: known caller, within the quota, with a body that is JSON. */
export interface Accepted {
  readonly call: EngineCall;
  readonly who: Principal;
  readonly match: Match;
}

/** @param lockout shuts the caller's pool first, for so long. @returns the call as the engine takes it, or the refusal. */
export function accept(
  ports: CallPorts,
  incoming: Incoming,
  lockout?: Ms,
): Accepted | { readonly refused: Answer } {
  const { match, headers, query } = incoming;
  const pool = isRead(match.route.id) ? "read" : "write";
  const who = ports.guard.identify(match, headers, query);
  if (who.is === "refused") return { refused: who.answer };
  if (lockout !== undefined) ports.quota.shut(pool, who.user, lockout);
  const over = ports.quota.take(pool, who.user);
  if (over !== undefined) return { refused: quotaExceeded(over, PROJECT_NUMBER) };
  const call = read(incoming);
  return "violation" in call ? { refused: badRequest([call.violation]) } : { call, who, match };
}

/** Carries out what was accepted, in the time that Google takes. */
export async function carryOut(ports: CallPorts, { call, who, match }: Accepted): Promise<Answer> {
  const half = ports.latency(call.method) / 2;
  if (half > 0) await sleep(half);
  const answer = await execute(ports, call, () => ports.guard.admit(match, who));
  if (half > 0) await sleep(half);
  return answer;
}

/** The call in the engine's form, or what is wrong with its JSON. */
function read({ match, query, body }: Incoming): EngineCall | { readonly violation: Violation } {
  const { route, path } = match;
  const call = { method: route.id, path, query: Object.fromEntries(query), body: undefined };
  if (route.request === undefined) return call;
  const parsed = parseJson(body);
  return "violation" in parsed ? parsed : { ...call, body: parsed.value };
}

async function execute(
  { engine, log }: CallPorts,
  call: EngineCall,
  admit: () => Refused | undefined,
): Promise<Answer> {
  try {
    const denied = admit();
    if (denied !== undefined) return denied.answer;
    return await engine.call(call);
  } catch (error) {
    if (error instanceof DroverError) return googleError(503);
    log.error({ err: error, method: call.method }, "the engine failed on a call");
    return googleError(500);
  }
}
