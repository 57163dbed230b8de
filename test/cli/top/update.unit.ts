import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../../support/fast-check.ts";
import { KEYS } from "../../../src/cli/top/keys.ts";
import { firstModel, type Model, type Order } from "../../../src/cli/top/model.ts";
import { ratesOf } from "../../../src/cli/top/rates.ts";
import { render } from "../../../src/cli/top/render.ts";
import { update, type Event, type Wish } from "../../../src/cli/top/update.ts";
import { ms, type Timestamp } from "../../../src/base/units.ts";
import { child, NOW, place, statusWith } from "../statuses.ts";
import type { Status } from "../../../src/cli/snapshot.ts";

const heard = (status: Partial<Status> = {}): Event => ({ type: "status", status: statusWith(status) });
const key = (name: string): Event => ({
  type: "key",
  key: name.startsWith("^") ? { name: name.slice(1), ctrl: true } : { name, ctrl: false },
});

/** A model after these keys, and all that was wished for meanwhile. */
function after(model: Model, ...events: readonly (Event | string)[]): { readonly model: Model; readonly wishes: readonly Wish[] } {
  const wishes: Wish[] = [];
  for (const event of events) {
    const [next, wished] = update(model, typeof event === "string" ? key(event) : event);
    model = next;
    wishes.push(...wished);
  }
  return { model, wishes };
}
const fresh = (): Model => after(firstModel({ columns: 80, rows: 24 }), heard()).model;
const orders = (...keys: readonly string[]): readonly Order[] =>
  after(fresh(), ...keys).wishes.flatMap((wish) => (wish.do === "order" ? [wish.order] : []));

test("what changes the service is asked for twice, but for one worker more", () => {
  const table: readonly (readonly [readonly string[], readonly Order[]])[] = [
    [["r"], []],
    [["r", "n"], []],
    [["r", "return"], []],
    [["r", "y"], [{ verb: "reload" }]],
    [["+"], [{ verb: "scale", to: 3 }]],
    [["-"], []],
    [["-", "y"], [{ verb: "scale", to: 1 }]],
    [["-", "escape"], []],
    [["R", "1", "return"], []],
    [["R", "1", "return", "y"], [{ verb: "recycle", slot: 1 }]],
    [["R", "1", "return", "x"], []],
    [["R", "9", "return", "y"], []],
    [["R", "9", "backspace", "0", "return", "y"], [{ verb: "recycle", slot: 0 }]],
    [["R", "return", "y"], []],
    [["R", "a"], []],
    [["R", "a", "y"], [{ verb: "recycle", slot: undefined }]],
    [["R", "escape", "y"], []],
    [["s", "1", "return"], [{ verb: "stack", slot: 1 }]],
    [["s", "a", "return"], []],
    [["r", "q", "y"], []],
    [["y"], []],
  ];
  for (const [keys, expected] of table) assert.deepEqual(orders(...keys), expected, keys.join(" "));
});

test("who presses + three times before an answer comes wants three more", () => {
  assert.deepEqual(orders("+", "+", "+").map((order) => order.verb === "scale" && order.to), [3, 4, 5]); // prettier-ignore
});

test("the last worker stays", () => {
  const { model, wishes } = after(fresh(), heard({ workers: { target: 1, ready: 1 } }), "-", "y");
  assert.deepEqual(wishes, []);
  assert.equal(model.mode.is, "table");
});

test("q, Esc and Ctrl-C leave; in a question or a text the first two only lead back, Ctrl-C always leaves", () => {
  const leaves = (...keys: readonly string[]): boolean => after(fresh(), ...keys).wishes.some((wish) => wish.do === "quit");
  for (const quit of ["q", "escape", "^c"]) assert.ok(leaves(quit), quit);
  for (const mode of ["r", "R", "s", "?"]) {
    for (const back of ["q", "escape"]) assert.ok(!leaves(mode, back), `${mode} ${back}`);
    assert.ok(leaves(mode, "^c"), mode);
  }
  assert.deepEqual(after(fresh(), "^z").wishes, [{ do: "suspend" }]);
});

test("before a daemon has answered, keys order nothing", () => {
  const { model, wishes } = after(firstModel({ columns: 80, rows: 24 }), "r", "y", "+", "R", "s");
  assert.deepEqual(wishes, []);
  assert.match(model.message?.text ?? "", /no daemon answers yet/);
});

test("a reload asked for here is followed to its end, whichever it is", () => {
  const asked = after(fresh(), {
    type: "answer",
    order: { verb: "reload" },
    answer: { ok: true, message: "generation 4 begins", generation: 4 },
  });
  assert.deepEqual(asked.wishes, [{ do: "ask" }]);
  assert.equal(asked.model.message?.text, "generation 4 begins");
  const before = after(asked.model, heard({ lastRoll: { is: "done", generation: 3, took: ms(1) } })).model;
  assert.equal(before.message?.text, "generation 4 begins", "an earlier one's end is not this one's");
  assert.equal(
    after(before, heard({ lastRoll: { is: "done", generation: 4, took: ms(1_340) } })).model.message?.text,
    "generation 4 serves (1.3 s)",
  );
  const back = after(before, heard({ lastRoll: { is: "rolledBack", generation: 4, why: "no answer" } })).model;
  assert.deepEqual(back.message, { tone: "bad", text: "the reload was rolled back, the old generation serves: no answer" });
  assert.equal(after(back, "up").model.message, undefined, "the next key takes it away");
});

