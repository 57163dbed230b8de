/** Late and missing answers count in the window in which they were due. */
import assert from "node:assert/strict";
import test from "node:test";
import { UnderWay } from "../../src/load/underway.ts";
import { Window } from "../../src/load/window.ts";

const good = { fate: "ok", why: "", bytes: 1 } as const;
const asked = { endpoint: "x", waited: false, login: false };

test("a request of the warm-up counts if it stays unanswered until the window's time is over, from when it was due; or if it never is", async () => {
  for (const [outcome, when, counts] of [
    [good, "before", 0],
    [good, "within", 0],
    [good, "late", 1],
    [{ fate: "error", why: "ECONNRESET", bytes: 0 }, "within", 0],
    [{ fate: "timeout", why: "timeout", bytes: 0 }, "within", 1],
  ] as const) {
    const flights = new UnderWay();
    const window = new Window(Infinity);
    flights.count(window);
    const answer = flights.begin({ ...asked, intended: 1, at: 1 });
    if (when === "before") answer(outcome);
    flights.open(performance.now());
    if (when === "within") answer(outcome);
    const closed = window.close();
    if (when === "late") answer(outcome);
    await closed;
    assert.deepEqual([window.tally.requests, window.outstanding, flights.size], [counts, 0, 0], `${outcome.fate} ${when}`);
    assert.equal(window.tally.maxMs > 0, counts > 0 && outcome.fate === "ok");
  }
});

test("a request that was due before the window opened and is sent in it counts: it had waited for a connection", () => {
  const window = new Window(100);
  assert.equal(window.enter(50, 99, true), undefined);
  window.enter(50, 101, true)?.("x", good, 110);
  assert.deepEqual([window.tally.requests, window.tally.maxMs], [1, 60]);
});

test("logins of the warm-up are in the figures of their endpoint, and in no other", () => {
  const flights = new UnderWay();
  const window = new Window(Infinity);
  flights.count(window);
  const now = performance.now();
  const login = { endpoint: "login", intended: now, at: now, waited: false, login: true };
  flights.begin(login)(good);
  flights.begin(login)({ fate: "error", why: "HTTP 500", bytes: 0 });
  flights.begin({ ...login, login: false, endpoint: "read" })(good);
  const slow = flights.begin(login);
  flights.open(performance.now());
  slow(good); // within the window's time: it is its asker's first step, not what he came for
  const { requests, endpoints, latency, inTime, whys } = window.tally;
  assert.deepEqual([requests, latency.count, inTime, whys.size, [...endpoints.keys()].join()], [0, 0, 1, 0, "login"]);
  assert.deepEqual([endpoints.get("login")?.latency.count, endpoints.get("login")?.failed], [2, 1]);
});
