/** A room full of people behind one address. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { eventually } from "../support/wait.ts";
import type { Daemon } from "./harness.ts";
import { PLAYERS, spread, statuses, Visitor, type Heard } from "./people.ts";

/** @returns the answers to so many people that log in at once. */
export async function comeIn(t: TestContext, url: string, people: number, headers: Record<string, string> = {}): Promise<Heard[]> {
  const visitors = PLAYERS.slice(0, people).map((account) => ({ account, visitor: new Visitor(url, headers) }));
  t.after(() => visitors.forEach(({ visitor }) => visitor.leave()));
  const began = performance.now();
  const heard = await Promise.all(visitors.map(({ visitor, account }) => visitor.login(account)));
  console.log(`${people} logins from one address in ${((performance.now() - began) / 1_000).toFixed(1)} s: ${spread(heard)}`);
  const who = await Promise.all(visitors.map(({ visitor }) => visitor.ask("GET", "/api/me")));
  assert.deepEqual(statuses(who), { 200: people }, "and everybody is in");
  return heard;
}

export const slotsAre = (daemon: Daemon, count: number): Promise<boolean> =>
  eventually(`${count} slots are taken`, async () => (await daemon.status()).slots?.used === count);
