/** What every store of sessions and counters keeps, whatever is behind it. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { minutes, seconds, type Ms, type Timestamp } from "../../../src/base/units.ts";
import { HELD_FOR, type SlotRules } from "../../../src/broker/ledger/slots.ts";
import type { LedgerStore } from "../../../src/broker/ledger/store.ts";
import type { Deed, Session, Spent } from "../../../src/sheets/ledger.ts";
import { fc } from "../../support/fast-check.ts";
import { RULES, session } from "./ledgers.ts";

export interface StoreWorld {
  readonly store: LedgerStore;
  /** Sessions that were told as not in, and why. */
  readonly out: string[];
  /** By the store's clock. */
  wall(): Timestamp;
  pass(time: number): Promise<void>;
  /** What was said without waiting (uses, refunds, tallies) has been counted. */
  heard(): Promise<void>;
}

export interface StoreUnderTest {
  /** A new one, empty and started; closed when the test ends. */
  make(t: TestContext, rules: SlotRules): Promise<StoreWorld>;
  /** How often the random tests try. */
  readonly tries: number;
}

const active = (...sessions: readonly Session[]) => ({ active: sessions, held: [], known: [] });
const held = (...sessions: readonly Session[]) => ({ active: [], held: sessions, known: [] });
const known = (...sessions: readonly Session[]) => ({ active: [], held: [], known: sessions });

