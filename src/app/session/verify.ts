/**
 * Is the secret right? The answer takes as long, and as much work, whether the name is unknown or the secret is wrong. A code takes
 * microseconds, a password 0.25 s.
 */
import { createHmac, randomBytes } from "node:crypto";
import { ownModule } from "../../base/place.ts";
import type { Ms } from "../../base/units.ts";
import type { Ledger } from "../../sheets/ledger.ts";
import { foldName, keep, matchesCode, MOST_SECRET, writeScrypt, type SecretKey } from "../../sheets/secrets.ts";
import type { Threads } from "../../worker/app.ts";
import type { Account, Directory, ScryptCost } from "./accounts.ts";
import type { PasswordTask } from "./scrypt.ts";
import { scryptBudget } from "./tries.ts";
import type { Busy, Turns } from "./turns.ts";

const MODULE = ownModule("app/session/scrypt");
/** The parameters of `drover hash`. */
const USUAL_COST: ScryptCost = { ln: 14, r: 8, p: 5 };
const [DECOY_SALT, DECOY_HASH] = [randomBytes(16), randomBytes(32)];

export type Verdict =
  | { readonly is: "right"; readonly account: Account }
  | { readonly is: "wrong"; readonly known: boolean }
  /** By a key that this worker does not have (yet, or any more): nothing can be said. */
  | { readonly is: "unknown-key" }
  /** The address has used up its budget of wrong passwords, or the user that of right ones. */
  | { readonly is: "over"; readonly retryAfter: Ms }
  | Busy;

export interface Verifying {
  readonly threads: Threads;
  readonly turns: Turns;
  readonly ledger: Pick<Ledger, "spend" | "refund">;
}

/** What a client shows. `from`: what it is counted as; undefined: a proxy that does not say for whom it asks. */
export interface Shown {
  readonly name: string;
  readonly secret: string;
  readonly from: string | undefined;
}

/** What is known of a name, and what its secret is compared with. */
export interface Claim {
  readonly account: Account | undefined;
  readonly verifier: string;
}

export function claimOf(name: string, directory: Directory, keys: readonly SecretKey[]): Claim {
  const nobodys = decoy(name, directory, keys); // made for known names too: it takes time
  const account = directory.byName.get(foldName(name));
  return { account, verifier: account?.verifier ?? nobodys };
}

/** @returns undefined: it is a password's, for verifyPassword. */
export function verifyCode(secret: string, claim: Claim, keys: readonly SecretKey[]): Verdict | undefined {
  if (claim.verifier.startsWith("$scrypt$")) return undefined;
  const right = matchesCode(secret.slice(0, MOST_SECRET), claim.verifier, keys);
  return right === undefined ? { is: "unknown-key" } : verdictOf(right, claim);
}

/** @throws what `threads.run` and the ledger throw, and the signal's reason. */
export async function verifyPassword(shown: Shown, claim: Claim, by: Verifying, signal: AbortSignal): Promise<Verdict> {
  const right = await compare(shown, claim.verifier, by, signal);
  return typeof right === "object" ? right : verdictOf(right, claim);
}

const verdictOf = (right: boolean, { account }: Claim): Verdict =>
  right && account?.verifier !== undefined ? { is: "right", account } : { is: "wrong", known: account !== undefined };

type Refused = Extract<Verdict, { is: "over" | "busy" }>;

/** Where addresses are not known, names take turns instead. */
function compare({ name, secret, from }: Shown, verifier: string, by: Verifying, signal: AbortSignal): Promise<boolean | Refused> {
  const folded = foldName(name);
  const budget = scryptBudget(name, from);
  const all = [...budget.address, ...budget.user];
  const work = async (): Promise<boolean | Refused> => {
    const spent = await by.ledger.spend(all);
    if (spent.is === "over") return { is: "over", retryAfter: spent.retryAfter };
    const right = await by.threads.run<boolean>(MODULE, task(secret, verifier), { name: "checkPassword", signal }).catch((e: unknown) => {
      if (!signal.aborted) by.ledger.refund(all); // nothing was computed
      throw e;
    });
    by.ledger.refund(right ? budget.address : budget.user);
    return right;
  };
  return by.turns.take(work, { address: from ?? `name ${folded}`, name: folded }, signal);
}

const task = (password: string, verifier: string): PasswordTask => ({ password: password.slice(0, MOST_SECRET), verifier });

/**
 * What an unknown name is compared with. Where some have codes and others passwords, the same share of the unknown names has one or the
 * other, and passwords cost what those of the directory do; each name always the same. How long the answer takes says nothing about whether
 * there is such a name.
 */
function decoy(name: string, { passwords, costs }: Directory, keys: readonly SecretKey[]): string {
  const [key] = keys;
  if (key === undefined) return decoyPassword(USUAL_COST);
  const lot =
    createHmac("sha256", key.codes)
      .update(`decoy\n${foldName(name)}`)
      .digest()
      .readUInt32LE() /
    2 ** 32;
  const cost = costs[Math.floor((lot / passwords) * costs.length)] ?? USUAL_COST;
  if (lot < passwords) return decoyPassword(cost);
  const nobodys = keep(`$code$nobodys-salt$${Buffer.alloc(32).toString("base64url")}`, key);
  return nobodys.is === "kept" ? nobodys.verifier : decoyPassword(cost);
}

const decoyPassword = (cost: ScryptCost): string => writeScrypt({ ...cost, salt: DECOY_SALT, hash: DECOY_HASH });
