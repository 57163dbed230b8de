import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { ANY_CHARACTER } from "../support/characters.ts";
import { fc } from "../support/fast-check.ts";
import { http } from "../../src/base/http.ts";
import { ms, seconds, type Timestamp } from "../../src/base/units.ts";
import type { WriteRefusal } from "../../src/sheets/writes.ts";
import { PLAYERS, players, sampleSheet, Sheet, world, type World } from "./world.ts";

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, never> & {
    readonly code?: string;
    readonly detail?: string;
    readonly column?: string;
    readonly row?: number;
  };
}

/** Tables for every right: one that all may write, a drop box, one that is only read, one of those who are signed in. */
function open(): Sheet {
  const sheet = sampleSheet();
  sheet.grant("players", { append: "public", update: "public" });
  sheet.table("box", "nobody", PLAYERS, [["CANARY-key", "CANARY-name", 7]]);
  sheet.grant("box", { append: "public", update: "public" });
  sheet.table("news", "public", PLAYERS, players(2));
  sheet.table("club", "public", PLAYERS, players(2));
  sheet.grant("club", { append: "signed-in", update: "own rows" });
  return sheet;
}

async function send(w: World, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const content = body === undefined ? {} : { body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body) };
  const type: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
  const response = await fetch(w.url + path, { method, headers: { ...type, ...headers }, ...(content as { body?: string }) });
  const text = await response.text();
  assert.equal(response.headers.get("cache-control"), "no-store", `${method} ${path}`);
  if (response.status >= 400) assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
  return { status: response.status, headers: response.headers, body: (text === "" ? {} : JSON.parse(text)) as Answer["body"] };
}

const FIRST = `01J${"0".repeat(23)}`;

test("a row is added: 201, where it is, its id, its key, and that it waits", async () => {
  await using w = await world(open());
  const { status, headers, body } = await send(w, "POST", "/api/tables/players", { id: "é/1", name: "Zoé", score: -0 });
  assert.equal(status, 201);
  assert.equal(headers.get("location"), "/api/tables/players/%C3%A9%2F1");
  assert.equal(headers.get("x-write-state"), "journaled");
  assert.equal(headers.get("x-write-delivery"), null);
  assert.equal(headers.get("idempotency-replayed"), null);
  assert.equal(headers.get("content-type"), "application/json; charset=utf-8");
  assert.ok(headers.get("x-request-id"));
  const at = new Date(1_780_000_001_000).toISOString();
  assert.deepEqual(body, { write: { id: FIRST, table: "players", op: "append", key: "é/1", state: "journaled", at } });
  assert.deepEqual(w.sheet.asked, [
    { request: { table: "players", changes: [{ op: "append", values: { id: "é/1", name: "Zoé", score: 0 } }] }, wait: "journal" },
  ]);
  const row = await (await fetch(w.url + (headers.get("location") ?? ""))).json();
  assert.deepEqual(row, { table: "players", row: { id: "é/1", name: "Zoé", score: 0 } });
  const state = await send(w, "GET", `/api/writes/${FIRST}`);
  assert.deepEqual([state.status, state.body, state.headers.get("x-write-state")], [200, body, "journaled"]);
});

test("without a key the write's id is the key; keys that no path can name are found by their write", async () => {
  await using w = await world(open());
  assert.equal((await send(w, "POST", "/api/tables/players", { name: "x" })).headers.get("location"), `/api/tables/players/${FIRST}`);
  const dots = await send(w, "POST", "/api/tables/players", { id: ".." });
  assert.equal(dots.headers.get("location"), `/api/writes/${FIRST.slice(0, -1)}1`);
});