test("what the daemon refuses is shown, made printable", () => {
  const { model } = after(fresh(), {
    type: "answer",
    order: { verb: "scale", to: 9 },
    answer: { ok: false, message: "no \u001b[2Jroom\nhere" },
  });
  assert.deepEqual(model.message, { tone: "bad", text: "scale refused: no room here" });
});

test("a stack is shown until q, scrolled within its bounds", () => {
  const message = Array.from({ length: 60 }, (_, i) => `line ${i}\u001b[31m`).join("\n");
  const { model } = after(fresh(), { type: "answer", order: { verb: "stack", slot: 0 }, answer: { ok: true, message } });
  const scroll = (of: Model): number | undefined => (of.mode.is === "text" ? of.mode.scroll : undefined);
  assert.equal(scroll(after(model, "up").model), 0);
  assert.equal(scroll(after(model, "pagedown").model), 22);
  assert.equal(scroll(after(model, "end", "down").model), 38);
  assert.equal(after(model, "r", "y").model.mode.is, "text", "and no other key does anything");
  assert.equal(after(model, "q").model.mode.is, "table");
});

test("no answer: the old picture stays; another pid: another daemon", () => {
  const away = after(fresh(), { type: "away", why: "none runs there" }).model;
  assert.equal(away.away, "none runs there");
  assert.ok(away.status);
  const back = after({ ...away, awaits: 9 }, heard({ pid: 78 })).model;
  assert.deepEqual([back.away, back.awaits, back.message?.text], [undefined, undefined, "another daemon answers: pid 78"]);
});

test("rates come from the beats, not from when we asked", () => {
  const at = (time: number, beatAge: number, served: number): Status =>
    statusWith({ at: (NOW + time) as Timestamp, places: [place(0, { child: child({ beatAge: ms(beatAge), served }) })] });
  const perSecond = (...statuses: readonly Status[]): number | undefined => {
    let rates: ReturnType<typeof ratesOf> = new Map();
    for (const status of statuses) rates = ratesOf(rates, status);
    return rates.get(4_000)?.perSecond;
  };
  assert.equal(perSecond(at(0, 100, 10)), undefined);
  assert.equal(perSecond(at(0, 100, 10), at(1_000, 100, 60)), 50);
  assert.equal(perSecond(at(0, 100, 10), at(1_000, 100, 60), at(1_300, 401, 60)), 50, "the same beat, seen again");
  assert.equal(perSecond(at(0, 900, 10), at(200, 100, 60)), 50, "a second lies between the beats");
  assert.equal(perSecond(at(0, 100, 10), at(1_000, 100, 5)), 0);
  assert.deepEqual(
    [...ratesOf(new Map([[9, { served: 1, beatAt: 0, perSecond: 1 }]]), at(0, 0, 1)).keys()],
    [4_000],
    "the dead are forgotten",
  );
});

const names = [...KEYS.flatMap((row) => row.keys), "y", "n", "0", "1", "9", "a", "return", "backspace", "^c", "^z", "^x", "x", ""];
const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...names).map(key) },
  fc
    .nat(4)
    .map((workers) =>
      heard({ places: Array.from({ length: workers }, (_, nr) => place(nr)), workers: { ready: workers, target: workers } }),
    ),
  fc.constant<Event>({ type: "away", why: "gone" }),
  fc
    .record({ columns: fc.integer({ min: 1, max: 120 }), rows: fc.integer({ min: 1, max: 40 }) })
    .map((size): Event => ({ type: "resize", size })),
  fc
    .constantFrom<Order>({ verb: "reload" }, { verb: "stack", slot: 0 }, { verb: "scale", to: 2 })
    .map((order): Event => ({ type: "answer", order, answer: { ok: true, message: "done\nwell", generation: 2 } })),
);

test("any keys, answers and sizes in any order can be drawn, and nothing is ordered without its y but + and s", () => {
  fc.assert(
    fc.property(fc.array(events, { maxLength: 40 }), (sequence) => {
      let model = firstModel({ columns: 80, rows: 24 });
      for (const event of sequence) {
        const [next, wishes] = update(model, event);
        for (const wish of wishes) {
          if (wish.do !== "order" || wish.order.verb === "stack") continue;
          const name = event.type === "key" ? event.key.name : "";
          assert.ok(["y", "Y"].includes(name) ? model.mode.is === "confirm" : ["+", "="].includes(name), JSON.stringify([name, wish]));
        }
        model = next;
        assert.equal(render(model).length, model.size.rows);
      }
    }),
    { numRuns: 400 },
  );
});
