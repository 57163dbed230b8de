/** What a thread of piscina does with passwords. */
import { scryptSync, timingSafeEqual } from "node:crypto";
import { readScrypt } from "../../sheets/secrets.ts";

export interface PasswordTask {
  readonly password: string;
  /** `$scrypt$…` */
  readonly verifier: string;
}

/** @returns whether the password is the one that was hashed. 0.25 s of CPU with drover's own parameters. */
export function checkPassword({ password, verifier }: PasswordTask): boolean {
  const kept = readScrypt(verifier);
  if (kept === undefined) return false;
  const { ln, r, p, salt, hash } = kept;
  const made = scryptSync(password.normalize("NFC"), salt, hash.length, { N: 2 ** ln, r, p, maxmem: 134_217_728 });
  return timingSafeEqual(made, hash);
}