test("several rows: all of them or none, and the row that is wrong is counted", async () => {
  await using w = await world(open());
  const { status, headers, body } = await send(w, "POST", "/api/tables/players", [{ id: "a" }, { id: "b" }]);
  assert.deepEqual([status, headers.get("location")], [201, null]);
  assert.deepEqual(
    (body as unknown as { writes: { key: string }[] }).writes.map((write) => write.key),
    ["a", "b"],
  );
  const wrong = await send(w, "POST", "/api/tables/players", [{ id: "c" }, { id: "d", nope: 1 }]);
  assert.deepEqual([wrong.status, wrong.body.code, wrong.body.column, wrong.body.row], [422, "invalid", "nope", 1]);
  assert.equal(w.sheet.rows("players").has("c"), false);
  const twice = await send(w, "POST", "/api/tables/players", [{ id: "e" }, { id: "e" }]);
  assert.deepEqual([twice.status, twice.body.code, twice.body.row], [409, "duplicate-key", 1]);
  const alone = await send(w, "POST", "/api/tables/players", { id: "a" });
  assert.deepEqual([alone.status, alone.body.code, alone.body.row], [409, "duplicate-key", undefined]);
  const most = Array.from({ length: 500 }, (_, i) => ({ id: `m${i}` }));
  assert.equal((await send(w, "POST", "/api/tables/players", most)).status, 201);
  const beyond = await send(w, "POST", "/api/tables/players", [...most, { id: "one more" }]);
  assert.deepEqual([beyond.status, beyond.body.code], [413, "too-many-rows"]);
});

test("a row is changed and deleted; other cells stay", async () => {
  await using w = await world(open());
  const changed = await send(w, "PATCH", "/api/tables/players/p2", { score: null, name: "=1+1" });
  assert.deepEqual([changed.status, changed.headers.get("x-write-state"), changed.headers.get("location")], [200, "journaled", null]);
  assert.deepEqual(w.sheet.rows("players").get("p2"), ["p2", "=1+1", null]);
  const gone = await send(w, "DELETE", "/api/tables/players/p2");
  assert.deepEqual([gone.status, (gone.body as unknown as { write: { op: string } }).write.op], [200, "delete"]);
  assert.equal((await fetch(`${w.url}/api/tables/players/p2`)).status, 404);
  for (const method of ["PATCH", "DELETE"]) {
    const again = await send(w, method, "/api/tables/players/p2", method === "PATCH" ? { score: 1 } : undefined);
    assert.deepEqual([again.status, again.body.code], [404, "unknown-key"]);
  }
  const several = await send(w, "PATCH", "/api/tables/players/p1", [{ score: 1 }]);
  assert.deepEqual([several.status, several.body.code], [422, "invalid"]);
  const body = await send(w, "DELETE", "/api/tables/players/p1", { score: 1 });
  assert.deepEqual([body.status, body.body.code], [400, "body"]);
  assert.equal((await send(w, "DELETE", "/api/tables/players/p1", undefined, { "content-type": "application/json" })).status, 200);
});