export function ledgerContract(name: string, { make, tries }: StoreUnderTest): void {
  const begin = async (t: TestContext, rules: Partial<SlotRules> = {}) => {
    const w = await make(t, { ...RULES, ...rules });
    const born = (user: string, ago = 0, more: Partial<Session> = {}): Session => session(user, w.wall() - ago, more);
    const ids = async (): Promise<string[]> => (await w.store.list()).map(({ id }) => id);
    const does = async (uses: Parameters<LedgerStore["renew"]>[0]): Promise<void> => {
      w.store.renew(uses);
      await w.heard();
    };
    return { ...w, born, ids, does, enter: async (s: Session, before?: Session) => (await w.store.enter(s, before))?.is };
  };

  test(`${name}: one too many is told so, and comes in when somebody leaves`, async (t) => {
    const w = await begin(t);
    const [a, b, c, d] = ["a", "b", "c", "d"].map((user) => w.born(user)) as [Session, Session, Session, Session];
    for (const one of [a, b, c]) assert.deepEqual(await w.store.enter(one), { is: "in" });
    const full = await w.store.enter(d);
    assert.ok(full?.is === "full" && full.retryAfter >= seconds(10) && full.retryAfter <= seconds(120), JSON.stringify(full));
    assert.deepEqual([full.used, full.max, full.because], [3, 3, undefined]);
    assert.equal(await w.store.leave(b), true);
    assert.deepEqual(await w.store.enter(b), { is: "revoked" }, "who logged out does not come back by an old cookie");
    assert.deepEqual(await w.store.enter(d), { is: "in" });
    assert.deepEqual(await w.store.enter(d), { is: "in" }, "said again");
    assert.deepEqual(await w.store.enter(w.born("e", 0, { admin: true })), { is: "in" }, "who runs it is never kept out");
    assert.deepEqual(w.store.state, { used: 4, max: 3, status: "FULL" });
  });

  test(`${name}: of many at once as many are admitted as there are slots, and of one user one stays`, async (t) => {
    const w = await begin(t);
    const all = await Promise.all(Array.from({ length: 40 }, (_, i) => w.enter(w.born(`u${i}`))));
    assert.deepEqual([all.filter((is) => is === "in").length, all.filter((is) => is === "full").length], [3, 37]);
    const one = await begin(t, { max: 40 });
    await Promise.all(Array.from({ length: 10 }, (_, i) => one.enter(one.born("ada", 10 - i))));
    assert.equal((await one.ids()).length, 1);
  });

  test(`${name}, 4.13: while the machine is short, no session takes a free slot; sessions that are in stay, and move`, async (t) => {
    const w = await begin(t);
    const [a, b, c] = ["a", "b", "c"].map((user) => w.born(user, 5)) as [Session, Session, Session];
    await w.enter(a);
    assert.equal(w.store.setShortage("cpu"), true);
    assert.deepEqual(w.store.state, { used: 1, max: 3, status: "LOW", closed: "cpu" });
    const full = await w.store.enter(b);
    assert.deepEqual([full?.is, full?.is === "full" && full.because], ["full", "cpu"]);
    assert.equal(await w.enter(a), "in");
    assert.equal(await w.enter(w.born("a")), "in", "the same user takes over: no session more");
    assert.equal(await w.enter(w.born("e", 0, { admin: true })), "in", "administrators are admitted");
    w.store.setShortage(undefined);
    assert.deepEqual([await w.enter(b), await w.enter(c)], ["in", "full"]);
    w.store.setShortage("memory");
    const last = await w.store.enter(c);
    assert.equal(last?.is === "full" && last.because, undefined, "all slots are taken: that is the reason");
  });

  test(`${name}: the newest takes over, whatever order cookies come in`, async (t) => {
    const w = await begin(t, { max: 1 });
    const [old, fresh] = [w.born("ada", minutes(10)), w.born("ada")];
    await w.enter(old);
    assert.equal(await w.enter(fresh), "in", "even in a full house: it is the same person");
    assert.equal(await w.enter(old), "taken-over");
    assert.deepEqual(w.out, [`${old.id} taken-over`]);
    await w.pass(RULES.lease);
    assert.equal(await w.store.reap(), 1);
    assert.equal(w.store.state.used, 0);
    assert.equal(await w.enter(fresh), "in", "a lease that ran out ends no session");
    const late = await begin(t);
    await late.enter(fresh);
    assert.equal(await late.enter(old), "taken-over", "an older login, seen later");
    const two = await begin(t, { perUser: 2 });
    const third = two.born("ada");
    for (const one of [old, fresh, third]) assert.equal(await two.enter(one), "in");
    assert.deepEqual(new Set(await two.ids()), new Set([fresh.id, third.id]));
  });

  test(`${name}: where the setting says so, the newest is refused instead`, async (t) => {
    const w = await begin(t, { conflict: "refuse" });
    const [old, fresh] = [w.born("ada", 1_000), w.born("ada")];
    await w.enter(old);
    assert.deepEqual(await w.store.enter(fresh), { is: "refused", most: 1 });
    await w.store.leave(old);
    assert.equal(await w.enter(fresh), "in");
  });

  test(`${name}: one browser is not two: who logs in with another's session gets its slot, or leaves it as it is`, async (t) => {
    const w = await begin(t, { max: 2, conflict: "refuse" });
    const [ada, bob, eve, again] = [w.born("ada", 5), w.born("bob", 5), w.born("eve", 2), w.born("ada", 2)];
    for (const one of [ada, bob]) await w.enter(one);
    assert.equal(await w.enter(eve), "full");
    assert.equal(await w.enter(w.born("bob"), ada), "refused");
    assert.ok((await w.ids()).includes(ada.id), "who is not let in keeps what there was");
    assert.equal(await w.enter(eve, ada), "in");
    assert.deepEqual([new Set(await w.ids()), w.out], [new Set([bob.id, eve.id]), [`${ada.id} revoked`]]);
    assert.equal(await w.enter(again, ada), "full", "a session that is over has no slot to give");
    await w.store.leave(bob);
    await w.enter(again);
    assert.equal(await w.enter(w.born("ada"), again), "in", "the same user, in the same browser");
    assert.equal(await w.enter(again), "revoked");
  });

  test(`${name}, 4.12: leases: renewed by deeds and by open streams; what a dead worker held is free within 60 s`, async (t) => {
    const w = await begin(t);
    const a = w.born("a");
    await w.enter(a);
    await w.does(held(a));
    await w.pass(HELD_FOR - 1);
    assert.equal(await w.store.reap(), 0);
    await w.pass(1);
    assert.equal(await w.store.reap(), 1);
    assert.ok(HELD_FOR + seconds(1) + seconds(5) < seconds(60), "with the look that finds it, and a last word that was late");
    await w.does(active(a)); // its worker takes it for one that is in
    assert.equal(w.store.state.used, 1);
    await w.pass(RULES.lease - 1);
    assert.equal(await w.store.reap(), 0);
    await w.does(active(a));
    await w.pass(RULES.lease - 1);
    assert.equal(await w.store.reap(), 0);
    await w.pass(1);
    assert.equal(await w.store.reap(), 1);
    assert.deepEqual([w.out, w.store.expired], [[`${a.id} expired`, `${a.id} expired`], 2]);
  });

  test(`${name}: a worker that is wrong about somebody is told`, async (t) => {
    const w = await begin(t, { max: 1 });
    const [a, b, gone] = [w.born("a"), w.born("b"), w.born("c")];
    await w.store.leave(gone);
    await w.enter(a);
    w.out.length = 0;
    await w.does(held(b)); // no room
    await w.does(active(gone));
    await w.does(known(gone, b, a));
    assert.deepEqual(w.out, [`${b.id} expired`, `${gone.id} revoked`, `${gone.id} revoked`, `${b.id} expired`]);
  });

  test(`${name}: a lower maximum puts nobody out`, async (t) => {
    const w = await begin(t, { max: 5 });
    const all = Array.from({ length: 5 }, (_, i) => w.born(`u${i}`));
    for (const one of all) await w.enter(one);
    assert.equal(w.store.setMax(2), true);
    assert.deepEqual(w.store.state, { used: 5, max: 2, status: "FULL" });
    for (const one of all.slice(0, 4)) await w.store.leave(one);
    assert.deepEqual([await w.enter(w.born("x")), await w.enter(w.born("y"))], ["in", "full"]);
  });

  test(`${name}: the operator puts out by user or by session; whoever was put out stays out, and who logs in anew does not`, async (t) => {
    const w = await begin(t, { max: 9, perUser: 2 });
    const [first, second, bob] = [w.born("ada", minutes(3)), w.born("ada", minutes(2)), w.born("bob", minutes(1), { id: "abcdefgh" })];
    for (const one of [bob, second, first]) await w.enter(one);
    await w.does(held(bob));
    const lines = await w.store.list();
    assert.deepEqual(
      lines.map(({ id, user, admin, since, held: isHeld, left }) => [id, user, admin, since, isHeld, left]),
      [first, second, bob].map((s) => [s.id, s.user, false, s.since, s === bob, s === bob ? HELD_FOR : RULES.lease]),
    );
    for (const who of ["nobody", "abcde"]) assert.equal(await w.store.end(who), `nobody is in as ${who}, and no session begins with it`);
    assert.deepEqual(await w.store.end("abcdef"), { count: 1, durable: true });
    assert.deepEqual(await w.store.end("ada"), { count: 2, durable: true });
    for (const one of [first, second, bob]) assert.equal(await w.enter(one), "revoked");
    assert.equal(await w.enter(w.born("ada", minutes(1))), "revoked", "an older cookie, never seen");
    await w.pass(1_000);
    assert.deepEqual([await w.enter(w.born("ada")), await w.enter(w.born("bob"))], ["in", "in"]);
  });

  test(`${name}: sessions of one user that ended stay out, however many`, async (t) => {
    const w = await begin(t);
    const old: Session[] = [];
    for (let i = 0; i < 100; i += 1) {
      const one = w.born("ada");
      await w.enter(one);
      await w.store.leave(one);
      old.push(one);
      await w.pass(minutes(1));
    }
    for (const one of old) assert.equal(await w.enter(one), "revoked");
    assert.equal(await w.enter(w.born("ada")), "in");
  });

  test(`${name}: a closed store does nothing and says so`, async (t) => {
    const w = await begin(t);
    const a = w.born("a");
    await w.enter(a);
    w.store.close();
    assert.equal(await w.store.enter(a), undefined);
    assert.equal(await w.store.leave(a), undefined);
    assert.equal(await w.store.spend([{ key: "write:user:a", most: 1, per: seconds(60) }]), undefined);
    assert.equal(await w.store.resetDay(), undefined);
    assert.deepEqual([w.store.setMax(1), w.store.setShortage("cpu"), typeof (await w.store.end("a"))], [false, false, "string"]);
  });

  const steps = fc.array(
    fc.record({
      wait: fc.integer({ min: 0, max: 200 }),
      what: fc.constantFrom("enter", "enter", "over", "renew", "hold", "leave", "user", "max"),
      who: fc.nat({ max: 11 }),
    }),
    { maxLength: 60 },
  );
  test(`${name}, model: never beyond the maximum by entering, never beyond a user's share, nobody comes back who was put out`, async (t) => {
    let admitted = 0;
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom("take-over" as const, "refuse" as const), async (all, conflict) => {
        const w = await begin(t, { max: 3, perUser: 2, conflict });
        const people = Array.from({ length: 12 }, (_, i) => w.born(`u${i % 4}`, minutes(20) - i * 1_000));
        let max = 3;
        for (const { wait, what, who } of all) {
          await w.pass(wait * 1_000);
          await w.store.reap();
          const one = people[who] as Session;
          const before = w.store.state.used;
          if (what === "enter" || what === "over") {
            const is = await w.enter(one, what === "over" ? people[(who + 5) % 12] : undefined);
            assert.equal(is === "in", (await w.ids()).includes(one.id));
            if (is === "full") assert.ok(before >= max);
          } else if (what === "renew") await w.does(active(one));
          else if (what === "hold") await w.does(held(one));
          else if (what === "leave") assert.equal(await w.store.leave(one), true);
          else if (what === "user") await w.store.end(one.user);
          else w.store.setMax((max = 1 + (who % 4)));
          const lines = await w.store.list();
          const over = new Set(w.out.filter((text) => !text.endsWith(" expired")).map((text) => text.split(" ")[0]));
          for (const { id, left } of lines) assert.ok(!over.has(id) && left > 0, `${id} is out for good, or its lease ends later`);
          assert.equal(w.store.state.used, lines.length);
          assert.ok(lines.length <= Math.max(before, max));
          for (let user = 0; user < 4; user += 1) assert.ok(lines.filter((line) => line.user === `u${user}`).length <= 2);
          admitted += lines.length > before ? 1 : 0;
        }
        w.store.close();
      }),
      { numRuns: tries },
    );
    assert.ok(admitted > tries / 3, `the model let people in (${admitted})`);
  });

  const deed = (key: string, most: number, more: Partial<Deed> = {}): Deed => ({ key, most, per: seconds(60), ...more });
  const isOver = (spent: Spent | undefined): boolean => spent?.is === "over";

  test(`${name}: all deeds of a request are counted, or none; the one nearest to its limit is named`, async (t) => {
    const { store, heard } = await begin(t);
    const both = [deed("write:user:a", 2), deed("write:address:b", 100), deed("day:user:a", 3, { per: "day" })];
    assert.deepEqual(await store.spend([]), { is: "ok", left: Number.MAX_SAFE_INTEGER, resetIn: 0 });
    const first = await store.spend(both);
    assert.deepEqual([first?.is, first?.is === "ok" && first.key, first?.is === "ok" && first.left], ["ok", "write:user:a", 1]);
    assert.equal((await store.spend(both))?.is, "ok");
    const third = await store.spend(both);
    assert.deepEqual([third?.is, third?.is === "over" && third.key], ["over", "write:user:a"]);
    const left = async (one: Deed) => {
      const spent = await store.spend([one]);
      return spent?.is === "ok" ? spent.left : spent?.is;
    };
    assert.equal(await left(deed("write:address:b", 100)), 97, "the third counted nothing");
    assert.equal(await left(deed("day:user:a", 3, { per: "day" })), 0);
    store.refund([deed("write:user:a", 2), deed("day:user:a", 3, { per: "day", times: 2 })]);
    await heard();
    assert.deepEqual([await left(deed("write:user:a", 2)), await left(deed("day:user:a", 3, { per: "day" }))], [0, 1]);
    store.refund([deed("write:user:nobody", 5, { times: 3 })]);
    await heard();
    assert.equal(await left(deed("write:user:nobody", 5)), 4, "what was not counted is not given back");
    assert.ok(isOver(await store.spend([deed("write:user:many", 5, { times: 6 })])), "more than fit into one window");
  });

  test(`${name}: who enters within counters needs room in each of them, and uses none of it`, async (t) => {
    const w = await begin(t);
    const within = [deed("login:user:ada", 2), deed("login:address:b", 100), deed("day:login", 5, { per: "day" })];
    const [first, second] = [w.born("ada"), w.born("ada", 1)];
    for (let i = 0; i < 3; i += 1) assert.deepEqual(await w.store.enter(w.born("bob", i), undefined, within), { is: "in" });
    assert.deepEqual(await w.store.enter(first, undefined, within), { is: "in" });
    for (let i = 0; i < 2; i += 1) assert.equal((await w.store.spend(within))?.is, "ok", "nothing was counted");
    const over = await w.store.enter(second, first, within);
    assert.deepEqual([over?.is, over?.is === "over" && over.key], ["over", "login:user:ada"]);
    assert.ok(over?.is === "over" && over.retryAfter > 0 && over.retryAfter <= seconds(66), JSON.stringify(over));
    assert.deepEqual(await w.store.enter(first), { is: "in" }, "and nobody was put out");
    assert.deepEqual(await w.store.enter(second, first, within.slice(1)), { is: "in" });
    w.store.refund(within.slice(0, 1));
    await w.heard();
    assert.deepEqual(await w.store.enter(w.born("ada", 2), second, within), { is: "in" }, "room again");
  });

  test(`${name}: what workers have counted without asking is counted`, async (t) => {
    const { store, heard } = await begin(t);
    store.tally([{ key: "read:user:a", per: seconds(60), times: 4 }]);
    await heard();
    const spent = await store.spend([deed("read:user:a", 5)]);
    assert.deepEqual([spent?.is === "ok" && spent.left, isOver(await store.spend([deed("read:user:a", 5)]))], [0, true]);
    await store.spend([deed("write:all:tokens", 1_000, { times: 7 })]);
    assert.equal(store.tokensUsed, 7);
  });

  test(`${name}: a day's count is free again at midnight, whenever it was used`, async (t) => {
    const { store, pass } = await begin(t);
    const day = deed("day:user:a", 2, { per: "day" });
    for (let i = 0; i < 2; i += 1) assert.equal((await store.spend([day]))?.is, "ok");
    const over = await store.spend([day]);
    const wait = over?.is === "over" ? over.retryAfter : 0;
    assert.ok(wait > 0 && wait <= minutes(25 * 60), `${wait}`);
    await pass(wait - 1);
    assert.ok(isOver(await store.spend([day])));
    await pass(1);
    assert.equal((await store.spend([day]))?.is, "ok");
    assert.match((await store.resetDay()) ?? "", /^\d{4}-\d\d-\d\d$/);
  });

  const uses = fc.array(fc.record({ wait: fc.integer({ min: 0, max: 20_000 }), times: fc.integer({ min: 1, max: 4 }) }), { maxLength: 40 });
  test(`${name}, model: never more than the limit in any span; refused only while a place may be taken; free when it was said`, async (t) => {
    const w = await begin(t);
    const [most, per] = [7, seconds(60)];
    let nr = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(uses, async (all) => {
        const key = `write:user:${(nr += 1)}`;
        const counted: { readonly at: number; readonly times: number }[] = [];
        const within = (span: number): number => counted.reduce((sum, { at, times }) => sum + (w.wall() - at < span ? times : 0), 0);
        let last: Deed | undefined;
        let wait = 0 as Ms;
        for (const { wait: pause, times } of all) {
          await w.pass(pause);
          last = deed(key, most, { times });
          const spent = await w.store.spend([last]);
          if (spent?.is === "ok") {
            counted.push({ at: w.wall(), times });
            assert.ok(within(per) <= most, `${within(per)} within ${per} ms`);
            last = undefined;
          } else if (spent?.is === "over") {
            refused += 1;
            assert.ok(within((per * 13) / 12) + times > most, `refused at ${within((per * 13) / 12)}`);
            wait = spent.retryAfter;
          }
        }
        if (last === undefined) return;
        await w.pass(wait);
        assert.equal((await w.store.spend([last]))?.is, "ok", "after the time that was said");
      }),
      { numRuns: tries },
    );
    assert.ok(refused > tries / 3, `${refused} were refused`);
  });

  test(`${name}, model: with a burst it is a token bucket: over any span at most the burst and what is gained in it, and no less`, async (t) => {
    const w = await begin(t);
    const [most, per, burst] = [6, seconds(60), 9];
    let nr = 0;
    await fc.assert(
      fc.asyncProperty(uses, async (all) => {
        const key = `write:address:${(nr += 1)}`;
        let debt = 0;
        for (const { wait, times } of all) {
          await w.pass(wait);
          debt = Math.max(0, debt - wait * most);
          const room = (burst - times) * per - debt;
          const spent = await w.store.spend([deed(key, most, { burst, times })]);
          assert.equal(spent?.is, room >= 0 ? "ok" : "over");
          if (spent?.is === "over") assert.equal(spent.retryAfter, Math.ceil(-room / most));
          else debt += times * per;
        }
      }),
      { numRuns: tries },
    );
  });
}
