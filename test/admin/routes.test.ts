/** Every route of the table, asked by everybody who may not. */
import assert from "node:assert/strict";
import test from "node:test";
import { ROUTES, type AdminRoute } from "../../src/admin/routes.ts";
import { SESSION_IDLE } from "../../src/admin/access/access.ts";
import { after, ms } from "../../src/base/units.ts";
import { statusWith } from "../cli/statuses.ts";
import { adminWorld, bearer, OPERATOR, VIEWER, type AdminWorld, type Ask } from "./world.ts";

const routes: readonly AdminRoute[] = ROUTES;
const guarded = routes.filter(({ needs }) => needs === "viewer" || needs === "operator");
/** A body that the route would take. */
const BODIES: Readonly<Record<string, unknown>> = {
  "/api/admin/scale": { to: 3 },
  "/api/admin/stack": { slot: 0 },
  "/api/admin/limits": { max_slots: 50 },
  "/api/admin/slots/schedule": { do: "hold" },
  "/api/admin/alerts/ack": { name: "capacity" },
  "/api/admin/writes/retry": { all: true },
  "/api/admin/writes/discard": { all: true },
};
const ask = ({ method, path }: AdminRoute, headers: Record<string, string>, client: string): Ask => ({
  method,
  headers: { "x-test-client": client, ...headers },
  ...(method === "POST" ? { body: BODIES[path] ?? {} } : {}),
});

interface Case {
  readonly name: string;
  readonly expected: (route: AdminRoute) => number;
  readonly target?: (path: string) => string;
  headers(world: AdminWorld): Promise<Record<string, string>>;
}

const CASES: readonly Case[] = [
  { name: "no token", expected: () => 401, headers: async () => ({}) },
  { name: "a wrong token", expected: () => 401, headers: async () => bearer("x".repeat(OPERATOR.length)) },
  { name: "a token with one letter changed", expected: () => 401, headers: async () => bearer(`${OPERATOR.slice(0, -1)}S`) },
  { name: "an empty Bearer", expected: () => 401, headers: async () => ({ authorization: "Bearer " }) },
  { name: "Basic instead of Bearer", expected: () => 401, headers: async () => ({ authorization: `Basic ${btoa(`admin:${OPERATOR}`)}` }) },
  {
    name: "an expired token",
    expected: () => 401,
    async headers(w) {
      const token = w.access.token("operator", "short", ms(1_000)) ?? "";
      w.clock.pass(ms(1_001));
      return bearer(token);
    },
  },
  {
    name: "a token in the query",
    expected: () => 401,
    target: (path) => `${path}?token=${OPERATOR}`,
    headers: async () => ({}),
  },
  {
    name: "a token in the query and in the header",
    expected: () => 401,
    target: (path) => `${path}?access_token=${OPERATOR}`,
    headers: async () => bearer(OPERATOR),
  },
  {
    name: "a cookie, from another origin",
    expected: ({ method }) => (method === "POST" ? 403 : 200),
    headers: async (w) => ({ ...(await w.browser()), origin: "https://evil.test" }),
  },
  {
    name: "a cookie, by a page of another site",
    expected: ({ method }) => (method === "POST" ? 403 : 200),
    headers: async (w) => ({ ...(await w.browser()), "sec-fetch-site": "cross-site" }),
  },
  {
    name: "a cookie, from Origin null",
    expected: ({ method }) => (method === "POST" ? 403 : 200),
    headers: async (w) => ({ ...(await w.browser()), origin: "null" }),
  },
  {
    name: "a cookie without its CSRF token",
    expected: ({ method }) => (method === "POST" ? 403 : 200),
    headers: async (w) => ({ cookie: (await w.browser()).cookie }),
  },
  {
    name: "a cookie with another session's CSRF token",
    expected: ({ method }) => (method === "POST" ? 403 : 200),
    headers: async (w) => ({ cookie: (await w.browser()).cookie, "x-drover-csrf": (await w.browser())["x-drover-csrf"] }),
  },
  {
    name: "a cookie that was idle for too long",
    expected: () => 401,
    async headers(w) {
      const cookies = await w.browser();
      w.clock.at = after(w.clock.now(), ms(SESSION_IDLE + 1));
      w.access.sweep();
      return cookies;
    },
  },
  {
    name: "a cookie after its logout",
    expected: () => 401,
    async headers(w) {
      const cookies = await w.browser();
      await w.ask("/api/admin/logout", { method: "POST", headers: cookies });
      return cookies;
    },
  },
  { name: "a cookie that somebody made up", expected: () => 401, headers: async () => ({ cookie: `drover-admin=${"A".repeat(43)}` }) },
  {
    name: "the right token at a foreign host's name",
    expected: () => 421,
    headers: async () => ({ ...bearer(OPERATOR), host: "evil.test" }),
  },
  {
    name: "the right token at a host that only begins like ours",
    expected: () => 421,
    headers: async () => ({ ...bearer(OPERATOR), host: "localhost.evil.test:8080" }),
  },
];

