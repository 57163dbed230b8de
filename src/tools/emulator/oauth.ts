/**
 * The token endpoint for service accounts (RFC 7523) and the tokens it gives. The order of the checks and their wordings
 * are those that oauth2.googleapis.com has been seen to use. Tokens hold no state: a signed payload that says who, what
 * for and until when.
 */
import { createHmac, timingSafeEqual, verify } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { elapsed, seconds, type Ms } from "../../base/units.ts";
import type { Account } from "./account.ts";
import type { Answer } from "./answers.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const PREFIX = "ya29.emulator.";
/** An assertion may live an hour, and clocks may differ by as much as Google lets them. */
const LONGEST_ASSERTION = seconds(3_600);
const SKEW = seconds(300);
/** Where Google's own libraries address their assertions, whatever host they then send them to. */
const GOOGLE_AUDIENCES: ReadonlySet<string> = new Set([
  "https://oauth2.googleapis.com/token",
  "https://www.googleapis.com/oauth2/v4/token",
  "https://accounts.google.com/o/oauth2/token",
]);
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

type Fields = Readonly<Record<string, unknown>>;

const refused = (error: string, error_description: string): Answer => ({
  status: 400,
  body: { error, error_description },
});

/** A part of a JWS: base64url of a JSON object. @returns undefined when it is not. */
function part(text: string): Fields | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : undefined;
  } catch {
    return undefined; // not JSON: the same refusal as any other broken part
  }
}

/** iat and exp may be numbers or strings of digits. Seconds. */
function epoch(value: unknown): number | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return typeof value === "string" && /^\d{1,12}$/.test(value) ? Number(value) : undefined;
}

/** The emulator can't know under which name it is reached: any loopback URL that ends in /token is itself. @param own what it was told. */
function isOurAudience(aud: unknown, own: string | undefined): boolean {
  if (typeof aud !== "string") return false;
  if (aud === own || GOOGLE_AUDIENCES.has(aud)) return true;
  return (
    URL.canParse(aud) &&
    LOOPBACK.test(new URL(aud).hostname) &&
    new URL(aud).pathname.endsWith("/token")
  );
}

/** Who calls, proved by a token. */
export interface Bearer {
  readonly email: string;
  readonly scopes: readonly string[];
}

export class TokenEndpoint {
  readonly #account: Account;
  readonly #lifetime: Ms;
  readonly #clock: Clock;
  readonly #audience: string | undefined;
  /** Tokens of an earlier epoch have been declared expired. */
  #epoch = 0;

  /** @param options `lifetime`: how long tokens live; Google's 3599 s. `audience`: our own URL, when it is known. */
  constructor(
    account: Account,
    { lifetime, clock, audience }: { lifetime: Ms; clock: Clock; audience: string | undefined },
  ) {
    this.#account = account;
    this.#lifetime = lifetime;
    this.#clock = clock;
    this.#audience = audience;
  }

  /** @param form the body, application/x-www-form-urlencoded. */
  answer(form: URLSearchParams): Answer {
    const grant = form.get("grant_type");
    if (grant === null) return refused("invalid_request", "Missing required parameter: grant_type");
    if (grant !== GRANT)
      return refused("unsupported_grant_type", `Invalid grant_type: ${grant.slice(0, 200)}`);
    const assertion = form.get("assertion");
    if (assertion === null)
      return refused("invalid_request", "Missing required parameter: assertion");
    const claims = this.#claims(assertion);
    if ("status" in claims) return claims;
    const expires_in = Math.floor(this.#lifetime / 1_000);
    return {
      status: 200,
      body: { access_token: this.#mint(claims.scopes), expires_in, token_type: "Bearer" },
    };
  }

  #claims(assertion: string): { scopes: readonly string[] } | Answer {
    const [head = "", body = "", signature = "", more] = assertion.split(".");
    const header = part(head);
    const claims = part(body);
    if (header === undefined || claims === undefined || more !== undefined || signature === "")
      return refused("invalid_request", "Bad Request");
    const signed = Buffer.from(`${head}.${body}`);
    const sound =
      header["alg"] === "RS256" &&
      verify("RSA-SHA256", signed, this.#account.publicKey, Buffer.from(signature, "base64url"));
    if (claims["iss"] !== this.#account.email)
      return refused("invalid_grant", "Invalid grant: account not found");
    if (!sound) return refused("invalid_grant", "Invalid JWT Signature.");
    const untimely = this.#untimely(claims);
    if (untimely !== undefined) return refused("invalid_grant", untimely);
    const scopes =
      typeof claims["scope"] === "string" ? claims["scope"].split(" ").filter((s) => s !== "") : [];
    if (scopes.length === 0)
      return refused("invalid_scope", "Invalid OAuth scope or ID token audience provided.");
    return isOurAudience(claims["aud"], this.#audience)
      ? { scopes }
      : refused("invalid_grant", "Invalid JWT: Failed audience check.");
  }

  #untimely(claims: Fields): string | undefined {
    const iat = epoch(claims["iat"]);
    const exp = epoch(claims["exp"]);
    if (iat === undefined) return "Invalid JWT: iat (issued at) is not set.";
    if (exp === undefined) return "Invalid JWT: exp (expiration time) is not set.";
    const now = this.#clock.wall() / 1_000;
    const skew = SKEW / 1_000;
    const fits =
      iat <= now + skew && exp > now - skew && exp > iat && exp - iat <= LONGEST_ASSERTION / 1_000;
    if (fits) return undefined;
    return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.";
  }

  #mint(scopes: readonly string[]): string {
    const exp = this.#clock.wall() + this.#lifetime;
    const payload = Buffer.from(
      JSON.stringify({ email: this.#account.email, scopes, exp, epoch: this.#epoch }),
    ).toString("base64url");
    return `${PREFIX}${payload}.${this.#seal(payload).toString("base64url")}`;
  }

  #seal(payload: string): Buffer {
    return createHmac("sha256", this.#account.tokenKey).update(payload).digest();
  }

  /** Makes every token that was given so far an expired one. */
  expireAll(): void {
    this.#epoch += 1;
  }

  /** @returns who holds the token, or why it is refused. */
  check(token: string): Bearer | "expired" | "unknown" {
    const [payload = "", seal = ""] = token.startsWith(PREFIX)
      ? token.slice(PREFIX.length).split(".")
      : [];
    const given = Buffer.from(seal, "base64url");
    const right = this.#seal(payload);
    if (given.length !== right.length || !timingSafeEqual(given, right)) return "unknown";
    const { email, scopes, exp, epoch } = JSON.parse(
      Buffer.from(payload, "base64url").toString("utf8"),
    ) as Bearer & {
      exp: Parameters<typeof elapsed>[1];
      epoch: number;
    };
    if (epoch < this.#epoch) return "expired";
    return elapsed(this.#clock.wall(), exp) > 0 ? { email, scopes } : "expired";
  }
}
