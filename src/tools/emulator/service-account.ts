/** The emulator's only service account: its key file, in Google's form. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  randomBytes,
} from "node:crypto";
import type { KeyObject } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { DroverError, errnoOf } from "../../base/errors.ts";
import { readText } from "../../base/readtext.ts";
import { storageError } from "../../base/storage.ts";
import { replaceFile } from "../../base/wholefile.ts";

export const EMAIL = "emulator@drover.invalid";
/** Appears in 429 answers, as the consumer. */
export const PROJECT_NUMBER = "100000000000";
const PROJECT_ID = "drover-emulator";
const CLIENT_ID = "100000000000000000001";

export interface ServiceAccount {
  readonly email: string;
  readonly publicKey: KeyObject;
  /** Signs access tokens. It derives from the private key, so that tokens outlive a restart. */
  readonly tokenKey: Buffer;
}

interface KeyFile {
  readonly client_email: string;
  readonly private_key: string;
  readonly private_key_id: string;
  readonly token_uri: string;
}

const code = "DROVER_E_CREDENTIALS";
const refusal = (message: string): DroverError => new DroverError(code, message);

function write(path: string, key: Omit<KeyFile, "client_email">): void {
  const content = {
    type: "service_account",
    project_id: PROJECT_ID,
    private_key_id: key.private_key_id,
    private_key: key.private_key,
    client_email: EMAIL,
    client_id: CLIENT_ID,
    auth_uri: "https://accounts.google.com/o/oauth2/auth",
    token_uri: key.token_uri,
    auth_provider_x509_cert_url: "https://www.googleapis.com/oauth2/v1/certs",
    client_x509_cert_url: `https://www.googleapis.com/robot/v1/metadata/x509/${encodeURIComponent(EMAIL)}`,
    universe_domain: "googleapis.com",
  };
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    replaceFile(path, `${JSON.stringify(content, null, 2)}\n`);
  } catch (error) {
    throw storageError(`can't write the emulator's key file ${path}`, error, { code });
  }
}

/** @returns undefined when there is no such file. @throws DroverError when it is no key of the emulator: it is never overwritten. */
function read(path: string): KeyFile | undefined {
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw storageError(`can't read the emulator's key file ${path}`, error, { code });
  }
  try {
    const key = JSON.parse(text) as KeyFile;
    createPrivateKey(key.private_key);
    if (key.client_email === EMAIL) return key;
  } catch {
    // Not JSON, or no key. The parser's message would quote the file.
  }
  throw refusal(
    `${path} is not a key of the emulator (${EMAIL}) and stays as it is: name another key file for the emulator`,
  );
}

/** @throws DroverError when the key file is gone, or not the emulator's any more. */
export function setTokenUri(path: string, tokenUri: string): void {
  const key = read(path);
  if (key === undefined) throw refusal(`the emulator's key file ${path} is gone`);
  if (key.token_uri !== tokenUri) write(path, { ...key, token_uri: tokenUri });
}

/**
 * Reads the key file; the first start creates it (RSA 2048, mode 0600).
 * @param tokenUri for the file; undefined keeps the file's own, or writes a placeholder into a new one.
 */
export async function openAccount(
  path: string,
  tokenUri: string | undefined,
): Promise<ServiceAccount> {
  const known = read(path);
  const privateKey = known?.private_key ?? (await create(path, tokenUri));
  if (known !== undefined && tokenUri !== undefined) setTokenUri(path, tokenUri);
  return {
    email: EMAIL,
    publicKey: createPublicKey(privateKey),
    tokenKey: createHash("sha256")
      .update("drover emulator access tokens\0")
      .update(privateKey)
      .digest(),
  };
}

async function create(path: string, tokenUri = "http://127.0.0.1/token"): Promise<string> {
  const pair = await promisify(generateKeyPair)("rsa", { modulusLength: 2_048 });
  const privateKey = pair.privateKey.export({ type: "pkcs8", format: "pem" });
  const keyId = randomBytes(20).toString("hex");
  write(path, { private_key: privateKey, private_key_id: keyId, token_uri: tokenUri });
  return privateKey;
}