for (const { name, expected, target, headers } of CASES)
  test(`${name}: refused by every route, nothing has changed, and 429 within 20 tries`, async (t) => {
    const w = await adminWorld(t);
    for (const route of guarded) {
      const client = `client of ${route.path}`;
      const carried = await headers(w);
      const wanted = expected(route);
      if (wanted === 200 && route.path !== "/api/admin/logout") {
        assert.equal((await w.ask(route.path, ask(route, carried, client))).status, 200, route.path); // it only reads, and no page can read the answer
        continue;
      }
      const before = [w.orders.length, w.reached];
      const statuses: number[] = [];
      // Up to one more behind the first refusal.
      while (statuses.length < 20 && statuses.at(-2) !== 429)
        statuses.push((await w.ask(target?.(route.path) ?? route.path, ask(route, carried, client))).status);
      assert.equal(statuses[0], wanted, route.path);
      assert.equal(statuses.at(-1), 429, `${route.path}: ${statuses.join()}`);
      assert.ok(
        statuses.every((status, nr) => status === (nr < statuses.indexOf(429) ? wanted : 429)),
        `${route.path}: ${statuses.join()}`,
      );
      assert.deepEqual([w.orders.length, w.reached], before, `${route.path}: the master never hears of it`);
      // Whoever has a good key is let in all the same, from there as from elsewhere.
      const good = await w.ask(route.path, ask(route, bearer(OPERATOR), client));
      assert.ok([200, 409].includes(good.status), `${route.path}: ${good.status} ${good.body}`);
    }
    assert.ok(!JSON.stringify(w.lines).includes(OPERATOR), "no line of the log holds the token");
  });

test("a viewer sees everything and changes nothing", async (t) => {
  const w = await adminWorld(t);
  for (const route of guarded) {
    const { status } = await w.ask(route.path, ask(route, bearer(VIEWER), "viewer"));
    assert.equal(status, route.needs === "operator" ? 403 : 200, route.path);
  }
  assert.deepEqual(w.orders, []);
});

test("forms, texts and other methods change nothing", async (t) => {
  const w = await adminWorld(t);
  for (const route of guarded.filter(({ needs }) => needs === "operator")) {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
      const headers = { ...bearer(OPERATOR), "content-type": type };
      assert.equal((await w.ask(route.path, { method: "POST", headers, body: "{}" })).status, 415, `${route.path} ${type}`);
    }
    for (const method of ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
      assert.equal((await w.ask(route.path, { method, headers: bearer(OPERATOR) })).status, 405, `${method} ${route.path}`);
  }
  assert.deepEqual(w.orders, []);
});

test("4.11: a monitor without a key sees the status and the percentage, and a 503 when it asks to fail on a full service", async (t) => {
  const w = await adminWorld(t);
  const asked = async (used: number, status: "WARNING" | "FULL", query = "") => {
    w.health = { ...w.health, slots: { used, max: 200, status } };
    const { status: code, json } = await w.ask(`/api/admin/health${query}`, { headers: { "user-agent": "UptimeRobot/2.0" } });
    return [code, json["capacity"]];
  };
  assert.deepEqual(await asked(180, "WARNING"), [200, { status: "WARNING", percent_used: 90 }]);
  assert.deepEqual(await asked(200, "FULL"), [200, { status: "FULL", percent_used: 100 }]);
  assert.equal((await asked(200, "FULL", "?fail_on=full"))[0], 503);
  assert.equal((await asked(180, "WARNING", "?fail_on=warning"))[0], 503);
  assert.equal(w.reached, 0, "the master is not asked");
});

const OF_OPERATOR = { method: "GET", target: "/api/admin/health", headers: {}, body: "", client: "local", requestId: "", secure: false };

