/** `drover.tables` as an application sees it, on a broker by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TablesError } from "../../src/api/errors.ts";
import { applicationSlots } from "../../src/api/slots.ts";
import { applicationTables } from "../../src/api/tables.ts";
import type { ApplicationTables } from "../../src/api/types.ts";
import { ms, seconds } from "../../src/base/units.ts";
import { createTables } from "../../src/sheets/client.ts";
import type { Unavailable } from "../../src/sheets/types.ts";
import type { WriteRefusal } from "../../src/sheets/writes.ts";
import { Sheet } from "../app/world.ts";
import { ledgerByHand } from "../broker/ledger/ledgers.ts";

interface Player {
  id: string;
  name: string | null;
  score: number | null;
}
interface Rows {
  players: Player;
}

const COLUMNS = [
  { name: "id", type: "string" },
  { name: "name", type: "string" },
  { name: "score", type: "integer" },
] as const;

function game(): { readonly sheet: Sheet; readonly tables: ApplicationTables<Rows> } {
  const sheet = new Sheet();
  sheet.table("players", "nobody", COLUMNS, [
    ["p1", "Ada", 1],
    ["p2", "Bob", null],
  ]);
  return { sheet, tables: applicationTables(createTables(sheet, { patience: ms(50) })) as ApplicationTables<Rows> };
}

const failure = async (call: Promise<unknown>): Promise<TablesError> => {
  const thrown = await call.then(
    () => assert.fail("it succeeded"),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof TablesError, String(thrown));
  return thrown;
};

test("rows are typed, frozen, parsed once a version, and say since when they are so", async () => {
  const { tables } = game();
  const { rows, asOf, stale, why } = await tables.read("players");
  const scores: (number | null)[] = rows.map(({ score }) => score);
  assert.deepEqual(scores, [1, null]);
  assert.deepEqual([asOf.toISOString(), stale, why], ["2026-05-28T20:26:40.000Z", false, undefined]);
  assert.equal((await tables.read("players")).rows, rows);
  assert.throws(() => Object.assign(rows[0] as Player, { score: 9 }), TypeError);
  assert.equal((await tables.row("players", "p1"))?.row.name, "Ada");
  assert.equal(await tables.row("players", "p9"), undefined);
});

test("a row, many rows, a change and a removal: each is seen by the next read", async () => {
  const { sheet, tables } = game();
  const written = await tables.append("players", { id: "p3", name: "Eve", score: 3 });
  assert.deepEqual(
    [written.key, written.op, written.state, written.repeated, written.at instanceof Date],
    ["p3", "append", "journaled", false, true],
  );
  const many = await tables.append("players", [{ name: "x" }, { name: "y" }], { wait: "sheet" });
  assert.equal(many.length, 2);
  assert.equal(sheet.asked.at(-1)?.wait, "sheet");
  await tables.update("players", "p3", { score: 4 });
  assert.equal((await tables.row("players", "p3"))?.row.score, 4);
  await tables.remove("players", "p3");
  assert.equal(await tables.row("players", "p3"), undefined);
  assert.equal((await tables.outcome(written.id))?.key, "p3");
  assert.equal(await tables.outcome("01J99999999999999999999999"), undefined);
});

test("a change by a function is called again when somebody was faster, and gives up after 50 times", async () => {
  const { tables } = game();
  let calls = 0;
  const written = await tables.update("players", "p1", ({ score }) => {
    calls += 1;
    if (calls === 1) void tables.update("players", "p1", { score: 10 }); // is taken before this one is sent
    return { score: (score ?? 0) + 1 };
  });
  assert.equal(written.op, "update");
  assert.deepEqual([calls, (await tables.row("players", "p1"))?.row.score], [2, 11]);
  const conflict = await failure(tables.update("players", "p1", { score: 1 }, { ifMatch: "an-old-tag" }));
  assert.deepEqual([conflict.reason, conflict.statusCode], ["conflict", 412]);
  await assert.rejects(
    tables.update("players", "p1", () => {
      throw new RangeError("the application's own");
    }),
    RangeError,
  );
  const { sheet } = game();
  sheet.refuse = { reason: "conflict", message: "changed" };
  let tries = 0;
  const quick = applicationTables(createTables(sheet), () => 0) as ApplicationTables<Rows>;
  assert.equal((await failure(quick.update("players", "p1", () => ((tries += 1), { score: 1 })))).reason, "conflict");
  assert.equal(tries, 50);
  assert.equal((await failure(quick.update("players", "p9", () => ({ score: 1 })))).reason, "unknown-key");
});

test("said twice under one name it is written once; another request under it is refused", async () => {
  const { sheet, tables } = game();
  const [first, again] = [
    await tables.append("players", { name: "once" }, { once: "order 7" }),
    await tables.append("players", { name: "once" }, { once: "order 7" }),
  ];
  assert.deepEqual([again.id, first.repeated, again.repeated], [first.id, false, true]);
  assert.equal(sheet.written.size, 1);
  const other = await failure(tables.append("players", { name: "another" }, { once: "order 7" }));
  assert.deepEqual([other.reason, other.statusCode, other.retryAfter], ["reused-key", 422, undefined]);
});

test("every refusal has a reason, a status that Fastify and Express answer with, and words that may be shown", async () => {
  const { sheet, tables } = game();
  const secret = "the range players!A1:F of gamemaster@example.org";
  const cases: [WriteRefusal, string, number, string | undefined][] = [
    [{ reason: "unknown-table", message: secret }, "unknown-table", 404, undefined],
    [{ reason: "unknown-key", message: secret }, "unknown-key", 404, undefined],
    [{ reason: "conflict", message: secret }, "conflict", 412, undefined],
    [{ reason: "reused-key", message: secret }, "reused-key", 422, undefined],
    [{ reason: "not-writable", message: secret }, "not-writable", 403, undefined],
    [{ reason: "not-writable", message: secret, retryAfter: seconds(2) }, "unavailable", 503, "2"],
    [{ reason: "full", message: secret, retryAfter: ms(1_200) }, "full", 503, "2"],
    [{ reason: "disk", message: secret }, "disk", 507, "5"],
    [{ reason: "away", message: secret, retryAfter: seconds(1), unsure: true }, "away", 503, "1"],
  ];
  for (const [refuse, reason, status, retryAfter] of cases) {
    sheet.refuse = refuse;
    const error = await failure(tables.append("players", { name: "x" }));
    assert.deepEqual([error.reason, error.statusCode, error.headers["Retry-After"]], [reason, status, retryAfter]);
    assert.equal(error.outcome, refuse.unsure === true ? "unknown" : "nothing-written");
    assert.ok(!error.message.includes("example.org") && error.message.startsWith('"players": '), error.message);
    assert.equal(error.detail, secret);
  }
  sheet.refuse = { reason: "invalid", message: '"score" is to be a whole number', column: "score", nr: 1 };
  const invalid = await failure(tables.append("players", [{ name: "x" }, { score: 1 }]));
  assert.deepEqual(
    [invalid.statusCode, invalid.column, invalid.row, invalid.message],
    [422, "score", 1, '"score" is to be a whole number'],
  );
});

test("a table that can't be had is an error of the same kind; rows once seen are served, marked stale, with the reason", async () => {
  const { sheet, tables } = game();
  const unknown = await failure(tables.read("nowhere"));
  assert.deepEqual([unknown.reason, unknown.statusCode, unknown.table], ["unknown-table", 404, "nowhere"]);
  await tables.read("players");
  const why: Unavailable = { table: "players", reason: "upstream", message: "Google said 503", retryAfter: seconds(7) };
  sheet.events?.failed(why);
  const { rows, stale, why: word } = await tables.read("players");
  assert.deepEqual([rows.length, stale, word], [2, true, "upstream"]);
  for (const [reason, mapped] of [
    ["never-loaded", "unavailable"],
    ["denied", "unavailable"],
    ["quota", "unavailable"],
    ["broker", "away"],
  ] as const) {
    const empty = game();
    empty.sheet.fail({ ...why, reason });
    const error = await failure(empty.tables.read("players"));
    assert.deepEqual([error.reason, error.statusCode, error.headers["Retry-After"]], [mapped, 503, "7"], reason);
    assert.ok(!error.message.includes("Google said"), error.message);
  }
  await assert.rejects(tables.read("players", { signal: AbortSignal.abort(new Error("gone")) }), /gone/);
});

test("an error is known by a mark, so that an application's own copy of the package knows it", () => {
  const foreign = Object.assign(new Error("x"), { [Symbol.for("drover.TablesError")]: true });
  assert.ok(foreign instanceof TablesError);
  assert.ok(!(new Error("x") instanceof TablesError) && !((null as unknown) instanceof TablesError));
});

test("places: taken, renewed without asking, full, given back, taken over", async () => {
  const ledger = ledgerByHand({ rules: { max: 1 } }).worker();
  const slots = applicationSlots(ledger);
  const [ada, bob] = [slots.session("ada"), slots.session("bob")];
  assert.match(ada.id, /^[\w-]{22}$/);
  assert.deepEqual([slots.session("eve", { admin: true }).admin, bob.admin, typeof bob.since], [true, false, "number"]);
  assert.deepEqual(await slots.enter(ada), { is: "in" });
  assert.deepEqual(await slots.enter(ada), { is: "in" });
  const full = await slots.enter(bob);
  assert.deepEqual([full.is, slots.state().used, slots.state().status], ["full", 1, "FULL"]);
  const ended: string[] = [];
  slots.onEnded((id, why) => ended.push(`${id} ${why}`));
  const newer = { ...slots.session("ada"), since: ada.since + 1 };
  assert.deepEqual(await slots.enter(newer), { is: "in" });
  assert.deepEqual([await slots.enter(ada), ended], [{ is: "taken-over" }, [`${ada.id} taken-over`]]);
  slots.hold(newer)();
  await slots.leave(newer);
  assert.deepEqual(await slots.enter(bob), { is: "in" });
});
