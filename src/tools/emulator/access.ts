/** Who may do what: credentials of a call, scopes of its token, and with whom a spreadsheet is shared. */
import type { IncomingHttpHeaders } from "node:http";
import { errorInfo, googleError, type Answer } from "./answers.ts";
import type { TokenEndpoint } from "./oauth.ts";
import { isRead } from "./api/discovery.ts";
import type { Match } from "./api/router.ts";

/** shared: with the emulator's service account as Editor; viewer: with it as Viewer; public: with everyone who has the link; private: with neither. */
export type Sharing = "shared" | "viewer" | "public" | "private";

export type Principal =
  | { readonly is: "account"; readonly user: string; readonly scopes: readonly string[] }
  | { readonly is: "key"; readonly user: string };

export type Refused = { readonly is: "refused"; readonly answer: Answer };

const SCOPE = "https://www.googleapis.com/auth/";
const WRITE_SCOPES = ["spreadsheets", "drive", "drive.file"].map((s) => SCOPE + s);
const READ_SCOPES = [
  ...WRITE_SCOPES,
  ...["spreadsheets.readonly", "drive.readonly"].map((s) => SCOPE + s),
];

const REALM = 'Bearer realm="https://accounts.google.com/"';

/** The method's name in Google's own service, as it stands in error details. */
function rpcName(method: string): string {
  const words = method.replace("sheets.spreadsheets.", "").split(".");
  const verb = words.pop() ?? "";
  const noun =
    { values: "Values", sheets: "Sheet", developerMetadata: "DeveloperMetadata" }[words[0] ?? ""] ??
    "Spreadsheet";
  return `google.apps.sheets.v4.SpreadsheetsService.${verb.charAt(0).toUpperCase()}${verb.slice(1)}${noun}`;
}

const info = (reason: string, method: string): object =>
  errorInfo(reason, { service: "sheets.googleapis.com", method: rpcName(method) });

function refuse(answer: Answer, challenge?: string): Refused {
  return {
    is: "refused",
    answer:
      challenge === undefined ? answer : { ...answer, headers: { "WWW-Authenticate": challenge } },
  };
}

const INVALID_CREDENTIALS =
  "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication " +
  "credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";
const UNREGISTERED =
  "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API " +
  "consumer identity to call this API.";
const KEYS_UNSUPPORTED =
  "API keys are not supported by this API. Expected OAuth2 access token or other authentication credentials that assert a " +
  "principal. See https://cloud.google.com/docs/authentication";

export interface Guard {
  /** Who calls. A wrong or expired token is 401, none at all 403, an unknown API key 400, as with Google. */
  identify(
    match: Match,
    headers: IncomingHttpHeaders,
    query: ReadonlyMap<string, readonly string[]>,
  ): Principal | Refused;
  /** Whether the spreadsheet of the call is shared with who calls. A spreadsheet that does not exist is the engine's 404. */
  admit(match: Match, who: Principal): Refused | undefined;
}

export interface GuardOptions {
  readonly tokens: TokenEndpoint;
  /** The API keys that are known. */
  readonly apiKeys: readonly string[];
  /** Spreadsheets that are not simply shared with the account. */
  readonly sharing: ReadonlyMap<string, Sharing>;
}

export function createGuard({ tokens, apiKeys, sharing }: GuardOptions): Guard {
  const byToken = (match: Match, token: string): Principal | Refused => {
    const { id } = match.route;
    const bearer = tokens.check(token);
    if (bearer === "expired" || bearer === "unknown") {
      const details = bearer === "expired" ? [info("ACCESS_TOKEN_EXPIRED", id)] : [];
      return refuse(
        googleError(401, INVALID_CREDENTIALS, details),
        `${REALM}, error="invalid_token"`,
      );
    }
    const wanted = isRead(id) ? READ_SCOPES : WRITE_SCOPES;
    if (bearer.scopes.some((s) => wanted.includes(s)))
      return { is: "account", user: bearer.email, scopes: bearer.scopes };
    const answer = googleError(403, "Request had insufficient authentication scopes.", [
      info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", id),
    ]);
    return refuse(answer, `${REALM}, error="insufficient_scope", scope="${wanted.join(" ")}"`);
  };

  const byKey = (match: Match, key: string): Principal | Refused => {
    const { id } = match.route;
    if (!apiKeys.includes(key)) {
      const details = [errorInfo("API_KEY_INVALID", { service: "sheets.googleapis.com" })];
      return refuse(googleError(400, "API key not valid. Please pass a valid API key.", details));
    }
    if (isRead(id)) return { is: "key", user: key };
    return refuse(googleError(401, KEYS_UNSUPPORTED, [info("CREDENTIALS_MISSING", id)]), REALM);
  };

  return {
    identify(match, headers, query) {
      const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
      const token = bearer ?? query.get("access_token")?.[0] ?? query.get("oauth_token")?.[0];
      if (token !== undefined) return byToken(match, token);
      if (headers.authorization !== undefined) return byToken(match, ""); // some other scheme: invalid credentials
      const named = headers["x-goog-api-key"];
      const key = query.get("key")?.[0] ?? (typeof named === "string" ? named : undefined);
      return key === undefined ? refuse(googleError(403, UNREGISTERED)) : byKey(match, key);
    },
    admit(match, who) {
      const id = match.path["spreadsheetId"];
      const shared = sharing.get(id ?? "") ?? "shared";
      const reads = isRead(match.route.id);
      const isAccount = who.is === "account";
      const may = { public: reads, viewer: isAccount && reads, shared: isAccount, private: false }[
        shared
      ];
      return may ? undefined : refuse(googleError(403));
    },
  };
}
