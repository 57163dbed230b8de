/** Access: the token of a call, and how a spreadsheet is shared with the service account. */
import type { IncomingHttpHeaders } from "node:http";
import { isRead } from "./api/discovery.ts";
import { errorInfo, GoogleError } from "./google-errors.ts";
import type { TokenEndpoint } from "./token-endpoint.ts";

export type Sharing = "editor" | "viewer" | "not shared";

export interface Credentials {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly query: Readonly<Record<string, readonly string[]>>;
}

const INVALID_CREDENTIALS =
  "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication " +
  "credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";
const UNREGISTERED =
  "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API " +
  "consumer identity to call this API.";

const CHALLENGE = 'Bearer realm="https://accounts.google.com/", error="invalid_token"';

/** The method's name in Google's service: part of error details. */
function rpcName(method: string): string {
  const words = method.replace("sheets.spreadsheets.", "").split(".");
  const verb = words.pop() ?? "";
  const [noun = "spreadsheet"] = words;
  const [Verb, Noun] = [verb, noun].map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `google.apps.sheets.v4.SpreadsheetsService.${Verb}${Noun}`;
}

/** @throws GoogleError 403 without credentials, 401 unless they are a valid token. */
export function authenticate(tokens: TokenEndpoint, { method, headers, query }: Credentials): void {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
  const token = bearer ?? query["access_token"]?.[0] ?? query["oauth_token"]?.[0];
  if (token === undefined && headers.authorization === undefined)
    throw new GoogleError(403, UNREGISTERED);
  const state = tokens.check(token ?? "");
  if (state === "valid") return;
  const metadata = { service: "sheets.googleapis.com", method: rpcName(method) };
  const details = state === "expired" ? [errorInfo("ACCESS_TOKEN_EXPIRED", metadata)] : [];
  throw new GoogleError(401, INVALID_CREDENTIALS, details, { "WWW-Authenticate": CHALLENGE });
}

/** @throws GoogleError 403 */
export function authorize(sharing: Sharing, method: string): void {
  if (sharing === "not shared" || (sharing === "viewer" && !isRead(method)))
    throw new GoogleError(403);
}
