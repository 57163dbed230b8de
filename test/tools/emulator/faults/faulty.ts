/** An emulator whose faults and edits are ordered over its control routes, and whose pauses end when a test says so. */
import assert from "node:assert/strict";
import type { OutgoingHttpHeaders } from "node:http";
import type { TestContext } from "node:test";
import type { EmulatorOptions } from "../../../../src/tools/emulator/server.ts";
import { SHEET, world, type Reply, type World } from "../world.ts";

export const BOOK_PATH = `/v4/spreadsheets/${SHEET}`;
export const VALUES = `${BOOK_PATH}/values/Sheet1`;
export const ADMIN = "an-admin-token-of-tests";

export interface Pause {
  readonly wait: number;
  end(): void;
}

export interface Faulty extends World {
  order(specs: string): Promise<void>;
  admin(method: string, path: string, body?: string, headers?: OutgoingHttpHeaders): Promise<Reply>;
  get(): Promise<Reply>;
  append(...values: string[]): Promise<Reply>;
  /** First cells of the rows below the header. */
  ids(): Promise<unknown[]>;
  /** Oldest first. */
  readonly pauses: Pause[];
}

export async function faulty(
  t: TestContext,
  options: Partial<EmulatorOptions> = {},
): Promise<Faulty> {
  const pauses: Pause[] = [];
  const sleep = (wait: number): Promise<void> =>
    new Promise((end) => void pauses.push({ wait, end }));
  const w = await world(t, { adminToken: ADMIN, sleep, ...options });
  const admin: Faulty["admin"] = (method, path, body, headers = {}) =>
    w.ask(method, path, {
      headers: { authorization: `Bearer ${ADMIN}`, "content-type": "text/plain", ...headers },
      ...(body === undefined ? {} : { raw: body }),
    });
  return {
    ...w,
    admin,
    pauses,
    async order(specs) {
      const answer = await admin("POST", "/emulator/faults", specs);
      assert.equal(answer.status, 201, answer.body.toString());
    },
    get: () => w.call("GET", VALUES),
    append: (...values) =>
      w.call("POST", `${VALUES}:append?valueInputOption=RAW`, { values: [values] }),
    ids: async () => (await w.emulator.rows(SHEET, "Sheet1")).slice(1).map(([id]) => id),
  };
}

export const reset = (call: Promise<unknown>): Promise<void> =>
  assert.rejects(call, { code: "ECONNRESET" });
