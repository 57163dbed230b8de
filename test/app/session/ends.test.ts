/** When a session ends, by a clock that the test moves. */
import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { pino } from "pino";
import { http } from "../../../src/base/http.ts";
import type { Accounts } from "../../../src/app/session/accounts.ts";
import { Sessions } from "../../../src/app/session/sessions.ts";
import { hours, type Instant, type Timestamp } from "./time.ts";
import { SLOT_NOUN } from "../../../src/base/slots.ts";
import { ms } from "../../../src/base/units.ts";
import { ledgerByHand } from "../../broker/ledger/ledgers.ts";
import { deriveKey } from "../../../src/sheets/secrets.ts";

function setting(t: TestContext) {
  const at = { now: 1_790_000_000_000 };
  const clock = { now: () => at.now as Instant, wall: () => at.now as Timestamp };
  const { host, worker } = ledgerByHand({ clock, rules: { lease: hours(48) } }); // the clock jumps
  const ledger = worker();
  const accounts = { known: () => undefined } as Partial<Accounts> as Accounts;
  const clients = { addressOf: () => "", countable: () => "", isSecure: () => true };
  const keys = [deriveKey("a key of the operator, over 32 characters")];
  const parts = {
    keys,
    idle: hours(2),
    lifetime: hours(24),
    noun: SLOT_NOUN,
    ledger,
    clients,
    accounts,
    clock,
    log: pino({ level: "silent" }),
  };
  const sessions = new Sessions(parts);
  let cookie = "";
  /** One request, with the cookie that the last answer left. */
  const request = async <T>(does: (req: IncomingMessage, res: ServerResponse) => Promise<T>): Promise<T> => {
    const req = new http.IncomingMessage(new Socket());
    if (cookie !== "") req.headers.cookie = cookie;
    const res = new http.ServerResponse(req);
    const done = await does(req, res);
    const given = res.getHeader("set-cookie");
    if (typeof given === "string") cookie = /Max-Age=0/.test(given) ? "" : (given.split(";")[0] ?? "");
    return done;
  };
  const login = () => request((req, res) => sessions.begin(req, res, { user: "Ada", verifier: "x", role: undefined }));
  const stands = () => request(async (req, res) => (await sessions.who(req, res)).is);
  t.after(() => host.close());
  return { at, ledger, sessions, login, stands, request, cookie: () => cookie };
}

test("used every hour it lasts its lifetime and not a moment longer", async (t) => {
  const s = setting(t);
  const began = s.at.now;
  await s.login();
  for (let hour = 1; hour < 24; hour += 1) {
    s.at.now = began + hours(hour);
    const before = s.cookie();
    assert.equal(await s.stands(), "in", `after ${hour} h`);
    assert.notEqual(s.cookie(), before, "the cookie is made anew");
  }
  s.at.now = began + hours(24) - 1;
  assert.equal(await s.stands(), "in");
  s.at.now += 1;
  assert.equal(await s.stands(), "out");
  assert.equal(s.cookie(), "", "and the browser forgets it");
});

test("unused it lasts its idle time, of which a twentieth is the measure", async (t) => {
  const s = setting(t);
  await s.login();
  const { now } = s.at;
  const first = s.cookie();
  s.at.now = now + hours(2) / 20 - 1;
  assert.equal(await s.stands(), "in");
  assert.equal(s.cookie(), first, "so soon nothing is made anew");
  s.at.now = now + hours(2) - 1;
  assert.equal(await s.stands(), "in");
  s.at.now += hours(2);
  assert.equal(await s.stands(), "out");
});

test("a stream holds its session, and ends with it: taken over, logged out, or its time over", async (t) => {
  const s = setting(t);
  await s.login();
  const identity = await s.request((req, res) => s.sessions.who(req, res));
  assert.ok(identity.is === "in");
  if (identity.is !== "in") return;
  const ends: string[] = [];
  s.sessions.hold(identity, () => ends.push("taken over"));
  const free = s.sessions.hold(identity, () => ends.push("never: it had closed before"));
  free();
  s.at.now += 10;
  await s.login();
  assert.deepEqual(ends, ["taken over"]);
  const newer = await s.request((req, res) => s.sessions.who(req, res));
  assert.ok(newer.is === "in");
  if (newer.is !== "in") return;
  s.sessions.hold(newer, () => ends.push("logged out"));
  await s.request((req, res) => s.sessions.end(req, res));
  assert.deepEqual(ends, ["taken over", "logged out"]);
  const late = { ...newer, session: { ...newer.session, since: (s.at.now - hours(24) + 5) as Timestamp } };
  await new Promise<void>((resolve) => void s.sessions.hold(late, resolve));
});

test("who only watches is not idle: a stream ends before its cookie does, and the next one has a new cookie", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const s = setting(t);
  await s.login();
  const began = s.at.now;
  for (let streams = 0; s.at.now < began + hours(23); streams += 1) {
    const opened = s.at.now;
    const identity = await s.request((req, res) => s.sessions.who(req, res));
    assert.equal(identity.is, "in", `stream ${streams}, after ${(opened - began) / hours(1)} h`);
    if (identity.is !== "in") return;
    const ends: number[] = [];
    const free = s.sessions.hold(identity, () => ends.push(s.at.now - opened));
    while (ends.length === 0) {
      s.at.now += 60_000;
      t.mock.timers.tick(60_000);
    }
    free();
    const [lasted = 0] = ends;
    assert.ok(lasted >= hours(2) * 0.4 && lasted <= hours(2) * 0.8 + 60_000, `it lasted ${lasted / hours(1)} h`);
  }
});

test("renewing is told to the ledger at each use, and only then", async (t) => {
  const s = setting(t);
  await s.login();
  const active = t.mock.method(s.ledger, "active");
  for (let i = 0; i < 5; i += 1) await s.stands();
  assert.equal(active.mock.callCount(), 5);
  assert.equal(ms(0), 0);
});
