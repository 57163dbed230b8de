/** What of slots no store shows: bounds, a clock that was set back, a restart. The rest: contract.ts. */
import assert from "node:assert/strict";
import test from "node:test";
import { minutes, type Instant, type Timestamp } from "../../../src/base/units.ts";
import { GRACE, Slots, type Now, type SlotRules } from "../../../src/broker/ledger/slots.ts";
import type { Session } from "../../../src/sheets/ledger.ts";
import { RULES, session } from "./ledgers.ts";

const WALL = 1_800_000_000_000;
const at = (s: number): Now => ({ now: (s * 1_000) as Instant, wall: (WALL + s * 1_000) as Timestamp });
const born = (user: string, s: number, more: Partial<Session> = {}): Session => session(user, WALL + s * 1_000, more);
const slots = (more: Partial<SlotRules> = {}): Slots => new Slots({ ...RULES, ...more });

test("a clock that was set back keeps nobody out", () => {
  const s = slots();
  s.enter(born("ada", 3_600), at(3_600));
  s.revokeUser("bob", at(3_600));
  const earlier = (now: number): Now => ({ ...at(now), wall: (WALL + 10_000) as Timestamp });
  assert.deepEqual(s.enter(born("ada", 10), earlier(3_601)), { is: "in" }, "the newest, though it seems older");
  assert.equal(s.state.used, 1);
  assert.deepEqual(s.enter(born("bob", 10), earlier(3_601)), { is: "in" });
});

test("sessions of one user that ended stay bounded and stay out, until no cookie can bring them back", () => {
  const many = slots();
  const old = Array.from({ length: 500 }, (_, i) => born("ada", i * 60));
  for (const [i, one] of old.entries()) {
    many.enter(one, at(i * 60));
    many.revoke(one, at(i * 60 + 1));
  }
  assert.equal(many.ended.size, 32);
  for (const one of old) assert.deepEqual(many.enter(one, at(40_000)), { is: "revoked" });
  assert.deepEqual(many.enter(born("ada", 40_000), at(40_000)), { is: "in" });
  many.sweep((WALL + minutes(40 * 24 * 60)) as Timestamp);
  assert.deepEqual([many.ended.size, many.marks.size], [0, 0]);
});

test("after a restart everybody who was in has a moment, and is in no longer than a lease", () => {
  const [before, after] = [slots(), slots()];
  const [a, b] = [born("a", 0), born("b", 0)];
  before.enter(a, at(0));
  before.enter(b, at(0));
  before.revoke(b, at(1));
  const leases = [...before.leases.values()].map((lease) => ({ ...lease, until: 5 as Instant }));
  after.restore(leases, [...before.ended.values()], [...before.marks.values()], at(10).now);
  assert.equal(after.expire((at(10).now + GRACE - 1) as Instant), 0);
  assert.equal(after.expire((at(10).now + GRACE) as Instant), 1);
  assert.deepEqual(after.enter(b, at(60)), { is: "revoked" });
});
