/** What a login's body holds. */
import { readBody } from "./orders.ts";
import type { Wrong } from "./request.ts";

const LONGEST_SECRET = 512;

/** @returns the one secret in a login's body: a token's or a link's. */
export function readLogin(body: string): { readonly token: string } | { readonly ticket: string } | undefined {
  const fields = readBody(body, ["token", "ticket"]);
  if (!fields.ok) return undefined;
  const { token, ticket } = fields.value;
  const sound = (value: unknown): value is string => typeof value === "string" && value !== "" && value.length <= LONGEST_SECRET;
  if (sound(token) && ticket === undefined) return { token };
  return sound(ticket) && token === undefined ? { ticket } : undefined;
}

export const BAD_LOGIN: Wrong = {
  status: 401,
  code: "login",
  detail: "this token or link is not known, or was used, or has expired: drover dashboard prints another link",
};
