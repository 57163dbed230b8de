import { createPrivateKey } from "node:crypto";
import { DroverError, errnoOf, messageOf } from "../base/errors.ts";
import { readText } from "../base/readtext.ts";
import { bytes } from "../base/units.ts";

/** No key file is larger. */
const LARGEST = bytes(65_536);

/** What of a service account's key file is needed to ask for a token. The key is a secret. */
export interface ServiceAccount {
  readonly email: string;
  readonly privateKey: string;
  readonly keyId: string | undefined;
}

const HOW = "Set GOOGLE_APPLICATION_CREDENTIALS to the JSON key of a service account (Google Cloud console: IAM, Service accounts, Keys)";

function refuse(path: string, what: string): never {
  throw new DroverError("DROVER_E_CREDENTIALS", `The Google key file ${path} ${what}. ${HOW}.`);
}

function readKey(path: string): string {
  try {
    return readText(path, { most: LARGEST });
  } catch (e) {
    const said: Record<string, string> = {
      ENOENT: "does not exist",
      EACCES: "can't be read by this user: give it to the user that runs drover, mode 0600",
      EISDIR: "is a directory",
    };
    return refuse(path, said[errnoOf(e) ?? ""] ?? `can't be read: ${messageOf(e)}`);
  }
}

/**
 * Reads and checks a service account's key file.
 * @throws DroverError DROVER_E_CREDENTIALS that names the path, what is wrong and what to do: never any of the content.
 */
export function readServiceAccount(path: string): ServiceAccount {
  let key: Readonly<Record<string, unknown>>;
  try {
    key = Object(JSON.parse(readKey(path).replace(/^\uFEFF/, ""))) as Record<string, unknown>;
  } catch (e) {
    if (e instanceof DroverError) throw e;
    return refuse(path, "is not JSON");
  }
  const { type, client_email: email, private_key: privateKey, private_key_id: keyId } = key;
  if (type !== "service_account")
    return refuse(
      path,
      `holds ${typeof type === "string" ? `a credential of type "${type.slice(0, 40)}"` : "no credential"}, not a service account's key`,
    );
  if (typeof email !== "string" || !/^[^\s@]+@[^\s@]+$/.test(email)) return refuse(path, "has no client_email");
  if (typeof privateKey !== "string") return refuse(path, "has no private_key");
  try {
    createPrivateKey(privateKey);
  } catch {
    return refuse(path, "has a private_key that is not a PEM key: was it copied whole?");
  }
  return { email, privateKey, keyId: typeof keyId === "string" ? keyId : undefined };
}
