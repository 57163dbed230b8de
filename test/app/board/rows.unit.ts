/** What becomes of rows by the stream, and of what was written until it is in the sheet. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../support/fast-check.ts";
import { feed, notices, outbox, refusalOf, type Answer, type Entry, type FeedEvent, type Row, type Rows } from "./modules.ts";

const { reduce, readEvent } = feed;
const { answered, due, entryOf, looked, overlay, restore, store } = outbox;
const table = (...rows: Row[]): Rows => ({ name: "t", key: "id", rows, total: rows.length });
const A = { id: "a", n: 1 };
const B = { id: 7, n: 2 };

test("events change rows by key, and only what has changed", () => {
  assert.deepEqual(reduce(table(A), { kind: "row.created", key: "7", row: B }), { table: table(A, B), changed: ["id", "n"] });
  assert.deepEqual(reduce(table(A, B), { kind: "row.updated", key: "7", row: { ...B, n: 3 } }).changed, ["n"]);
  assert.deepEqual(reduce(table(A, B), { kind: "row.deleted", key: "a" }), { table: table(B), changed: [] });
  const same = table(A);
  assert.equal(reduce(same, { kind: "row.updated", key: "a", row: { ...A } }).table, same);
  assert.equal(reduce(same, { kind: "row.deleted", key: "x" }).table, same);
  const twice = table({ id: "a", n: 1 }, { id: "a", n: 2 });
  assert.deepEqual(reduce(twice, { kind: "row.updated", key: "a", row: { id: "a", n: 9 } }).table.rows, [
    { id: "a", n: 9 },
    { id: "a", n: 2 },
  ]);
});

test("applying events again, from anywhere, ends where it ended before", () => {
  const key = fc.constantFrom("a", "b", "c");
  const event = fc.oneof(
    key.map((name): FeedEvent => ({ kind: "row.deleted", key: name })),
    fc.tuple(key, fc.integer({ min: 0, max: 3 })).map(([name, n]): FeedEvent => ({ kind: "row.updated", key: name, row: { id: name, n } })),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 20 }), fc.nat(19), (events, from) => {
      const run = (start: Rows, list: readonly FeedEvent[]): Rows => list.reduce((all, one) => reduce(all, one).table, start);
      const byKey = (all: Rows): unknown => Object.fromEntries(all.rows.map((row) => [row["id"], row]));
      const end = run(table(A), events);
      assert.deepEqual(byKey(run(end, events.slice(from))), byKey(end));
      assert.equal(end.total, end.rows.length);
    }),
  );
});

test("what is no event is left alone", () => {
  for (const data of [
    "",
    "null",
    "{}",
    '{"table":1,"key":"a","row":{}}',
    '{"table":"t","key":"a"}',
    '{"table":"t","key":7,"row":{}}',
    "<b>",
  ])
    assert.equal(readEvent("row.updated", data), undefined, data);
  assert.deepEqual(readEvent("reset", '{"table":null,"reason":"history"}'), { kind: "reset", table: null });
  assert.deepEqual(readEvent("row.deleted", '{"table":"t","key":"a","version":3}'), {
    kind: "row.deleted",
    table: "t",
    key: "a",
    row: undefined,
  });
});

const entry = (more: Partial<Entry> = {}): Entry => ({ ...entryOf({ table: "t", key: "a", values: { n: 5 } }, "k1", 0), ...more });
const refusal = (status: number, wait = 0, code = "x"): Answer => ({ is: "refused", status, code, text: "why", wait });

test("a write is sent again under its name while nobody knows, and given up only when it is refused", () => {
  assert.deepEqual(answered(entry(), { is: "ok", body: { write: { id: "W", key: "a", state: "journaled" } } }, 0).is, "kept");
  const lost = answered(entry(), { is: "unreachable" }, 1_000);
  assert.deepEqual([lost.is, lost.why, lost.once], ["waiting", "unreachable", "k1"]);
  assert.ok((lost.until ?? 0) > 1_000 && (lost.until ?? 0) <= 2_000);
  const limited = answered(entry(), refusal(429, 12), 1_000);
  assert.deepEqual([limited.is, limited.why, limited.until], ["waiting", "limited", 13_000]);
  for (const status of [500, 502, 503, 504, 507]) assert.equal(answered(entry(), refusal(status, 2), 0).is, "waiting", String(status));
  for (const status of [400, 403, 404, 409, 412, 413, 422])
    assert.equal(answered(entry(), refusal(status), 0).is, "refused", String(status));
  assert.equal(answered(entry({ user: "Me" }), refusal(401), 0).why, "login");
  assert.equal(answered(entry(), refusal(401), 0).is, "refused");
});

test("looks become rarer until it is in the sheet, or refused by it", () => {
  const kept = answered(entry(), { is: "ok", body: { write: { id: "W", state: "journaled" } } }, 0);
  const [first, second] = [looked(kept, { state: "sent" }, 0), looked(looked(kept, { state: "sent" }, 0), { state: "sent" }, 0)];
  assert.ok((first.next ?? 0) < (second.next ?? 0));
  assert.equal(looked({ ...kept, tries: 50 }, { state: "sent" }, 0).next, 8_000);
  assert.equal(looked(kept, { state: "landed", at: "2026-01-01T00:00:00Z", landedAt: "2026-01-01T00:00:01Z" }, 0).is, "landed");
  assert.deepEqual(looked(kept, { state: "parked", reason: "no column" }, 0), {
    ...looked(kept, { state: "parked", reason: "no column" }, 0),
    is: "parked",
    text: "no column",
  });
});

test("what is due: in order for one row, in its time, and only by whom it is", () => {
  const names = (entries: readonly Entry[], now = 10, user?: string): string[] => due(entries, now, user).map(({ once }) => once);
  const of = (once: string, more: Partial<Entry>): Entry => entry({ once, ...more });
  assert.deepEqual(names([of("1", { is: "waiting", until: 20 }), of("2", {}), of("3", { key: "b" })]), ["3"]);
  assert.deepEqual(names([of("1", { is: "sending" }), of("2", {})]), []);
  assert.deepEqual(names([of("1", { key: undefined }), of("2", { key: undefined })]), ["1", "2"]);
  assert.deepEqual(names([of("1", { is: "waiting", until: 10 }), of("2", {})]), ["1"]);
  const mine = [of("1", { user: "Me", is: "waiting", why: "login", until: 99 })];
  assert.deepEqual([names(mine), names(mine, 10, "You"), names(mine, 10, "Me")], [[], [], ["1"]]);
  assert.deepEqual(names([of("1", { is: "landed" }), of("2", {})]), ["2"]);
});

test("one's own changes lie over the sheet's rows until they are accepted or refused", () => {
  const of = (more: Partial<Entry>): unknown => overlay([A], [entry(more)], table(A)).map(({ row }) => row);
  assert.deepEqual(of({}), [{ id: "a", n: 5 }]);
  assert.deepEqual(of({ is: "waiting" }), [{ id: "a", n: 5 }]);
  for (const is of ["kept", "landed", "refused", "parked"]) assert.deepEqual(of({ is }), [A], is);
  assert.deepEqual(of({ key: undefined, values: { n: 8 } }), [{ n: 8 }, A]);
  assert.deepEqual(of({ table: "other" }), [A]);
});

test("what outlives the page is what nobody has heard back of; garbage is nothing", () => {
  const kept = restore(store([entry({ is: "sending", tries: 3 }), entry({ is: "landed" }), entry({ is: "refused" })]));
  assert.deepEqual(
    kept.map(({ is, once, tries }) => [is, once, tries]),
    [["queued", "k1", 0]],
  );
  for (const text of [null, "", "{", "{}", "[null,1,{}]", '[{"once":1}]', '[{"once":"a","table":"t","values":null}]'])
    assert.deepEqual(restore(text), [], String(text));
});

const say = (name: string, values: Row = {}): string => `${name}${Object.keys(values).length === 0 ? "" : ` ${JSON.stringify(values)}`}`;
const calm = {
  session: { is: "none" },
  full: undefined,
  online: true,
  reach: "ok",
  limitedUntil: 0,
  now: 100_000,
  seenAt: 100_000,
  locale: "en",
  health: { upstream: "ok" },
  tables: {},
};
const ids = (more: Row): string[] => notices({ ...calm, ...more }, say).map(({ id }) => id);

test("nothing is said when all is well; otherwise what is, and when to come back", () => {
  assert.deepEqual(ids({}), []);
  assert.deepEqual(ids({ tables: { t: { readAt: 0, reason: "" } } }), [], "rows that are only being refreshed");
  assert.deepEqual(ids({ health: { upstream: "down" } }), ["away"]);
  assert.deepEqual(ids({ tables: { t: { readAt: 0, reason: "timeout" } } }), ["away"]);
  assert.deepEqual(ids({ tables: { t: { readAt: 0, reason: "broker" } } }), ["starting"]);
  assert.deepEqual(ids({ tables: { t: { readAt: 0, reason: "quota" } } }), ["quota"]);
  assert.deepEqual(ids({ online: false, reach: "unreachable", health: { upstream: "down" } }), ["offline"]);
  assert.deepEqual(ids({ reach: "unreachable" }), ["server"]);
  assert.deepEqual(ids({ session: { is: "ended", why: "taken-over" }, limitedUntil: 101_000 }), ["ended", "limited"]);
  const [full] = notices({ ...calm, full: { text: "Server full (2/2 …).", until: 130_000 } }, say);
  assert.deepEqual(
    [full?.text, full?.until, full?.action, full?.does],
    ["Server full (2/2 …).", 130_000, 'againIn {"time":"0:30"}', "enter"],
  );
  assert.deepEqual(notices({ ...calm, full: { text: "x", until: 100_000 } }, say)[0]?.action, "again");
});

test("a refused login is told as what it is, a full server in the server's own words", () => {
  const of = (status: number, code: string, wait = 0): unknown => refusalOf(refusal(status, wait, code), 1_000, say);
  assert.deepEqual(of(503, "full", 30), { kind: "full", title: "fullTitle", text: "why", more: "fullMore", until: 31_000 });
  assert.deepEqual(of(401, "bad-login"), { kind: "wrong", text: "badLogin" });
  assert.deepEqual(of(429, "too-many-logins", 60), { kind: "later", title: "limitedTitle", text: "limitedLogin", until: 61_000 });
  assert.deepEqual(of(503, "broker", 2), { kind: "later", title: "busyTitle", text: "why", until: 3_000 });
  assert.deepEqual(refusalOf({ is: "unreachable" }, 0, say), { kind: "later", title: "busyTitle", text: "unreachable" });
});
