/** Orders to the Sheets emulator that a service reads from: its own routes, of which only this machine's user knows the token. */
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../base/wholefile.ts";
import { http } from "../../base/http.ts";
import { storageError } from "../../base/storage.ts";
import { seconds } from "../../base/units.ts";
import type { Settings } from "../../settings/table.ts";
import { emulatorDir } from "../plan.ts";

const PATIENCE = seconds(5);

/** Beside the demo's key, and as private. */
const ordersFile = (settings: Settings): string => join(emulatorDir(settings), "orders.json");

/**
 * The token that the demo's emulator is started with: the setting's, else one that only this file tells, 0600 in the data directory.
 * @throws DroverError DROVER_E_DATA_DIR.
 */
export function tokenFor(settings: Settings, url: string): string {
  const token = settings.emulator_token ?? randomBytes(24).toString("base64url");
  const path = ordersFile(settings);
  try {
    mkdirSync(emulatorDir(settings), { recursive: true, mode: 0o700 });
    const text = JSON.stringify({ url, ...(settings.emulator_token === undefined ? { token } : {}) });
    replaceFile(path, `${text}\n`);
  } catch (error) {
    throw storageError(`${path} can't be written`, error);
  }
  return token;
}

/** @returns how to order the emulator that the service reads from; undefined: there is none that takes orders from here. */
export function ordersFor(settings: Settings, isDemo: boolean): EmulatorOrders | undefined {
  const { sheets_endpoint: endpoint, emulator_token: own } = settings;
  if (!isDemo)
    return endpoint === undefined || own === undefined || !LOOPBACK.test(endpoint) ? undefined : new EmulatorOrders(endpoint, own);
  try {
    const { url, token = own } = JSON.parse(readFileSync(ordersFile(settings), "utf8")) as { url: string; token?: string };
    return token === undefined ? undefined : new EmulatorOrders(url, token);
  } catch {
    return undefined; // another user's, or of an older daemon: who needs orders says so
  }
}

const LOOPBACK = /^http:\/\/(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|localhost|\[::1\])(?::\d+)?\/?$/;

export class EmulatorOrders {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url.replace(/\/$/, "");
    this.#token = token;
  }

  /** Faults that wait for their calls now. */
  async waiting(): Promise<number> {
    return ((await this.#ask("GET", "faults")) as { waiting: readonly unknown[] }).waiting.length;
  }

  /** @param specs `latency=2s,method=read,for=1m`, several separated by `;`. */
  async order(specs: string): Promise<void> {
    await this.#ask("POST", "faults", specs);
  }

  async clear(): Promise<void> {
    await this.#ask("DELETE", "faults");
  }

  /** Deletes the rows of a tab whose first cell is this, as a person would. @returns how many there were. */
  async remove(spreadsheet: string, tab: string, key: string): Promise<number> {
    const where = `spreadsheet=${encodeURIComponent(spreadsheet)}`;
    const rows = (await this.#ask("GET", `rows?${where}&tab=${encodeURIComponent(tab)}`)) as readonly (readonly unknown[])[];
    const found = rows.flatMap((row, i) => (i > 0 && row[0] === key ? [i + 1] : []));
    for (const row of found.toReversed()) await this.#ask("POST", `edits?${where}`, `delete=${tab},row=${row}`);
    return found.length;
  }

  #ask(method: string, path: string, body?: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${this.#token}`, "content-type": "text/plain" };
      const req = http.request(`${this.#url}/emulator/${path}`, { method, agent: false, timeout: PATIENCE, headers }, (res) => {
        let text = "";
        res.setEncoding("utf8");
        res.on("data", (chunk: string) => (text += chunk));
        res.on("error", reject);
        res.on("end", () => {
          if (res.statusCode === 200 || res.statusCode === 201) resolve(JSON.parse(text));
          else reject(new Error(`the emulator does not take the order (${res.statusCode}): ${text.slice(0, 200).trim()}`));
        });
      });
      req.on("timeout", () => req.destroy(new Error(`the emulator did not answer within ${PATIENCE / 1_000} s`)));
      req.on("error", reject);
      req.end(body);
    });
  }
}