test("4.11: a viewer's token gets the full health: capacity, version and uptime; a foreign name or a silent master the minimal one", async (t) => {
  const w = await adminWorld(t);
  const slots = { used: 190, max: 200, status: "WARNING" as const };
  w.health = { ...w.health, slots };
  w.snapshot = statusWith({ slots });
  const { json: capacity } = await w.ask("/api/admin/capacity", { headers: bearer(VIEWER) });
  const full = { status: "ok", version: "0.1.0", uptime_s: 7_500, capacity: capacity["capacity"] };
  const minimal = { status: "ok", capacity: { status: "WARNING", percent_used: 95 } };
  const asked = async (query: string, headers: Readonly<Record<string, string>>) => {
    const { status, json } = await w.ask(`/api/admin/health${query}`, { headers });
    return [status, json];
  };
  for (const token of [VIEWER, OPERATOR]) assert.deepEqual(await asked("", bearer(token)), [200, full]);
  assert.deepEqual(await asked("", await w.browser()), [200, full]);
  assert.deepEqual(await asked("?fail_on=90", bearer(VIEWER)), [503, full]);
  assert.deepEqual(JSON.parse((await w.api.handle(OF_OPERATOR, "control")).body.toString()), full);
  const before = w.reached;
  for (const headers of [{}, bearer("wrong"), { ...bearer(VIEWER), host: "evil.test" }])
    assert.deepEqual(await asked("", headers), [200, minimal]);
  assert.equal(w.reached, before, "the master is not asked");
  assert.equal(w.lines.filter(({ code, path }) => code === "no-key" && path === "/api/admin/health").length, 1, "a wrong key is logged");
  w.silent = true;
  assert.deepEqual(await asked("?fail_on=90", bearer(VIEWER)), [503, minimal]);
});

test("4.11: health is anybody's, at every name; it says no more than it must, and never asks the master", async (t) => {
  const w = await adminWorld(t);
  const bodies = [{ host: "evil.test" }, bearer("wrong"), { cookie: "drover-admin=x" }].map(
    async (headers) => await w.ask("/api/admin/health", { headers }),
  );
  for (const { status, json } of await Promise.all(bodies)) assert.deepEqual([status, json], [200, { status: "ok" }]);
  w.health = { ...w.health, slots: { used: 200, max: 200, status: "FULL" } };
  const full = { status: "ok", capacity: { status: "FULL", percent_used: 100 } };
  const asked = async (query: string) => {
    const { status, json } = await w.ask(`/api/admin/health${query}`);
    return [status, json];
  };
  assert.deepEqual(await asked(""), [200, full]);
  assert.deepEqual(await asked("?fail_on=full"), [503, full]);
  w.health = { ...w.health, slots: { used: 160, max: 200, status: "WARNING" } };
  assert.equal((await asked("?fail_on=full"))[0], 200);
  assert.equal((await asked("?fail_on=warning"))[0], 503);
  assert.deepEqual([(await asked("?fail_on=90"))[0], (await asked("?fail_on=80"))[0]], [200, 503], "a monitor's own percentage");
  for (const nonsense of ["-1", "8.5", "1000", "x"]) assert.equal((await asked(`?fail_on=${nonsense}`))[0], 200, nonsense);
  w.health = { ...w.health, workers: { ready: 0, target: 2 } };
  assert.equal((await asked(""))[0], 503);
  w.health = { ...w.health, workers: { ready: 2, target: 2 }, status: "stopping" };
  assert.equal((await asked(""))[0], 503);
  assert.equal(w.reached, 0);
});

test("every answer carries what keeps a browser from misusing it", async (t) => {
  const w = await adminWorld(t);
  for (const target of ["/api/admin/health", "/api/admin/capacity", "/api/admin/nothing", "/admin", "/admin/nothing", "/metrics"]) {
    const { headers } = await w.ask(target);
    assert.match(String(headers["content-security-policy"]), /default-src 'none'.*frame-ancestors 'none'/, target);
    assert.equal(headers["x-content-type-options"], "nosniff", target);
    assert.equal(headers["referrer-policy"], "no-referrer", target);
    assert.equal(headers["cross-origin-opener-policy"], "same-origin", target);
    assert.match(String(headers["cache-control"]), /no-store|no-cache/, target);
    assert.ok(!Object.keys(headers).some((name) => name.startsWith("access-control-")), target);
  }
});
