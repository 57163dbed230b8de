import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../../support/fast-check.ts";
import { minutes, seconds, type Instant, type Timestamp } from "../../../src/base/units.ts";
import { GRACE, HELD_FOR, Slots, type Now, type SlotRules } from "../../../src/broker/ledger/slots.ts";
import type { Session } from "../../../src/sheets/ledger.ts";
import { RULES, session } from "./ledgers.ts";

const WALL = 1_800_000_000_000;
const at = (s: number): Now => ({ now: (s * 1_000) as Instant, wall: (WALL + s * 1_000) as Timestamp });
const born = (user: string, s: number, more: Partial<Session> = {}): Session => session(user, WALL + s * 1_000, more);
const slots = (more: Partial<SlotRules> = {}): Slots => new Slots({ ...RULES, ...more });

test("one too many is told so, and comes in when somebody leaves", () => {
  const s = slots();
  const [a, b, c, d] = ["a", "b", "c", "d"].map((user) => born(user, 0)) as [Session, Session, Session, Session];
  for (const one of [a, b, c]) assert.deepEqual(s.enter(one, at(0)), { is: "in" });
  assert.deepEqual(s.enter(d, at(0)), { is: "full", used: 3, max: 3, retryAfter: 120_000 });
  s.revoke(b, at(1));
  assert.deepEqual(s.enter(b, at(2)), { is: "revoked" }, "who logged out does not come back by an old cookie");
  assert.deepEqual(s.enter(d, at(2)), { is: "in" });
  assert.deepEqual(s.enter(born("e", 3, { admin: true }), at(3)), { is: "in" }, "who runs it is never kept out");
  assert.deepEqual(s.state, { used: 4, max: 3, status: "FULL" });
});

test("4.13: while the machine is short, no session takes a free slot; sessions that are in stay, and move", () => {
  const s = slots();
  const [a, b, c] = ["a", "b", "c"].map((user) => born(user, 0)) as [Session, Session, Session];
  s.enter(a, at(0));
  s.shortage = "cpu";
  assert.deepEqual(s.state, { used: 1, max: 3, status: "LOW", closed: "cpu" });
  assert.deepEqual(s.enter(b, at(1)), { is: "full", used: 1, max: 3, retryAfter: 120_000, because: "cpu" });
  assert.deepEqual(s.enter(a, at(1)), { is: "in" });
  assert.deepEqual(s.enter(born("a", 2), at(2)), { is: "in" }, "the same user takes over: no session more");
  assert.deepEqual(s.enter(born("e", 3, { admin: true }), at(3)), { is: "in" }, "administrators are admitted");
  s.shortage = undefined;
  assert.deepEqual([s.enter(b, at(4)), s.enter(c, at(4)).is], [{ is: "in" }, "full"]);
  s.shortage = "memory";
  assert.equal("because" in s.enter(c, at(5)), false, "all slots are taken: that is the reason");
});

test("the newest takes over, whatever order cookies come in; the setting refuses instead", () => {
  const s = slots({ max: 1 });
  const [old, fresh] = [born("ada", 0), born("ada", 100)];
  s.enter(old, at(0));
  assert.deepEqual(s.enter(fresh, at(100)), { is: "in" }, "even in a full house: it is the same person");
  assert.deepEqual(s.enter(old, at(101)), { is: "taken-over" });
  assert.deepEqual(s.take().out, [{ id: old.id, why: "taken-over" }]);
  s.expire(at(800).now);
  assert.equal(s.state.used, 0);
  assert.deepEqual(s.enter(fresh, at(801)), { is: "in" }, "a lease that ran out ends no session");
  const late = slots({ perUser: 1 });
  late.enter(fresh, at(200));
  assert.deepEqual(late.enter(old, at(201)), { is: "taken-over" }, "an older login, seen later");

  const strict = slots({ conflict: "refuse" });
  strict.enter(old, at(0));
  assert.deepEqual(strict.enter(fresh, at(100)), { is: "refused", most: 1 });
  strict.revoke(old, at(101));
  assert.deepEqual(strict.enter(fresh, at(102)), { is: "in" });
  const two = slots({ perUser: 2 });
  const third = born("ada", 200);
  for (const one of [old, fresh, third]) assert.deepEqual(two.enter(one, at(200)), { is: "in" });
  assert.deepEqual([...two.leases.keys()], [fresh.id, third.id]);
});

test("one browser is not two: whoever logs in with the session of somebody else gets its slot, or leaves it as it is", () => {
  const s = slots({ max: 2, conflict: "refuse" });
  const [ada, bob, eve, again] = [born("ada", 0), born("bob", 0), born("eve", 1), born("ada", 1)];
  for (const one of [ada, bob]) s.enter(one, at(0));
  assert.equal(s.enter(eve, at(1)).is, "full");
  assert.deepEqual(s.enter(born("bob", 1), at(1), ada), { is: "refused", most: 1 });
  assert.ok(s.leases.has(ada.id), "who is not let in keeps what there was");
  assert.deepEqual(s.enter(eve, at(1), ada), { is: "in" });
  assert.deepEqual([[...s.leases.keys()], s.take().out.at(-1)], [[bob.id, eve.id], { id: ada.id, why: "revoked" }]);
  assert.equal(s.enter(again, at(2), ada).is, "full", "a session that is over has no slot to give");
  s.revoke(bob, at(3));
  s.enter(again, at(3));
  assert.deepEqual(s.enter(born("ada", 4), at(4), again), { is: "in" }, "the same user, in the same browser");
});

