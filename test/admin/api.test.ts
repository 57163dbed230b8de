/** What the admin API does, for those who may. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fc } from "../support/fast-check.ts";
import { pino } from "pino";
import { Access, SESSION_LASTS, TICKET_LASTS } from "../../src/admin/access/access.ts";
import { MOST_TOKENS } from "../../src/admin/access/tokens.ts";
import { ROUTES, type AdminRoute } from "../../src/admin/routes.ts";
import { digestOf, NO_KEYS } from "../../src/base/adminkeys.ts";
import { minutes, ms } from "../../src/base/units.ts";
import { readDashboardOrder } from "../../src/cli/dashboard-order.ts";
import { folder } from "../support/cleanup.ts";
import { adminWorld, alert, bearer, HandClock, OPERATOR, VIEWER } from "./world.ts";

test("each order reaches the master once, as it was given; the log says who did it", async (t) => {
  const w = await adminWorld(t);
  w.snapshot = { ...w.snapshot, alerts: [alert()] };
  const orders: readonly (readonly [string, unknown, string])[] = [
    ["reload", {}, "reload"],
    ["scale", { to: 3 }, "scale 3"],
    ["recycle", {}, "recycle all"],
    ["recycle", { slot: 1 }, "recycle 1"],
    ["stack", { slot: 0 }, "stack 0"],
    ["limits", { max_slots: 50 }, "maxSlots 50"],
    ["cache/purge", {}, "purge all"],
    ["cache/purge", { table: "players" }, "purge players"],
    ["slots/reap", {}, "reap"],
    ["slots/schedule", { do: "hold" }, "schedule hold"],
    ["slots/schedule", { do: "resume" }, "schedule resume"],
  ];
  for (const [path, body, expected] of orders) {
    const { status, json } = await w.ask(`/api/admin/${path}`, { method: "POST", headers: bearer(OPERATOR), body });
    assert.deepEqual([status, json["success"], w.orders.at(-1)], [200, true, expected]);
  }
  assert.equal(
    (await w.ask("/api/admin/alerts/ack", { method: "POST", headers: bearer(OPERATOR), body: { name: "capacity" } })).status,
    200,
  );
  assert.equal((await w.ask("/api/admin/alerts/ack", { method: "POST", headers: bearer(OPERATOR), body: { name: "other" } })).status, 409);
  assert.equal((await w.ask("/api/admin/reload", { method: "POST", headers: bearer(OPERATOR) })).json["generation"], 4);
  assert.equal(
    (await w.ask("/api/admin/cache/purge", { method: "POST", headers: bearer(OPERATOR), body: { table: "nowhere" } })).status,
    409,
  );
  const audit = w.lines.filter((line) => line["audit"] === true && line["action"] !== undefined);
  assert.equal(audit.length, orders.length + 4);
  assert.deepEqual(
    [audit[1]?.["action"], audit[1]?.["by"], audit[1]?.["via"], audit[1]?.["client"]],
    ["scale", "settings", "bearer", "192.0.2.1"],
  );
  assert.equal(
    w.timeline.since().filter(({ what }) => what === "action").length,
    orders.length + 1,
    "and that an alert was seen is told wherever it was said",
  );
});

test("writes that Google has refused: listed for a viewer, tried again and given up by an operator; unknown ones are 404", async (t) => {
  const w = await adminWorld(t);
  const at = w.snapshot.at;
  const row = (id: string) => ({ id, table: "players", op: "append" as const, key: "p1", reason: "no", at, parkedAt: at });
  w.aside = ["a", "b", "c"].map(row);
  const post = (verb: string, body: unknown, token = OPERATOR) =>
    w.ask(`/api/admin/writes/${verb}`, { method: "POST", headers: bearer(token), body });
  const listed = await w.ask("/api/admin/writes?most=2", { headers: bearer(VIEWER) });
  assert.deepEqual([listed.json["count"], (listed.json["writes"] as { id: string }[]).map(({ id }) => id)], [3, ["a", "b"]]);
  for (const most of ["0", "101", "x", "1.5", "", "-1"])
    assert.equal((await w.ask(`/api/admin/writes?most=${most}`, { headers: bearer(VIEWER) })).status, 422, most);
  assert.equal((await post("retry", { all: true }, VIEWER)).status, 403);
  for (const body of [
    {},
    { all: false },
    { all: "true" },
    { ids: [] },
    { ids: "a" },
    { ids: ["a"], all: true },
    { ids: [""] },
    { ids: [7] },
    { ids: ["x".repeat(65)] },
    { ids: Array.from({ length: 101 }, (_, i) => `w${i}`) },
  ])
    assert.equal((await post("retry", body)).status, 422, JSON.stringify(body));
  assert.deepEqual(w.orders, []);
  const gone = await post("retry", { ids: ["nobody"] });
  assert.deepEqual([gone.status, gone.json["code"], gone.json["unknown"]], [404, "unknown-write", ["nobody"]]);
  assert.equal((await post("retry", { ids: ["a", "a"] })).status, 200);
  assert.equal((await post("discard", { all: true })).status, 200);
  assert.deepEqual(w.orders, ["retry a", "discard all"]);
  const audit = w.lines.filter((line) => line["audit"] === true && String(line["action"]).startsWith("writes/"));
  assert.deepEqual(
    audit.slice(-3).map(({ action, outcome }) => [action, outcome]),
    [
      ["writes/retry", "refused"],
      ["writes/retry", "done"],
      ["writes/discard", "done"],
    ],
  );
});

test("absurd values are 422 with the bounds, whatever they are, and nothing is done", async (t) => {
  const w = await adminWorld(t);
  const numbers = [0, -1, 1.5, 257, 1e9, 1e300, "3", "", null, true, [3], { a: 1 }];
  const fields = [
    ["scale", "to", 1, 256],
    ["limits", "max_slots", 1, 100_000],
    ["recycle", "slot", 0, 1],
    ["stack", "slot", 0, 1],
  ] as const;
  for (const [path, field, least, most] of fields)
    for (const value of [...numbers, 100_001].filter((n) => typeof n !== "number" || !Number.isInteger(n) || n < least || n > most)) {
      const { status, json } = await w.ask(`/api/admin/${path}`, { method: "POST", headers: bearer(OPERATOR), body: { [field]: value } });
      assert.deepEqual([status, json["bounds"]], [422, { least, most }], `${path} ${JSON.stringify(value)}`);
    }
  for (const [path, body, expected] of [
    ["scale", "{", 400],
    ["scale", "[3]", 400],
    ["scale", "null", 400],
    ["scale", {}, 422],
    ["scale", { to: 3, too: 4 }, 422],
    ["recycle", { slto: 1 }, 422], // a slip of the pen must not mean "all"
    ["reload", { now: true }, 422],
    ["cache/purge", { table: "" }, 422],
    ["cache/purge", { table: "x".repeat(201) }, 422],
    ["scale", `{"to": 3${" ".repeat(5_000)}}`, 413],
  ] as const)
    assert.equal(
      (await w.ask(`/api/admin/${path}`, { method: "POST", headers: bearer(OPERATOR), body })).status,
      expected,
      `${path} ${JSON.stringify(body)}`,
    );
  w.clock.pass(ms(60_000));
  await fc.assert(
    fc.asyncProperty(fc.json(), async (body) => {
      w.clock.pass(ms(1_000));
      const { status } = await w.ask("/api/admin/scale", { method: "POST", headers: bearer(OPERATOR), body });
      const parsed: unknown = JSON.parse(body);
      const to = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? (parsed as { to?: unknown }).to : undefined;
      assert.ok(status === 422 || status === 400 || (status === 200 && Number.isInteger(to)), `${status} ${body}`);
    }),
    { numRuns: 60 },
  );
  assert.deepEqual(w.orders, []);
});

test("a link logs one browser in, once, and not after ten minutes", async (t) => {
  const w = await adminWorld(t);
  const login = (body: unknown, headers = {}) => w.ask("/api/admin/login", { method: "POST", body, headers });
  const ticket = w.access.ticket("operator");
  const first = await login({ ticket });
  assert.equal(first.status, 200);
  assert.match(first.headers["set-cookie"]?.[0] ?? "", /^drover-admin=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
  assert.equal((await login({ ticket })).status, 401);
  const late = w.access.ticket("operator");
  w.clock.pass(TICKET_LASTS);
  assert.equal((await login({ ticket: late })).status, 401);
  const other = w.access.ticket("operator");
  const reached = w.reached;
  for (const body of [
    { token: other },
    { ticket: OPERATOR },
    { ticket: other, token: OPERATOR },
    {},
    { ticket: 7 },
    { ticket: "" },
    "{",
    { ticket: other, x: 1 },
  ])
    assert.equal((await login(body, { "x-test-client": JSON.stringify(body).slice(0, 10) })).status, 401, JSON.stringify(body));
  assert.equal((await login({ ticket: other }, { origin: "https://evil.test" })).status, 403);
  assert.equal(w.reached, reached, "wrong logins end at the worker");
  assert.equal((await login({ ticket: other })).status, 200, "and use no link up");
});

test("a session: its cookie, its CSRF token, its end", async (t) => {
  const w = await adminWorld(t);
  const browser = await w.browser();
  const session = (cookie: string) => w.ask("/api/admin/session", { headers: { cookie } });
  assert.deepEqual((await session(browser.cookie)).json, {
    success: true,
    logged_in: true,
    role: "operator",
    name: "settings",
    csrf: browser["x-drover-csrf"],
  });
  const reached = w.reached;
  assert.deepEqual((await session("")).json, { success: true, logged_in: false });
  assert.equal(w.reached, reached);
  // A login while logged in: a new session, and the old one is over.
  const again = await w.ask("/api/admin/login", { method: "POST", headers: { cookie: browser.cookie }, body: { token: OPERATOR } });
  const cookie = again.headers["set-cookie"]?.[0]?.split(";", 1)[0] ?? "";
  assert.notEqual(cookie, browser.cookie);
  assert.equal((await w.ask("/api/admin/stats", { headers: { cookie: browser.cookie } })).status, 401);
  assert.equal((await w.ask("/api/admin/stats", { headers: { cookie } })).status, 200);
  // Used again and again it lasts twelve hours, and no longer.
  for (let passed = 0; passed < SESSION_LASTS; passed += 20 * 60_000) {
    assert.equal((await w.ask("/api/admin/capacity", { headers: { cookie } })).status, 200, `${passed}`);
    w.clock.pass(ms(20 * 60_000));
    w.access.sweep();
  }
  assert.equal((await w.ask("/api/admin/capacity", { headers: { cookie } })).status, 401);
  // Behind HTTPS the cookie has the name that browsers guard.
  const secure = await w.ask("/api/admin/login", { method: "POST", headers: { "x-forwarded-proto": "https" }, body: { token: OPERATOR } });
  assert.match(secure.headers["set-cookie"]?.[0] ?? "", /^__Host-drover-admin=[\w-]{43}; Path=\/; .*HttpOnly; SameSite=Strict; Secure$/);
  // A viewer's session is a viewer's.
  const viewer = await w.browser(VIEWER);
  assert.equal((await w.ask("/api/admin/reload", { method: "POST", headers: viewer })).status, 403);
});

test("a worker that has not heard of a login yet waits a moment for the news", async (t) => {
  const w = await adminWorld(t);
  w.patience = 10_000;
  w.deaf = true;
  const browser = await w.browser();
  const answer = w.ask("/api/admin/stats", { headers: browser });
  setTimeout(() => {
    w.deaf = false;
    w.push(w.access.keys());
  }, 20);
  assert.equal((await answer).status, 200);
});

test("the master believes no worker: it judges every request once more", async (t) => {
  const w = await adminWorld(t);
  for (const { method, path, needs } of ROUTES as readonly AdminRoute[]) {
    const request = { method, target: path, headers: { host: "localhost" }, body: "", client: "x", requestId: "y", secure: false };
    const { status } = await w.api.handle(request, "network");
    assert.equal(status, needs === "anyone" || needs === "session" ? 200 : 401, path);
    const foreign = await w.api.handle({ ...request, headers: { host: "evil.test", ...bearer(OPERATOR) } }, "network");
    assert.equal(foreign.status, needs === "anyone" ? 200 : 421, path);
    const large = await w.api.handle(
      { ...request, headers: { host: "localhost", ...bearer(OPERATOR) }, body: "x".repeat(5_000) },
      "network",
    );
    assert.equal(large.status, 413, path);
  }
  assert.deepEqual(w.orders, []);
});

test("whoever has the control socket is the operator, with no key and no Host", async (t) => {
  const w = await adminWorld(t);
  const ask = (method: string, target: string, body = "") =>
    w.api.handle({ method, target, headers: {}, body, client: "local", requestId: "", secure: false }, "control");
  assert.equal((await ask("GET", "/api/admin/stats")).status, 200);
  assert.equal((await ask("GET", "/metrics")).status, 200);
  assert.equal((await ask("POST", "/api/admin/scale", '{"to": 4}')).status, 200);
  assert.equal((await ask("POST", "/api/admin/scale", '{"to": 4000}')).status, 422);
  assert.equal((await ask("GET", "/api/admin/scale")).status, 405);
  assert.equal((await ask("GET", "/api/admin/else")).status, 404);
  assert.deepEqual(w.orders, ["scale 4"]);
});

test("a key that asks like mad is slowed down, not the master", async (t) => {
  const w = await adminWorld(t);
  const answers = await Promise.all(Array.from({ length: 150 }, () => w.ask("/api/admin/capacity", { headers: bearer(VIEWER) })));
  const counts = Map.groupBy(answers, ({ status }) => status);
  assert.ok((counts.get(200)?.length ?? 0) <= 100);
  assert.ok([429, 503].some((status) => counts.has(status)));
  w.clock.pass(ms(2_000));
  assert.equal((await w.ask("/api/admin/capacity", { headers: bearer(VIEWER) })).status, 200);
});

test("a viewer's flood keeps no operator out", async (t) => {
  const w = await adminWorld(t);
  const flood = Array.from({ length: 300 }, () => w.ask("/api/admin/capacity", { headers: bearer(VIEWER) }));
  const operator = Array.from({ length: 5 }, () => w.ask("/api/admin/stats", { headers: bearer(OPERATOR) }));
  assert.deepEqual(
    (await Promise.all(operator)).map(({ status }) => status),
    [200, 200, 200, 200, 200],
  );
  const statuses = Map.groupBy(await Promise.all(flood), ({ status }) => status);
  assert.ok(
    [429, 503].some((status) => statuses.has(status)),
    "the flood itself is bounded",
  );
});

test("names in Host are those of the settings now, where requests arrive and in the master", async (t) => {
  const w = await adminWorld(t);
  const ask = (host: string) => w.ask("/api/admin/capacity", { headers: { ...bearer(VIEWER), host } });
  assert.equal((await ask("new.example.org")).status, 421);
  w.hosts = ["new.example.org"];
  assert.equal((await ask("new.example.org")).status, 200);
  assert.equal((await ask("admin.example.org")).status, 421);
});

test("a fault of the API is a 500 with the request's id, and the next request is answered", async (t) => {
  const w = await adminWorld(t);
  const { snapshot } = w;
  w.snapshot = undefined as never;
  const { status, json } = await w.ask("/api/admin/stats", { headers: bearer(OPERATOR) });
  assert.deepEqual([status, json["code"], json["id"]], [500, "bug", "test"]);
  w.snapshot = snapshot;
  assert.equal((await w.ask("/api/admin/stats", { headers: bearer(OPERATOR) })).status, 200);
});

test("the first start makes a token; at rest there are digests; a token that is gone ends its sessions", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "drover-access-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const clock = new HandClock();
  const log = pino({ level: "silent" });
  let keys = NO_KEYS;
  const open = (operator?: string) =>
    new Access({ dataDir: dir, clock, log, configured: { operator, viewer: undefined }, changed: (now) => void (keys = now) });
  const first = open();
  assert.ok(first.isNew);
  const [note, file] = [join(dir, "admin-token"), join(dir, "admin-tokens.json")];
  assert.deepEqual(
    [note, file].map((path) => statSync(path).mode & 0o777),
    [0o600, 0o600],
  );
  const token = readFileSync(note, "utf8").trim();
  assert.match(token, /^drover_[\w-]{43}$/);
  assert.ok(!readFileSync(file, "utf8").includes(token));
  assert.ok(first.login({ token }));
  // Another start makes no other, and knows it without the note.
  rmSync(note);
  const second = open();
  assert.ok(!second.isNew && !existsSync(note));
  assert.ok(second.login({ token }));
  assert.equal(keys.sessions.length, 1);
  // A token of the settings takes its place: what was made with the old one ends.
  second.configure({ operator: `sha256:${Buffer.from(digestOf("the new one"), "base64url").toString("hex")}`, viewer: undefined });
  assert.equal(keys.sessions.length, 0);
  assert.equal(second.login({ token }), undefined);
  assert.ok(second.login({ token: "the new one" }));
  // One for a program, with an end.
  const scraper = second.token("viewer", "scraper", ms(1_000)) ?? "";
  assert.equal(second.login({ token: scraper })?.role, "viewer");
  clock.pass(ms(1_001));
  assert.equal(second.login({ token: scraper }), undefined);
  const kept = second.token("viewer", "kept", undefined) ?? "";
  assert.equal(open().login({ token: kept })?.name, "kept");
  assert.equal(second.revoke("kept"), 1);
  assert.equal(second.login({ token: kept }), undefined);
});

test("a token too many is refused: none that works is revoked for it, and one that has ended makes room", (t) => {
  const clock = new HandClock();
  const access = new Access({
    dataDir: folder(t),
    clock,
    log: pino({ level: "silent" }),
    configured: { operator: undefined, viewer: undefined },
    changed: () => {},
  });
  const ask = (body: Readonly<Record<string, unknown>>) => readDashboardOrder(body, { access, link: () => undefined });
  const first = access.keys().tokens[0];
  for (let nr = 2; nr < MOST_TOKENS; nr += 1) assert.ok(ask({ token: "viewer", name: `nr-${nr}` }).ok);
  assert.ok(ask({ token: "viewer", name: "a-day", days: 1 }).ok);
  const answer = ask({ token: "operator", name: "one-more" });
  assert.deepEqual([answer.ok, answer.message], [false, "there are 32 tokens: revoke one first, drover dashboard --revoke NAME"]);
  assert.deepEqual([access.keys().tokens[0], access.keys().tokens.length], [first, MOST_TOKENS]);
  clock.pass(minutes(24 * 60 + 1));
  assert.ok(ask({ token: "operator", name: "one-more" }).ok);
});

test("a client that leaves in the middle of a login's body is no fault and no line in the log", async (t) => {
  const w = await adminWorld(t);
  const { hostname, port } = new URL(w.url);
  const before = w.lines.length;
  for (let i = 0; i < 5; i += 1) {
    const socket = net.connect(Number(port), hostname);
    socket.write("POST /api/admin/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
    await once(socket, "connect");
    await w.ask("/api/admin/health"); // the worker has read the head by then
    socket.destroy();
    await once(socket, "close");
  }
  await w.ask("/api/admin/health");
  assert.deepEqual(w.lines.slice(before), []);
});
