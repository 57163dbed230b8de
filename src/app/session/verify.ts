/** Is the secret right? The answer takes as long, and as much work, whether the name is unknown or the secret is wrong. */
import { createHmac, randomBytes } from "node:crypto";
import { ownModule } from "../../base/place.ts";
import { foldName, keep, matchesCode, MOST_SECRET, writeScrypt, type SecretKey } from "../../sheets/secrets.ts";
import type { Threads } from "../../worker/app.ts";
import type { Account, Directory } from "./accounts.ts";
import type { PasswordTask } from "./scrypt.ts";
import type { Busy, Turns } from "./turns.ts";

const MODULE = ownModule("app/session/scrypt");
/** Nobody's, compared with what nobody can log in by. */
const NOBODYS_PASSWORD = writeScrypt({ ln: 14, r: 8, p: 5, salt: randomBytes(16), hash: randomBytes(32) });

export type Verdict =
  | { readonly is: "right"; readonly account: Account }
  | { readonly is: "wrong"; readonly known: boolean }
  /** By a key that this worker does not have (yet, or any more): nothing can be said. */
  | { readonly is: "unknown-key" }
  | Busy;

export interface Verifying {
  readonly keys: readonly SecretKey[];
  readonly threads: Threads;
  readonly turns: Turns;
}

/** @throws what `threads.run` throws. */
export async function verify(
  { name, secret }: { readonly name: string; readonly secret: string },
  directory: Directory,
  by: Verifying,
  signal: AbortSignal,
): Promise<Verdict> {
  const account = directory.byName.get(foldName(name));
  const verifier = account?.verifier ?? decoy(name, directory, by.keys);
  const right = verifier.startsWith("$scrypt$")
    ? await by.turns.take(() => by.threads.run<boolean>(MODULE, task(secret, verifier), { name: "checkPassword", signal }), signal)
    : matchesCode(secret.slice(0, MOST_SECRET), verifier, by.keys);
  if (right === undefined) return { is: "unknown-key" };
  if (typeof right === "object") return right;
  return right && account?.verifier !== undefined ? { is: "right", account } : { is: "wrong", known: account !== undefined };
}

const task = (password: string, verifier: string): PasswordTask => ({ password: password.slice(0, MOST_SECRET), verifier });

/**
 * What an unknown name is compared with. Where some have codes and others passwords, the same share of the unknown names has one or the
 * other, each name always the same: how long the answer takes says nothing about whether there is such a name.
 */
function decoy(name: string, { passwords }: Directory, keys: readonly SecretKey[]): string {
  const [key] = keys;
  if (key === undefined) return NOBODYS_PASSWORD;
  const lot =
    createHmac("sha256", key.codes)
      .update(`decoy\n${foldName(name)}`)
      .digest()
      .readUInt32LE() /
    2 ** 32;
  if (lot < passwords) return NOBODYS_PASSWORD;
  const nobodys = keep(`$code$nobodys-salt$${Buffer.alloc(32).toString("base64url")}`, key);
  return nobodys.is === "kept" ? nobodys.verifier : NOBODYS_PASSWORD;
}
