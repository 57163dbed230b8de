/** What the broker says of writes that were set aside, for the admin API: its JSON in, an outcome in words out. */
import type { Outcome } from "../admin/source.ts";
import type { AsideList, Dealt } from "../base/aside.ts";
import type { ControlAnswer } from "../master/shell/control.ts";

/** @param answer of a broker of this version: what it says is taken as it is. */
export function asideOf(answer: ControlAnswer): AsideList | { readonly ok: false; readonly message: string } {
  return answer.ok ? (JSON.parse(answer.message) as AsideList) : answer;
}

const DONE = { retry: "again on the way to the spreadsheet", discard: "given up" } as const;
/** Reasons that are told in one message. */
const MOST_REASONS = 5;

export function dealtOutcome(verb: "retry" | "discard", answer: ControlAnswer): Outcome {
  if (!answer.ok) return answer;
  const { done, refused, unknown, left } = JSON.parse(answer.message) as Dealt;
  const more = refused.length > MOST_REASONS ? [`and ${refused.length - MOST_REASONS} more`] : [];
  const reasons = [...refused.slice(0, MOST_REASONS).map(({ id, why }) => `${id}: ${why}`), ...more];
  const parts = [
    ...(done.length === 0 ? [] : [`${writes(done.length)} ${DONE[verb]}`]),
    ...(refused.length === 0 ? [] : [`${writes(refused.length)} not: ${reasons.join("; ")}`]),
    ...(unknown.length === 0 ? [] : [`there is no write ${unknown.slice(0, MOST_REASONS).join(", ")}`]),
    ...(done.length + refused.length + unknown.length === 0 ? ["no write is set aside"] : [`${left} still set aside`]),
  ];
  const message = parts.join("; ");
  const not = refused.length + unknown.length;
  if (done.length > 0 || not === 0) return { ok: true, message, partly: not > 0 };
  return refused.length === 0 ? { ok: false, message, unknown } : { ok: false, message };
}

const writes = (n: number): string => `${n} write${n === 1 ? "" : "s"}`;
