/** The key of sessions that a data directory has. */
import { randomBytes } from "node:crypto";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { makeFile, replaceFile } from "../base/wholefile.ts";
import { DroverError, errnoOf } from "../base/errors.ts";
import { readText } from "../base/readtext.ts";
import { storageError } from "../base/storage.ts";

/** In the data directory. */
export const SESSION_KEY = "session.key";
const LEAST = 32;

/**
 * The keys in `dataDir/session.key`, one a line: the first seals, all of them open. Made, with one random key and mode 0600, where there is
 * none.
 * @throws DroverError DROVER_E_DATA_DIR when it can't be made or read, holds no key, or others may read it.
 */
export function keysOf(dataDir: string): readonly string[] {
  const path = join(dataDir, SESSION_KEY);
  const wrong = (why: string): DroverError => new DroverError("DROVER_E_DATA_DIR", `the session key ${path} ${why}`);
  let text: string;
  try {
    text = readOrMake(path, dataDir);
  } catch (e) {
    throw storageError(`the session key ${path} can't be read or made`, e);
  }
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) !== 0)
    throw wrong(
      `has mode 0${mode.toString(8)} (expected 0600: its owner alone). chmod 600 it, and replace the key if others may have read it`,
    );
  const lines = text.split("\n").map((line) => line.trim());
  const keys = lines.filter((line) => line !== "" && !line.startsWith("#"));
  if (keys.length === 0 || keys.some((key) => key.length < LEAST))
    throw wrong(
      `holds ${keys.length === 0 ? "no key" : "a key that is too short"}: expected lines of at least ${LEAST} characters, or no such file`,
    );
  return keys;
}

const newKey = (): string => `${randomBytes(32).toString("base64url")}\n`;

function readOrMake(path: string, dataDir: string): string {
  try {
    const text = readText(path);
    if (text.trim() !== "") return text;
    replaceFile(path, newKey()); // emptied by a power cut soon after it was made: no session can have been sealed with it
    return readText(path);
  } catch (e) {
    if (errnoOf(e) !== "ENOENT") throw e;
  }
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  makeFile(path, newKey()); // of two that begin at once one key counts
  return readText(path);
}