test("a clock that was set back keeps nobody out", () => {
  const s = slots();
  s.enter(born("ada", 3_600), at(3_600));
  s.revokeUser("bob", at(3_600));
  const earlier = (now: number): Now => ({ ...at(now), wall: (WALL + 10_000) as Timestamp });
  assert.deepEqual(s.enter(born("ada", 10), earlier(3_601)), { is: "in" }, "the newest, though it seems older");
  assert.equal(s.state.used, 1);
  assert.deepEqual(s.enter(born("bob", 10), earlier(3_601)), { is: "in" });
});

test("4.12: leases: renewed by deeds and by open streams; what a dead worker held is free within 60 s", () => {
  const s = slots();
  const a = born("a", 0);
  s.enter(a, at(0));
  s.renew(a, true, at(300));
  assert.equal(s.expire(at(300 + HELD_FOR / 1_000 - 1).now), 0);
  assert.equal(s.expire(at(300 + HELD_FOR / 1_000).now), 1);
  assert.ok(HELD_FOR + seconds(1) + seconds(5) < seconds(60), "with the look that finds it, and a last word that was late");
  s.renew(a, false, at(400)); // its worker takes it for one that is in
  assert.equal(s.state.used, 1);
  assert.equal(s.expire(at(400 + RULES.lease / 1_000 - 1).now), 0);
  assert.equal(s.expire(at(400 + RULES.lease / 1_000).now), 1);
  assert.deepEqual(s.take().out.at(-1), { id: a.id, why: "expired" });
});

test("a worker that is wrong about somebody is told", () => {
  const s = slots({ max: 1 });
  const [a, b, gone] = [born("a", 0), born("b", 0), born("c", 0)];
  s.revoke(gone, at(0));
  s.enter(a, at(0));
  s.take();
  s.renew(b, true, at(1)); // no room
  s.renew(gone, false, at(1));
  s.check(gone, at(1));
  s.check(b, at(1));
  s.check(a, at(1));
  assert.deepEqual(s.take().out, [
    { id: b.id, why: "expired" },
    { id: gone.id, why: "revoked" },
    { id: gone.id, why: "revoked" },
    { id: b.id, why: "expired" },
  ]);
});

test("a lower maximum puts nobody out; sessions of one user that ended stay bounded and stay out", () => {
  const s = slots({ max: 5 });
  for (let i = 0; i < 5; i += 1) s.enter(born(`u${i}`, 0), at(0));
  s.rules = { ...s.rules, max: 2 };
  assert.deepEqual(s.state, { used: 5, max: 2, status: "FULL" });
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

/** What is said of sessions, in any order. */
const step = fc.record({
  wait: fc.integer({ min: 0, max: 200 }),
  what: fc.constantFrom("enter", "renew", "hold", "revoke", "user", "max", "restart"),
  who: fc.nat({ max: 11 }),
});

test("model: never beyond the maximum by entering, never beyond a user's share, nobody comes back who was put out", () => {
  let admitted = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.constantFrom("take-over" as const, "refuse" as const), (steps, conflict) => {
      let s = slots({ max: 3, perUser: 2, conflict });
      const people = Array.from({ length: 12 }, (_, i) => born(`u${i % 4}`, i));
      const out = new Set<string>();
      let now = 100;
      for (const { wait, what, who } of steps) {
        now += wait;
        s.expire(at(now).now);
        const one = people[who] as Session;
        const before = s.state.used;
        if (what === "enter") {
          const { is } = s.enter(one, at(now));
          assert.equal(is === "in", s.leases.has(one.id));
          if (is === "full") assert.ok(before >= s.rules.max);
        } else if (what === "renew" || what === "hold") s.renew(one, what === "hold", at(now));
        else if (what === "revoke") s.revoke(one, at(now));
        else if (what === "user") s.revokeUser(one.user, at(now));
        else if (what === "max") s.rules = { ...s.rules, max: 1 + (who % 4) };
        else {
          const next = slots(s.rules);
          next.restore([...s.leases.values()], [...s.ended.values()], [...s.marks.values()], at(now).now);
          assert.deepEqual([...next.leases.keys()].toSorted(), [...s.leases.keys()].toSorted());
          s = next;
        }
        for (const { id, why } of s.take().out) if (why !== "expired") out.add(id);
        for (const id of out) assert.ok(!s.leases.has(id), `${id} is out for good`);
        assert.ok(s.state.used <= Math.max(before, s.rules.max));
        for (let user = 0; user < 4; user += 1)
          assert.ok([...s.leases.values()].filter((lease) => lease.session.user === `u${user}`).length <= 2);
        for (const { until } of s.leases.values()) assert.ok(until > at(now).now, "every lease ends, and later");
        admitted += s.state.used > before ? 1 : 0;
      }
    }),
    { numRuns: 300 },
  );
  assert.ok(admitted > 100, `the model let people in (${admitted})`);
});