test("If-Match: the tag that GET gives, in any encoding; * ; lists; what is weak or another's is 412", async () => {
  await using w = await world(open());
  const tag = async () => (await fetch(`${w.url}/api/tables/players/p1`)).headers.get("etag") ?? "";
  const patch = async (match: string) => (await send(w, "PATCH", "/api/tables/players/p1", { score: 5 }, { "if-match": match })).status;
  const old = await tag();
  assert.equal(await patch(old), 200);
  const now = await tag();
  assert.notEqual(now, old);
  for (const [header, status] of [
    [now, 200],
    [old, 412],
    ["*", 200],
    [" * ", 200],
    ['"x"', 412],
    [`W/${now}`, 412],
    [`"x", W/"y" ,${now}`, 200],
    [now.replace(/"$/, '-br"'), 200],
    [now.replace(/"$/, '-gz"'), 200],
    [now.replace(/"$/, '-zz"'), 412],
    ['""', 412],
    [`"${"x".repeat(5_000)}"`, 412],
    [Array.from({ length: 300 }, (_, i) => `"${i}"`).join(), 412],
  ] as const)
    assert.equal(await patch(header), status, header);
  for (const header of [
    "",
    "x",
    '"x',
    'w/"x"',
    '"a" "b"',
    '*, "x"',
    Array.from({ length: 9 }, (_, i) => `"${String(i).padStart(20, "x")}"`).join(),
  ]) {
    const { status, body } = await send(w, "PATCH", "/api/tables/players/p1", { score: 5 }, { "if-match": header });
    assert.deepEqual([header, status, body.code], [header, 400, "bad-header"]);
  }
  const conflict = await send(w, "DELETE", "/api/tables/players/p1", undefined, { "if-match": '"x"' });
  assert.deepEqual([conflict.status, conflict.body.code], [412, "changed"]);
  assert.equal((await send(w, "DELETE", "/api/tables/players/nope", undefined, { "if-match": '"x"' })).status, 404);
  assert.equal((await send(w, "DELETE", "/api/tables/players/p1", undefined, { "if-match": await tag() })).status, 200);
  assert.equal((await send(w, "POST", "/api/tables/players", { id: "n" }, { "if-match": "*" })).status, 400);
  assert.equal((await send(w, "POST", "/api/tables/players", { id: "n" }, { "if-none-match": "*" })).status, 400);
  assert.equal(w.sheet.rows("players").has("n"), false);
});

test("Idempotency-Key: the first answer again; another body, key or method is 422", async () => {
  await using w = await world(open());
  const post = (body: unknown, key: string, query = "") => send(w, "POST", `/api/tables/players${query}`, body, { "idempotency-key": key });
  const first = await post({ id: "once" }, "8e03978e-40d5-43dd-bc93-6894a57f9324");
  const again = await post({ id: "once" }, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "?wait=journal");
  assert.deepEqual([again.status, again.body], [201, first.body]);
  assert.equal(again.headers.get("location"), first.headers.get("location"));
  assert.equal(again.headers.get("idempotency-replayed"), "true");
  for (const [method, path, body] of [
    ["POST", "/api/tables/players", { id: "other" }],
    ["POST", "/api/tables/players", '{"id": "once"}'],
    ["PATCH", "/api/tables/players/once", { id: "once" }],
    ["DELETE", "/api/tables/players/once", undefined],
    ["POST", "/api/tables/box", { id: "once" }],
  ] as const) {
    const reused = await send(w, method, path, body, { "idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324" });
    assert.deepEqual([reused.status, reused.body.code], [422, "reused-key"], `${method} ${path}`);
  }
  for (const key of ["", " ", "a b", '"', '""', "é", "a".repeat(256), `"${"a".repeat(256)}"`, '"a', "a, b"]) {
    const response = await post({ id: "never" }, key).catch((reason: unknown) => String(reason)); // fetch itself refuses some
    if (typeof response !== "string") assert.deepEqual([key, response.status, response.body.code], [key, 400, "bad-header"]);
  }
  assert.equal((await post({ id: "long" }, "a".repeat(255))).status, 201);
  assert.equal(w.sheet.rows("players").has("never"), false);
});

test("?wait=sheet: as without when the sheet has it, 202 when not in time or not at all", async () => {
  await using w = await world(open());
  w.sheet.outcome = { state: "landed", landedAt: 1_780_000_002_000 as Timestamp };
  const landed = await send(w, "POST", "/api/tables/players?wait=sheet", { id: "a" });
  assert.deepEqual([landed.status, landed.headers.get("x-write-state")], [201, "landed"]);
  assert.equal((landed.body as unknown as { write: { landedAt: string } }).write.landedAt, new Date(1_780_000_002_000).toISOString());
  assert.equal(w.sheet.asked.at(-1)?.wait, "sheet");
  assert.equal((await send(w, "DELETE", "/api/tables/players/a?wait=sheet")).status, 200);
  w.sheet.outcome = { state: "sent" };
  const late = await send(w, "POST", "/api/tables/players?wait=sheet", [{ id: "b" }]);
  assert.deepEqual([late.status, late.headers.get("x-write-state")], [202, "sent"]);
  w.sheet.outcome = { state: "parked", reason: `You are trying to edit a protected cell ${"x".repeat(900)}` };
  const parked = await send(w, "PATCH", "/api/tables/players/b?wait=sheet", { score: 1 });
  assert.deepEqual([parked.status, parked.headers.get("x-write-state")], [202, "parked"]);
  const { reason } = (parked.body as unknown as { write: { reason: string } }).write;
  assert.deepEqual([reason.slice(0, 39), reason.length], ["You are trying to edit a protected cell", 500]);
  for (const query of ["wait=", "wait=Sheet", "wait=sheet&wait=sheet", "x=1", "wait=%ff"]) {
    const bad = await send(w, "POST", `/api/tables/players?${query}`, { id: "c" });
    assert.deepEqual([query, bad.status, bad.body.code], [query, 400, "bad-parameter"]);
  }
});

test("a spreadsheet that can't fence is said with each write", async () => {
  await using w = await world(open());
  w.sheet.delivery = "at-least-once";
  assert.equal((await send(w, "POST", "/api/tables/players", { id: "a" })).headers.get("x-write-delivery"), "at-least-once");
});

test("each refusal has its status, and the operator's words stay inside", async () => {
  await using w = await world(open());
  const canary = "CANARY /var/lib/drover robot@x.iam.gserviceaccount.com";
  for (const [refusal, status, code, wait] of [
    [{ reason: "unknown-table", message: canary }, 404, "unknown-table", null],
    [{ reason: "unknown-key", message: canary }, 404, "unknown-key", null],
    [{ reason: "conflict", message: canary }, 412, "changed", null],
    [{ reason: "reused-key", message: canary }, 422, "reused-key", null],
    [{ reason: "full", message: canary, retryAfter: ms(4_200) }, 503, "full", "5"],
    [{ reason: "disk", message: canary }, 507, "disk", "5"],
    [{ reason: "away", message: "the broker has left: nothing was written", retryAfter: seconds(1) }, 503, "broker", "1"],
    [{ reason: "not-writable", message: canary, retryAfter: seconds(2) }, 503, "never-loaded", "2"],
    [{ reason: "not-writable", message: canary }, 403, "not-writable", null],
    [{ reason: "invalid", message: "too long", column: "name", nr: 0 }, 422, "invalid", null],
    [{ reason: "duplicate-key", message: "there is one" }, 409, "duplicate-key", null],
  ] as const satisfies readonly (readonly [WriteRefusal, number, string, string | null])[]) {
    w.sheet.refuse = refusal;
    const { status: got, body, headers } = await send(w, "PATCH", "/api/tables/players/p1", { score: 1 });
    assert.deepEqual([refusal.reason, got, body.code, headers.get("retry-after")], [refusal.reason, status, code, wait]);
    assert.doesNotMatch(JSON.stringify(body), /CANARY|gserviceaccount|\/var/);
    assert.equal(body.row, undefined);
  }
  assert.equal(w.log.filter((line) => line.includes("CANARY")).length, 1, "the operator is told once");
});

test("who may not write is told the same as who may not read: 404, 401, or 405 where the table is no secret", async () => {
  await using w = await world(open());
  const nobody = await send(w, "POST", "/api/tables/secrets", { id: "x" });
  const unknown = await send(w, "POST", "/api/tables/nothere", { id: "x" });
  assert.deepEqual([nobody.status, unknown.status], [404, 404]);
  assert.equal(nobody.body.detail?.replaceAll("secrets", "?"), unknown.body.detail?.replaceAll("nothere", "?"));
  for (const [method, path] of [
    ["PATCH", "/api/tables/secrets/s1"],
    ["DELETE", "/api/tables/secrets/s1"],
  ] as const)
    assert.equal((await send(w, method, path, method === "PATCH" ? { hush: "x" } : undefined)).status, 404);
  for (const [method, path] of [
    ["POST", "/api/tables/club"],
    ["PATCH", "/api/tables/club/p1"],
    ["DELETE", "/api/tables/club/p1"],
  ] as const) {
    const { status, body, headers } = await send(w, method, path, method === "DELETE" ? undefined : { name: "x" });
    assert.deepEqual([status, body.code, headers.has("www-authenticate")], [401, "not-public", true]);
  }
  for (const [method, path] of [
    ["POST", "/api/tables/news"],
    ["PATCH", "/api/tables/news/p1"],
    ["DELETE", "/api/tables/news/p1"],
  ] as const) {
    const { status, body, headers } = await send(w, method, path, method === "DELETE" ? undefined : { name: "x" });
    assert.deepEqual([status, body.code, headers.get("allow")], [405, "method", "GET, HEAD, OPTIONS"]);
  }
  assert.deepEqual(w.sheet.asked, []);
  assert.deepEqual(w.sheet.wants, [], "nothing is fetched for it");
});

test("Allow says what this table lets anybody do, and nothing of private ones", async () => {
  await using w = await world(open());
  for (const [path, allow] of [
    ["/api/tables/players", "GET, HEAD, OPTIONS, POST"],
    ["/api/tables/pl%61yers", "GET, HEAD, OPTIONS, POST"],
    ["/api/tables/players/p1", "DELETE, GET, HEAD, OPTIONS, PATCH"],
    ["/api/tables/box", "OPTIONS, POST"],
    ["/api/tables/box/x", "DELETE, OPTIONS, PATCH"],
    ["/api/tables/club", "GET, HEAD, OPTIONS, POST"],
    ["/api/tables/news", "GET, HEAD, OPTIONS"],
    ["/api/tables/secrets", "GET, HEAD, OPTIONS"],
    ["/api/tables/nothere", "GET, HEAD, OPTIONS"],
    ["/api/tables/secrets/x", "GET, HEAD, OPTIONS"],
    [`/api/writes/${FIRST}`, "GET, HEAD, OPTIONS"],
  ] as const) {
    const options = await send(w, "OPTIONS", path);
    assert.deepEqual([path, options.status, options.headers.get("allow")], [path, 204, allow]);
    const put = await send(w, "PUT", path, { id: "x" });
    assert.deepEqual([path, put.status, put.headers.get("allow")], [path, 405, allow]);
  }
  const read = await send(w, "GET", "/api/tables/box");
  assert.deepEqual([read.status, read.body.code, read.headers.get("allow")], [405, "method", "OPTIONS, POST"]);
  assert.equal((await send(w, "GET", "/api/tables/box/CANARY-key")).status, 405);
  const head = await send(w, "HEAD", `/api/writes/${FIRST}`);
  assert.equal(head.status, 404);
});

test("a drop box takes rows and shows none: no key, no place, no words of Google's, no tag to try", async () => {
  await using w = await world(open());
  w.sheet.outcome = { state: "parked", reason: "CANARY: protected" };
  const added = await send(w, "POST", "/api/tables/box", { id: "mine", name: "x" });
  assert.deepEqual([added.status, added.headers.get("location")], [201, `/api/writes/${FIRST}`]);
  const state = await send(w, "GET", `/api/writes/${FIRST}`);
  assert.deepEqual(state.body, added.body);
  assert.doesNotMatch(JSON.stringify([added.body, state.body]), /mine|CANARY/);
  const asked = w.sheet.asked.length;
  const guess = await send(w, "PATCH", "/api/tables/box/CANARY-key", { score: 8 }, { "if-match": '"guess"' });
  assert.deepEqual([guess.status, w.sheet.asked.length], [412, asked]);
  assert.equal((await send(w, "PATCH", "/api/tables/box/CANARY-key", { score: 8 }, { "if-match": "*" })).status, 200);
  assert.deepEqual(w.sheet.wants, []);
});

test("before the broker has said which tables there are: 503, and the body is not read", async () => {
  const sheet = open();
  sheet.listen = (events) => void (sheet.events = events);
  await using w = await world(sheet);
  for (const [method, path] of [
    ["POST", "/api/tables/players"],
    ["DELETE", "/api/tables/players/p1"],
    ["GET", `/api/writes/${FIRST}`],
  ] as const) {
    const { status, body, headers } = await send(w, method, path, method === "POST" ? "no JSON" : undefined);
    assert.deepEqual([method, status, body.code, headers.get("retry-after")], [method, 503, "broker", "1"]);
  }
});

test("GET /api/writes: only what is a write, of a table that strangers have to do with", async () => {
  await using w = await world(open());
  await send(w, "POST", "/api/tables/players", { id: "a" });
  for (const id of ["x", FIRST.toLowerCase(), `${FIRST}0`, `01J${"0".repeat(22)}9`, "__proto__"]) {
    const { status, body } = await send(w, "GET", `/api/writes/${id}`);
    assert.deepEqual([status, body.code], [404, "unknown-write"], id);
  }
  assert.equal((await send(w, "GET", `/api/writes/${FIRST}?x=1`)).status, 400);
  w.sheet.unfindable = { table: "*", reason: "broker", message: "CANARY", retryAfter: seconds(1) };
  const away = await send(w, "GET", `/api/writes/${FIRST}`);
  assert.deepEqual([away.status, away.body.code, away.headers.get("retry-after")], [503, "broker", "1"]);
  assert.doesNotMatch(JSON.stringify(away.body), /CANARY|list of tables/);
  w.sheet.unfindable = undefined;
  w.sheet.table("players", "nobody", PLAYERS, []);
  assert.equal((await send(w, "GET", `/api/writes/${FIRST}`)).status, 404);
});

test("only JSON by name: what a form of another site can send is 415", async () => {
  await using w = await world(open());
  for (const type of [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "text/json",
    "application/json, text/plain",
    "application/json; charset=latin1",
    "application/merge-patch+json",
    "x",
    "",
  ])
    for (const [method, path] of [
      ["POST", "/api/tables/players"],
      ["PATCH", "/api/tables/players/p1"],
    ] as const) {
      const { status, body, headers } = await send(w, method, path, '{"name":"x"}', { "content-type": type });
      assert.deepEqual([type, status, body.code, headers.get("accept")], [type, 415, "media-type", "application/json"]);
    }
  for (const type of ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"'])
    assert.equal((await send(w, "PATCH", "/api/tables/players/p1", { name: "x" }, { "content-type": type })).status, 200, type);
  const packed = await send(w, "POST", "/api/tables/players", gzipSync('{"id":"z"}'), { "content-encoding": "gzip" });
  assert.deepEqual([packed.status, packed.headers.get("accept-encoding")], [415, "identity"]);
  const none = await send(w, "POST", "/api/tables/players");
  assert.deepEqual([none.status, none.body.code], [400, "not-json"]);
  const cross = await send(w, "OPTIONS", "/api/tables/players", undefined, {
    origin: "https://evil.test",
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type",
  });
  assert.equal(
    [...cross.headers.keys()].some((name) => name.startsWith("access-control")),
    false,
  );
});

test("bodies over a million bytes: 413, with and without a length", async () => {
  await using w = await world(open());
  const large = JSON.stringify({ id: "x".repeat(1_000_000) });
  const { status, body } = await send(w, "POST", "/api/tables/players", large);
  assert.deepEqual([status, body.code], [413, "body-too-large"]);
  const chunked = await new Promise<number>((resolve, reject) => {
    const req = http.request(`${w.url}/api/tables/players`, { method: "POST", headers: { "content-type": "application/json" } }, (res) => {
      res.resume();
      resolve(res.statusCode ?? 0);
    });
    req.on("error", reject);
    for (let at = 0; at < large.length; at += 65_536) req.write(large.slice(at, at + 65_536));
    req.end();
  }).catch((error: { code?: string }) => error.code);
  assert.ok(chunked === 413 || chunked === "EPIPE" || chunked === "ECONNRESET", String(chunked));
  assert.deepEqual(w.sheet.asked, []);
});

for (const [body, status, code, column] of [
  ["", 400, "not-json", undefined],
  ["{", 400, "not-json", undefined],
  ["{}}", 400, "not-json", undefined],
  ['{"name":"x",}', 400, "not-json", undefined],
  ["{'name':1}", 400, "not-json", undefined],
  ["{name:1}", 400, "not-json", undefined],
  ['{"name":NaN}', 400, "not-json", undefined],
  ['{"name":Infinity}', 400, "not-json", undefined],
  ['{"name":01}', 400, "not-json", undefined],
  ['{"name":.5}', 400, "not-json", undefined],
  ['{"name":+1}', 400, "not-json", undefined],
  ['{"name":1.}', 400, "not-json", undefined],
  ['{"name":undefined}', 400, "not-json", undefined],
  ['{"name":"\\x"}', 400, "not-json", undefined],
  ['{"name":"\n"}', 400, "not-json", undefined],
  ['{"name":"x', 400, "not-json", undefined],
  ['{"name":"x\\', 400, "not-json", undefined],
  ['{"name":1}/* */', 400, "not-json", undefined],
  ['[{"name":1}', 400, "not-json", undefined],
  ['[{"name":1},]', 400, "not-json", undefined],
  [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400, "not-json", undefined],
  ["[]", 422, "invalid", undefined],
  ["null", 422, "invalid", undefined],
  ["1", 422, "invalid", undefined],
  ['"x"', 422, "invalid", undefined],
  ["[[]]", 422, "invalid", undefined],
  ["[1]", 422, "invalid", undefined],
  ['{"name":{}}', 422, "invalid", "name"],
  ['{"name":[1]}', 422, "invalid", "name"],
  [`{"name":${"[".repeat(500_000)}`, 422, "invalid", "name"],
  ["[".repeat(900_000), 422, "invalid", undefined],
  [`{"name":${'{"a":'.repeat(100_000)}`, 422, "invalid", "name"],
  ['{"name":1,"name":1}', 422, "invalid", "name"],
  ['{"name":1,"n\\u0061me":1}', 422, "invalid", "name"],
  ['{"name":9007199254740993}', 422, "invalid", "name"],
  ['{"name":-9007199254740993}', 422, "invalid", "name"],
  ['{"name":1e400}', 422, "invalid", "name"],
  ['{"name":1e-400}', 422, "invalid", "name"],
  ['{"name":0.1000000000000000055511151231257827}', 422, "invalid", "name"],
  [`{"name":1${"0".repeat(900_000)}}`, 422, "invalid", "name"],
  ['{"name":"\\ud800"}', 422, "invalid", "name"],
  ['{"name":"x\\udc00\\ud800y"}', 422, "invalid", "name"],
  ['{"\\ud800":1}', 422, "invalid", undefined],
  [JSON.stringify(Object.fromEntries(Array.from({ length: 18_279 }, (_, i) => [`c${i}`, 0]))), 422, "invalid", undefined],
  ['{"name":tru}', 400, "not-json", undefined],
  ['{"name":nul', 400, "not-json", undefined],
  ['{"name":"\\u12"}', 400, "not-json", undefined],
  ['{"__proto__":{"polluted":1}}', 422, "invalid", "__proto__"],
  ['{"__proto__":1}', 422, "invalid", "__proto__"],
  ['{"constructor":"x"}', 422, "invalid", "constructor"],
  ['{"toString":null}', 422, "invalid", "toString"],
] as const)
  test(`the body ${String(body).slice(0, 50)} is ${status}`, async () => {
    await using w = await world(open());
    const answer = await send(w, "POST", "/api/tables/players", body === "" ? new Uint8Array(0) : body);
    assert.deepEqual([answer.status, answer.body.code, answer.body.column], [status, code, column]);
    assert.ok((answer.body.detail?.length ?? 0) < 400);
    assert.equal(Object.hasOwn(Object.prototype, "polluted"), false);
    assert.equal(w.sheet.rows("players").size, 12);
  });

test("numbers are taken that a double holds as they are written", async () => {
  await using w = await world(open());
  for (const [text, number] of [
    ["9007199254740991", 9007199254740991],
    ["9007199254740992", 9007199254740992],
    ["-0", 0],
    ["-0.0e5", 0],
    ["0.1", 0.1],
    ["0.30000000000000004", 0.30000000000000004],
    ["100e-2", 1],
    ["1.50", 1.5],
    ["1E3", 1000],
    ["1e21", 1e21],
    ["5e-324", 5e-324],
    ["1.7976931348623157e308", 1.7976931348623157e308],
  ] as const) {
    assert.equal((await send(w, "PATCH", "/api/tables/players/p1", `{"score": ${text} }`)).status, 200, text);
    const [change] = w.sheet.asked.at(-1)?.request.changes ?? [];
    assert.ok(change?.op === "update" && Object.is(change.values["score"], number), text);
  }
});

test("a body that is refused unread is never taken for the next request", async () => {
  await using w = await world(open());
  const { port } = new URL(w.url);
  const hidden = "GET /api/tables/secrets HTTP/1.1\r\nHost: x\r\n\r\n";
  const requests = ["news", "players", "secrets"].map(
    (table) =>
      `POST /api/tables/${table} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  );
  const socket = connect(Number(port), "127.0.0.1");
  socket.write(`${requests.join("")}GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  assert.deepEqual(
    [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status),
    ["405", "415", "404", "200"],
  );
});

const cell = fc.oneof(
  fc.string({ unit: ANY_CHARACTER, maxLength: 20 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const row = fc.dictionary(fc.oneof(fc.constantFrom("id", "name", "score"), fc.string({ unit: ANY_CHARACTER })), cell, { maxKeys: 5 });

test("what is taken is what was sent, and nothing that is sent makes the service fail", async () => {
  await using w = await world(open());
  w.sheet.refuse = { reason: "full", message: "seen" };
  const spaced = (value: unknown, indent: string) => JSON.stringify(value, null, indent);
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 4 }), fc.constantFrom("", "\t", " \n"), async (rows, indent) => {
      w.sheet.asked.length = 0;
      const { status } = await send(w, "POST", "/api/tables/players", spaced(rows, indent));
      assert.equal(status, 503);
      const values = w.sheet.asked[0]?.request.changes.map((change) => (change.op === "append" ? change.values : undefined));
      assert.equal(JSON.stringify(values), JSON.stringify(rows));
    }),
    { numRuns: 150 },
  );
});

test("a body that is not what it should be is refused exactly where JSON.parse refuses it, or for a reason that is named", async () => {
  await using w = await world(open());
  w.sheet.refuse = { reason: "full", message: "seen" };
  const mangled = fc
    .tuple(
      fc.oneof(fc.array(row, { minLength: 1, maxLength: 2 }), row, fc.jsonValue()),
      fc.nat(),
      fc.nat(4),
      fc.constantFrom("{", "}", "[", "]", '"', ",", ":", "\\", "u", "e", "0", "-", ".", "n", "\u0000", " "),
    )
    .map(([value, at, cut, put]) => {
      const text = JSON.stringify(value);
      const from = at % (text.length + 1);
      return (text.slice(0, from) + put + text.slice(from + cut)).toWellFormed();
    });
  const bytes = fc.uint8Array({ maxLength: 60 }).map((b) => b);
  await fc.assert(
    fc.asyncProperty(fc.oneof({ weight: 4, arbitrary: mangled }, { weight: 1, arbitrary: bytes }), async (body) => {
      w.sheet.asked.length = 0;
      const { status, body: answer } = await send(w, "POST", "/api/tables/players", body);
      assert.ok([400, 413, 422, 503].includes(status), String(status));
      const [asked] = w.sheet.asked;
      assert.equal(asked !== undefined, status === 503);
      if (asked !== undefined) {
        const parsed: unknown = JSON.parse(typeof body === "string" ? body : Buffer.from(body).toString());
        const rows = Array.isArray(parsed) ? parsed : [parsed];
        assert.equal(
          JSON.stringify(asked.request.changes.map((change) => (change.op === "append" ? change.values : 0))),
          JSON.stringify(rows),
        );
      } else if (answer.code === "not-json")
        assert.throws(() => JSON.parse(typeof body === "string" ? body : new TextDecoder("utf-8", { fatal: true }).decode(body)));
    }),
    { numRuns: 400 },
  );
});

interface Document {
  readonly info: { readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: Readonly<
    Record<string, Readonly<Record<string, { readonly properties?: object; readonly additionalProperties?: unknown }>>>
  >;
}

/** @returns every `$ref` that leads nowhere. */
function broken(document: unknown): readonly string[] {
  const found: string[] = [];
  JSON.stringify(document, (name, value: unknown) => {
    if (name !== "$ref") return value;
    const [, ...steps] = String(value).split("/");
    let at: unknown = document;
    for (const step of steps) at = (at as Record<string, unknown> | undefined)?.[step];
    if (at === undefined) found.push(String(value));
    return value;
  });
  return found;
}

test("OpenAPI: each operation that strangers have, and no column of a table that they may not see", async () => {
  await using w = await world(open());
  const document = (await (await fetch(`${w.url}/api/openapi.json`)).json()) as Document;
  const operations = Object.entries(document.paths).map(([path, methods]) => `${path} ${Object.keys(methods).join()}`);
  assert.deepEqual(operations.toSorted(), [
    "/api/events get",
    "/api/tables get",
    "/api/tables/box post",
    "/api/tables/box/{key} patch,delete",
    "/api/tables/club get",
    "/api/tables/club/export get",
    "/api/tables/club/{key} get",
    "/api/tables/news get",
    "/api/tables/news/export get",
    "/api/tables/news/{key} get",
    "/api/tables/players get,post",
    "/api/tables/players/export get",
    "/api/tables/players/{key} get,patch,delete",
    "/api/writes/{id} get",
    "/healthz get",
  ]);
  assert.deepEqual(broken(document), []);
  const { "input.players": players = {}, "input.box": box = {}, "row.box": none } = document.components["schemas"] ?? {};
  assert.deepEqual(Object.keys(players.properties ?? {}), ["id", "name", "score"]);
  assert.deepEqual([box.properties, none], [undefined, undefined]);
  assert.ok(players.additionalProperties);
  assert.doesNotMatch(JSON.stringify(document), /CANARY|secrets|members/);
  assert.equal(w.sheet.wants.includes("box"), false);
});

test("OpenAPI: where nothing can be written nothing is said of writing", async () => {
  await using w = await world(sampleSheet());
  const document = (await (await fetch(`${w.url}/api/openapi.json`)).json()) as Document;
  assert.deepEqual(broken(document), []);
  assert.doesNotMatch(JSON.stringify(document), /"Write"|Idempotency|post"/);
});
