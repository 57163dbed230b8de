/** Logging in and out: cookies, their ends, and who is told what. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CODES, eventSheet, eventWorld, member, Person } from "./people.ts";
import { KEYS, SESSIONS, world } from "../world.ts";
import { ledgerByHand } from "../../broker/ledger/ledgers.ts";
import { hashPassword } from "../../../src/cli/hash.ts";
import { ACCOUNTS } from "../../../src/sheets/users.ts";

const keyed = (keys: readonly string[]) => ({ sessions: { ...SESSIONS, keys } });
const code = ({ body }: { body: Record<string, unknown> }): unknown => body["code"];

test("a code lets in, whatever its case and the name's; /api/me says who; logging out ends it, on the server too", async () => {
  await using w = await eventWorld();
  const ada = new Person(w);
  assert.deepEqual([(await ada.get("/api/me")).status, code(await ada.get("/api/me"))], [401, "not-signed-in"]);
  const answer = await ada.login("  aDA ", CODES.ada.toLowerCase().replaceAll("-", " "));
  assert.equal(answer.status, 200);
  const { name, role, admin, since, until, idle } = answer.body;
  assert.deepEqual([name, role, admin, idle], ["Ada", null, false, 7_200]);
  assert.equal(Date.parse(String(until)) - Date.parse(String(since)), 24 * 3_600_000);
  for (const { headers } of [answer, await ada.get("/api/me")])
    assert.deepEqual([headers.get("cache-control"), headers.get("vary")], ["private, no-store", "Cookie"]);
  const before = ada.cookie;
  const out = await ada.ask("POST", "/api/logout");
  assert.deepEqual([out.status, ada.cookie], [204, ""]);
  ada.cookie = before;
  const replayed = await ada.get("/api/me");
  assert.deepEqual([replayed.status, code(replayed)], [401, "revoked"]);
  assert.equal((await new Person(w).ask("POST", "/api/logout")).status, 204, "who is not in is out already");
});

test("a login reads the users by the calls that are kept for logins", async () => {
  await using w = await eventWorld();
  await new Person(w).login("Ada", CODES.ada);
  assert.deepEqual(
    w.sheet.priorities.find(([name]) => name === ACCOUNTS),
    [ACCOUNTS, "urgent"],
  );
});

test("the cookie: HttpOnly, SameSite=Lax, the whole site; behind HTTPS __Host- and Secure, and then no other counts", async () => {
  await using w = await eventWorld();
  const plain = await new Person(w).login("Ada", CODES.ada);
  assert.match(
    plain.headers.get("set-cookie") ?? "",
    /^drover-session=[\w-]{8}\.[\w-]{80,}; Path=\/; Max-Age=7200; HttpOnly; SameSite=Lax$/,
  );
  w.secure = true;
  const kim = new Person(w);
  const sealed = await kim.login("Kim", CODES.kim);
  assert.match(sealed.headers.get("set-cookie") ?? "", /^__Host-drover=[\w.-]+; Path=\/; Max-Age=7200; HttpOnly; SameSite=Lax; Secure$/);
  assert.equal((await kim.get("/api/me")).status, 200);
  kim.cookie = kim.cookie.replace("__Host-drover", "drover-session");
  assert.equal(code(await kim.get("/api/me")), "not-signed-in", "a name that a neighbour could have planted");
  const warned = w.log.filter((line) => line.includes("over plain HTTP"));
  assert.equal(warned.length, 1);
});

test("a session has a new id at each login, and the one before is over: nothing that was planted lives on", async () => {
  await using w = await eventWorld();
  const ada = await member(w, "Ada");
  const old = ada.cookie;
  await ada.login("Ada", CODES.ada);
  assert.notEqual(ada.cookie, old);
  const thief = new Person(w);
  thief.cookie = old;
  assert.equal((await thief.get("/api/me")).status, 401);
  const planted = new Person(w);
  planted.cookie = "drover-session=planted.by-somebody";
  assert.equal((await planted.login("Kim", CODES.kim)).status, 200);
  assert.doesNotMatch(planted.cookie, /planted/);
});

test("a cookie that was changed, cut, doubled, sealed by another key, or is none is 401 and forgotten, and says nothing", async () => {
  await using w = await eventWorld();
  const ada = await member(w, "Ada");
  const { cookie } = ada;
  const value = cookie.slice("drover-session=".length);
  const flipped = value.slice(0, 30) + (value[30] === "A" ? "B" : "A") + value.slice(31);
  for (const wrong of [flipped, value.slice(0, -3), `${value}AAAA`, value.slice(9), "x", "....", value.slice(0, 9), "A".repeat(5_000)]) {
    ada.cookie = `drover-session=${wrong}`;
    const answer = await ada.get("/api/me");
    assert.deepEqual([answer.status, code(answer)], [401, "expired"], wrong.slice(0, 20));
    assert.match(answer.headers.get("set-cookie") ?? "", /^drover-session=; Path=\/; Max-Age=0;/);
    assert.equal(answer.headers.get("www-authenticate"), 'Drover realm="tables"');
  }
  ada.cookie = `drover-session=${value}; drover-session=${value}`;
  assert.equal((await ada.get("/api/members")).status, 404);
  assert.equal((await ada.get("/api/me")).status, 401, "two of a name: one was planted");
  await using elsewhere = await world(eventSheet(), undefined, keyed(["another operator's key, over 32 characters"]));
  const foreign = new Person(elsewhere);
  foreign.cookie = cookie;
  assert.equal(code(await foreign.get("/api/me")), "expired");
});

test("keys are rotated: the old one still opens, the new one seals", async () => {
  await using old = await eventWorld();
  const ada = await member(old, "Ada");
  const both = eventSheet();
  await using w = await world(both, undefined, keyed(["a new key of the operator, over 32 chars", KEYS[0] as string]));
  const again = new Person(w);
  again.cookie = ada.cookie;
  assert.equal((await again.get("/api/me")).status, 200);
  const kim = new Person(w);
  assert.equal((await kim.login("Kim", CODES.kim)).status, 200, "codes are kept by the oldest key");
  assert.notEqual(kim.cookie.slice(0, 24), ada.cookie.slice(0, 24));
});

test("4.4: a newer session takes over, an operator's end and a full house are told, in the reader's language", async () => {
  await using w = await eventWorld();
  const phone = await member(w, "Ada");
  await member(w, "Ada");
  const taken = await phone.get("/api/tables/members");
  assert.deepEqual([taken.status, code(taken)], [401, "taken-over"]);
  w.ledger.store.setMax(1);
  const full = await new Person(w).login("Kim", CODES.kim, { "Accept-Language": "fr-FR,fr;q=0.9" });
  assert.deepEqual([full.status, code(full), full.headers.get("x-drover-refused")], [503, "full", "full"]);
  assert.ok(Number(full.headers.get("retry-after")) >= 10);
  assert.equal(full.body["detail"], "Serveur complet (1/1 place occupée). Réessaie dans quelques minutes.");
  assert.equal((await new Person(w).login("Kim", CODES.kim)).body["detail"], "Server full (1/1 place taken). Try again in a few minutes.");
});

test("a session that this worker does not know is asked for; who is no user any more, or has another role, is out", async () => {
  await using before = await eventWorld();
  const people = [await member(before, "Ada"), await member(before, "Kim"), await member(before, "Root")];
  await using w = await eventWorld({ ledger: before.ledger.worker() });
  const [ada, kim, root] = people.map(({ cookie }) => Object.assign(new Person(w), { cookie })) as [Person, Person, Person];
  for (const person of [ada, kim, root]) assert.equal((await person.get("/api/tables/members")).status, 200);
  w.sheet.users([
    ["Ada", CODES.ada],
    ["Kim", CODES.kim],
  ]);
  assert.equal((await ada.get("/api/me")).status, 200);
  for (const person of [kim, root]) assert.equal(code(await person.get("/api/tables/members")), "revoked");
});

test("where the newest is refused, who logs in again in the same browser is not one more", async () => {
  await using w = await eventWorld({ ledger: ledgerByHand({ rules: { conflict: "refuse" } }).worker() });
  const ada = await member(w, "Ada");
  const elsewhere = await new Person(w).login("Ada", CODES.ada);
  assert.deepEqual([elsewhere.status, code(elsewhere), elsewhere.headers.get("x-drover-refused")], [429, "sessions", "sessions"]);
  assert.equal((await ada.login("Ada", CODES.ada)).status, 200);
  assert.equal((await ada.get("/api/me")).status, 200);
});

test("in a full house the browser of somebody who is in lets another user in, and stays theirs where that one can't", async () => {
  await using w = await eventWorld();
  const browser = await member(w, "Ada");
  w.ledger.store.setMax(1);
  const old = browser.cookie;
  assert.equal(code(await browser.login("Kim", "AAAA-BBBB-CCCC")), "bad-login");
  assert.equal((await browser.get("/api/me")).body["name"], "Ada");
  assert.equal((await browser.login("Kim", CODES.kim)).status, 200);
  assert.equal((await browser.get("/api/me")).body["name"], "Kim");
  assert.equal((await new Person(w).login("Ada", CODES.ada)).status, 503, "there was one slot, and there is");
  browser.cookie = old;
  assert.equal(code(await browser.get("/api/me")), "revoked");
});

test("forms log in too and are sent to the page; what is no login is told what was expected, without what was sent", async () => {
  await using w = await eventWorld();
  const ada = new Person(w);
  const form = { "Content-Type": "application/x-www-form-urlencoded" };
  const answer = await ada.ask("POST", "/api/login", `name=Ada&secret=${CODES.ada}`, form);
  assert.deepEqual([answer.status, answer.headers.get("location")], [303, "/"]);
  assert.equal((await ada.get("/api/me")).status, 200);
  const cases: readonly (readonly [unknown, number, string, Record<string, string>?])[] = [
    ["{CANARY-SECRET", 400, "not-json"],
    ["[]", 422, "invalid"],
    [{ name: "Ada" }, 422, "invalid"],
    [{ name: "Ada", secret: 7 }, 422, "invalid"],
    [{ name: "Ada", secret: "x".repeat(300) }, 422, "invalid"],
    [{ name: "Ada", secret: "CANARY-SECRET", status: 1 }, 422, "invalid"],
    [{ name: "Ada", secret: "CANARY-SECRET", more: 1 }, 422, "invalid"],
    [{ name: "Ada", secret: "x".repeat(5_000) }, 413, "body-too-large"],
    ["name=Ada&name=Kim&secret=x", 400, "bad-parameter", form],
    // fields that are named like the parts of an answer
    ["status=299&name=Ada&secret=CANARY-SECRET", 422, "invalid", form],
    ["status=abc", 422, "invalid", form],
    ["status=200&code=x&headers=abc", 422, "invalid", form],
    ["name=Ada", 415, "media-type", { "Content-Type": "text/plain" }],
  ];
  for (const [body, status, word, headers] of cases) {
    const refused = await new Person(w).ask("POST", "/api/login", body, headers);
    assert.deepEqual([refused.status, code(refused)], [status, word], JSON.stringify(body).slice(0, 60));
    assert.doesNotMatch(refused.text, /CANARY/);
  }
  assert.equal((await new Person(w).get("/api/login")).headers.get("allow"), "OPTIONS, POST");
  await using none = await world(eventSheet().without("~users"));
  assert.deepEqual([(await new Person(none).login("Ada", "x")).status, code(await new Person(none).login("Ada", "x"))], [404, "no-login"]);
});

test("passwords of drover hash and passwords as they are let in, wrong ones do not", async () => {
  const sheet = eventSheet();
  sheet.users([
    ["Ada", hashPassword("correct horse")],
    ["Kim", "a plain one"],
  ]);
  await using w = await world(sheet);
  assert.equal((await new Person(w).login("Ada", "correct horse")).status, 200);
  assert.equal(code(await new Person(w).login("Ada", "Correct horse")), "bad-login");
  assert.equal((await new Person(w).login("Kim", "a plain one")).status, 200);
  assert.equal(code(await new Person(w).login("Kim", "A plain one")), "bad-login");
});
