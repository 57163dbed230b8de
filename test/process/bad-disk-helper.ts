/** What the tests of full and damaged disks share. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { get, start, type Daemon } from "./harness.ts";
import { eventually } from "../support/wait.ts";
import type { Book, Told } from "./book.ts";

export const HEADER = ["id", "note"];
export const TABS = { notes: { rows: [HEADER, ["n0", "first"]] } };
export const LARGE = "x".repeat(40_000);
export const known = (it: Book): Promise<boolean> =>
  eventually("rows are known", async () => (await get(`${it.daemon.url}/api/tables/notes`)).status === 200);

/** Writes until one is refused. @returns the refusal, and what was taken. */
export async function fill(
  it: Book,
  first: number,
): Promise<{ status: number; code: string; retryAfter: string | undefined; taken: Told[] }> {
  const taken: Told[] = [];
  for (let nr = first; nr < first + 2_000; nr += 1) {
    const { status, body, headers } = await it.write("POST", "notes", { id: `n${nr}`, note: LARGE });
    const answer = JSON.parse(body.toString()) as { write: Told; code: string };
    if (status !== 201) return { status, code: answer.code, retryAfter: headers["retry-after"], taken };
    taken.push(answer.write);
  }
  return assert.fail("it is never full");
}

export const ids = async (it: Book): Promise<string[]> => (await it.rows("notes")).slice(1).map(([id]) => String(id));

export const again = async (t: TestContext, it: Book): Promise<Daemon> => await start(t, { cwd: it.daemon.dir, env: it.env });
