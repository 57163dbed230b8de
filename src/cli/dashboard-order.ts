/** What `drover dashboard` may ask of the daemon over the control socket. */
import type { Access } from "../admin/access/access.ts";
import { MOST_TOKENS } from "../admin/access/tokens.ts";
import { minutes } from "../base/units.ts";
import type { ControlAnswer } from "../master/shell/control.ts";

const MOST_DAYS = 3_650;
const NAME = /^[\w.@-]{1,64}$/;
const refused = (message: string): ControlAnswer => ({ ok: false, message });

/** @param link makes a one-time link; undefined: no browser reaches the dashboard. */
export function readDashboardOrder(
  body: Readonly<Record<string, unknown>>,
  { access, link }: { readonly access: Access; link(): string | undefined },
): ControlAnswer {
  const { token: role, name = "token", days, revoke, ...strange } = body;
  const [extra] = Object.keys(strange);
  if (extra !== undefined) return refused(`dashboard knows no ${JSON.stringify(extra.slice(0, 60))}: token, name, days or revoke`);
  if (revoke !== undefined) {
    const gone = typeof revoke === "string" ? access.revoke(revoke) : 0;
    return gone > 0 ? { ok: true, message: `${gone} token${gone === 1 ? "" : "s"} revoked` } : refused("no token has this name");
  }
  if (role === undefined) {
    const address = link();
    if (address === undefined) return refused(NOWHERE);
    return { ok: true, message: `${address}\n(good once, for 10 minutes)` };
  }
  if (role !== "viewer" && role !== "operator") return refused(`a token's role is viewer or operator, not ${JSON.stringify(role)}`);
  if (typeof name !== "string" || !NAME.test(name)) return refused("a token's name has 1 to 64 letters, digits, and . _ @ -");
  const lasts = days === undefined ? undefined : wholeDays(days);
  if (lasts === null) return refused(`days must be a whole number from 1 to ${MOST_DAYS}`);
  const token = access.token(role, name, lasts === undefined ? undefined : minutes(lasts * 24 * 60));
  return token === undefined
    ? refused(`there are ${MOST_TOKENS} tokens: revoke one first, drover dashboard --revoke NAME`)
    : { ok: true, message: token };
}

const wholeDays = (days: unknown): number | null =>
  typeof days === "number" && Number.isSafeInteger(days) && days >= 1 && days <= MOST_DAYS ? days : null;

const NOWHERE =
  "no browser reaches the dashboard: with an application of your own it is on the control socket, or on DROVER_ADMIN_BIND=127.0.0.1:9090";
