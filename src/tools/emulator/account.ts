/** The emulator's one service account: its key file, in the form Google gives them out. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  randomBytes,
  type KeyObject,
} from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { DroverError, errnoOf } from "../../base/errors.ts";
import { readText } from "../../base/readtext.ts";
import { storageError } from "../../base/storage.ts";

export const EMAIL = "emulator@drover.invalid";
export const PROJECT_ID = "drover-emulator";
/** Stands in quota refusals, as consumer. */
export const PROJECT_NUMBER = "100000000000";
const CLIENT_ID = "100000000000000000001";

export interface Account {
  readonly email: string;
  readonly publicKey: KeyObject;
  /** Signs access tokens: derived from the private key, so that tokens outlive a restart. */
  readonly tokenKey: Buffer;
}

interface KeyFile {
  readonly client_email: string;
  readonly private_key: string;
  readonly private_key_id: string;
  readonly token_uri: string;
}

const render = (privateKey: string, keyId: string, tokenUri: string): string =>
  `${JSON.stringify(
    {
      type: "service_account",
      project_id: PROJECT_ID,
      private_key_id: keyId,
      private_key: privateKey,
      client_email: EMAIL,
      client_id: CLIENT_ID,
      auth_uri: "https://accounts.google.com/o/oauth2/auth",
      token_uri: tokenUri,
      auth_provider_x509_cert_url: "https://www.googleapis.com/oauth2/v1/certs",
      client_x509_cert_url: `https://www.googleapis.com/robot/v1/metadata/x509/${encodeURIComponent(EMAIL)}`,
      universe_domain: "googleapis.com",
    },
    null,
    2,
  )}\n`;

/** Writes a file that only its owner can read; whoever looks meanwhile sees the old one or the new one. */
function writePrivate(path: string, text: string): void {
  const temporary = `${path}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    writeFileSync(temporary, text, { flag: "wx", mode: 0o600, flush: true });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw storageError(`can't write the emulator's key file ${path}`, error, {
      code: "DROVER_E_CREDENTIALS",
    });
  }
}

/** @returns undefined when there is no such file. @throws DroverError when it is something else than a key of this emulator: it is never overwritten. */
function read(path: string): KeyFile | undefined {
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw storageError(`can't read the emulator's key file ${path}`, error, {
      code: "DROVER_E_CREDENTIALS",
    });
  }
  try {
    const key = JSON.parse(text) as KeyFile;
    createPrivateKey(key.private_key);
    if (key.client_email === EMAIL) return key;
  } catch {
    // no JSON, or no key in it: the message below is what the operator needs; the parser's would quote the file
  }
  throw new DroverError(
    "DROVER_E_CREDENTIALS",
    `${path} is there and is not a key of the emulator (${EMAIL}): it is left as it is; name another key file for the emulator`,
  );
}

/** Puts another token_uri into the key file. @throws DroverError when it is gone, or not ours any more. */
export function setTokenUri(path: string, tokenUri: string): void {
  const key = read(path);
  if (key === undefined)
    throw new DroverError("DROVER_E_CREDENTIALS", `the emulator's key file ${path} is gone`);
  if (key.token_uri !== tokenUri)
    writePrivate(path, render(key.private_key, key.private_key_id, tokenUri));
}

/**
 * Reads the key file, or makes the account at the first start (RSA 2048, file mode 0600).
 * @param tokenUri written into the file when it differs; undefined leaves the file's own, or a placeholder in a new one.
 */
export async function openAccount(path: string, tokenUri: string | undefined): Promise<Account> {
  const key = read(path) ?? (await create(path, tokenUri));
  if (tokenUri !== undefined) setTokenUri(path, tokenUri);
  return {
    email: EMAIL,
    publicKey: createPublicKey(key.private_key),
    tokenKey: createHash("sha256")
      .update("drover emulator access tokens\0")
      .update(key.private_key)
      .digest(),
  };
}

async function create(path: string, tokenUri = "http://127.0.0.1/token"): Promise<KeyFile> {
  const pair = await promisify(generateKeyPair)("rsa", { modulusLength: 2_048 });
  const privateKey = pair.privateKey.export({ type: "pkcs8", format: "pem" });
  const keyId = randomBytes(20).toString("hex");
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw storageError(`can't make the folder of the key file ${path}`, error, {
      code: "DROVER_E_CREDENTIALS",
    });
  }
  writePrivate(path, render(privateKey, keyId, tokenUri));
  return {
    client_email: EMAIL,
    private_key: privateKey,
    private_key_id: keyId,
    token_uri: tokenUri,
  };
}
