/**
 * The token endpoint for service accounts (RFC 7523) and its tokens. The order of the checks and their texts are those of
 * oauth2.googleapis.com. A token is stateless: a signed expiry time.
 */
import { createHmac, timingSafeEqual, verify } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { elapsed, later, seconds, type Ms, type Timestamp } from "../../base/units.ts";
import type { Answer } from "./google-errors.ts";
import type { ServiceAccount } from "./service-account.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const PREFIX = "ya29.emulator.";
/** Google's limits on an assertion's lifetime, and on the difference of the clocks. */
const LONGEST_ASSERTION = seconds(3_600);
const SKEW = seconds(300);
/** google-auth-library always sends the first of these as the audience, whatever token_uri says. */
const GOOGLE_AUDIENCES: ReadonlySet<unknown> = new Set([
  "https://oauth2.googleapis.com/token",
  "https://www.googleapis.com/oauth2/v4/token",
  "https://accounts.google.com/o/oauth2/token",
]);
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
const UNTIMELY =
  "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.";

type Fields = Readonly<Record<string, unknown>>;

/** Decodes a part of a JWS: base64url of a JSON object. */
function decode(text: string): Fields | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : undefined;
  } catch {
    return undefined; // refused like any other malformed part
  }
}

/** `iat` and `exp` may be numbers or digits. Seconds. */
function epoch(value: unknown): number | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return typeof value === "string" && /^\d{1,12}$/.test(value) ? Number(value) : undefined;
}

/** The emulator can't know every name of its address: any loopback URL that ends in /token is accepted. */
function isOurAudience(aud: unknown): boolean {
  if (GOOGLE_AUDIENCES.has(aud)) return true;
  if (typeof aud !== "string" || !URL.canParse(aud)) return false;
  const { hostname, pathname } = new URL(aud);
  return LOOPBACK.test(hostname) && pathname.endsWith("/token");
}

type Refusal = readonly [error: string, description: string];

export class TokenEndpoint {
  readonly #account: ServiceAccount;
  readonly #lifetime: Ms;
  readonly #clock: Clock;
  /** Tokens of an earlier generation have expired. */
  #generation = 0;

  constructor(account: ServiceAccount, lifetime: Ms, clock: Clock) {
    this.#account = account;
    this.#lifetime = lifetime;
    this.#clock = clock;
  }

  /** @param form the body, application/x-www-form-urlencoded. */
  answer(form: URLSearchParams): Answer {
    const refusal = this.#refusalOf(form);
    if (refusal !== undefined) {
      const [error, error_description] = refusal;
      return { status: 400, body: { error, error_description } };
    }
    const expires_in = Math.floor(this.#lifetime / 1_000);
    return {
      status: 200,
      body: { access_token: this.#mint(), expires_in, token_type: "Bearer" },
    };
  }

  #refusalOf(form: URLSearchParams): Refusal | undefined {
    const grant = form.get("grant_type");
    const assertion = form.get("assertion");
    if (grant === null) return ["invalid_request", "Missing required parameter: grant_type"];
    if (grant !== GRANT)
      return ["unsupported_grant_type", `Invalid grant_type: ${grant.slice(0, 200)}`];
    if (assertion === null) return ["invalid_request", "Missing required parameter: assertion"];
    const [head = "", body = "", signature = "", more] = assertion.split(".");
    const header = decode(head);
    const claims = decode(body);
    if (header === undefined || claims === undefined || more !== undefined || signature === "")
      return ["invalid_request", "Bad Request"];
    const isSigned =
      header["alg"] === "RS256" &&
      verify(
        "RSA-SHA256",
        Buffer.from(`${head}.${body}`),
        this.#account.publicKey,
        Buffer.from(signature, "base64url"),
      );
    return this.#refusalOfClaims(claims, isSigned);
  }

  #refusalOfClaims(claims: Fields, isSigned: boolean): Refusal | undefined {
    if (claims["iss"] !== this.#account.email)
      return ["invalid_grant", "Invalid grant: account not found"];
    if (!isSigned) return ["invalid_grant", "Invalid JWT Signature."];
    const iat = epoch(claims["iat"]);
    const exp = epoch(claims["exp"]);
    if (iat === undefined) return ["invalid_grant", "Invalid JWT: iat (issued at) is not set."];
    if (exp === undefined)
      return ["invalid_grant", "Invalid JWT: exp (expiration time) is not set."];
    const now = this.#clock.wall() / 1_000;
    const skew = SKEW / 1_000;
    const isTimely = iat <= now + skew && exp > now - skew && exp > iat;
    if (!isTimely || exp - iat > LONGEST_ASSERTION / 1_000) return ["invalid_grant", UNTIMELY];
    const { scope } = claims;
    if (typeof scope !== "string" || scope.trim() === "")
      return ["invalid_scope", "Invalid OAuth scope or ID token audience provided."];
    return isOurAudience(claims["aud"])
      ? undefined
      : ["invalid_grant", "Invalid JWT: Failed audience check."];
  }

  #mint(): string {
    const exp = later(this.#clock.wall(), this.#lifetime);
    const payload = Buffer.from(JSON.stringify({ exp, generation: this.#generation }));
    const text = payload.toString("base64url");
    return `${PREFIX}${text}.${this.#seal(text).toString("base64url")}`;
  }

  #seal(payload: string): Buffer {
    return createHmac("sha256", this.#account.tokenKey).update(payload).digest();
  }

  /** Makes all tokens so far expired ones. */
  expireAll(): void {
    this.#generation += 1;
  }

  check(token: string): "valid" | "expired" | "unknown" {
    const text = token.startsWith(PREFIX) ? token.slice(PREFIX.length) : "";
    const [payload = "", seal = ""] = text.split(".");
    const given = Buffer.from(seal, "base64url");
    const right = this.#seal(payload);
    if (given.length !== right.length || !timingSafeEqual(given, right)) return "unknown";
    const { exp, generation = 0 } = decode(payload) as { exp: Timestamp; generation?: number };
    const isCurrent = generation >= this.#generation && elapsed(this.#clock.wall(), exp) > 0;
    return isCurrent ? "valid" : "expired";
  }
}
