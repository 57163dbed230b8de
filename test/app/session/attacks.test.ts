/** The checklist of docs/security.md, as far as login is concerned, from outside. */
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { test } from "node:test";
import { cheapVerifier, CODES, eventSheet, eventWorld, member, Person, type Answer } from "./people.ts";
import { world } from "../world.ts";
import { ledgerByHand } from "../../broker/ledger/ledgers.ts";
import { ms } from "../../../src/base/units.ts";
import type { Threads } from "../../../src/worker/app.ts";
import { checkPassword, type PasswordTask } from "../../../src/app/session/scrypt.ts";

const code = ({ body }: Answer): unknown => body["code"];

test("CSRF: what another origin sends with the cookie changes nothing, a login that it makes neither", async () => {
  await using w = await eventWorld();
  const ada = await member(w, "Ada");
  const { host } = new URL(w.url);
  const foreign: readonly Record<string, string>[] = [
    { Origin: "https://evil.example" },
    { Origin: "null" },
    { Origin: `https://${host}.evil.example` },
    { Origin: `http://evil.example/${host}` },
    { Origin: "file://" },
    { Origin: `http://user@${host}:1` },
    { "Sec-Fetch-Site": "cross-site", Origin: `http://${host}` },
    { "Sec-Fetch-Site": "same-site" },
  ];
  for (const headers of foreign)
    for (const [method, path, body] of [
      ["POST", "/api/tables/notes", { id: "evil", text: "x" }],
      ["PATCH", "/api/tables/notes/n1", { text: "evil" }],
      ["DELETE", "/api/tables/notes/n1", undefined],
      ["POST", "/api/logout", undefined],
      ["POST", "/api/login", { name: "Kim", secret: CODES.kim }],
    ] as const) {
      const answer = await ada.ask(method, path, body, headers);
      assert.deepEqual([answer.status, code(answer)], [403, "cross-site"], `${method} ${path} ${JSON.stringify(headers)}`);
      assert.equal(answer.headers.get("set-cookie"), null);
    }
  assert.deepEqual([...w.sheet.rows("notes").keys()], ["n1", "n2", "n3"]);
  w.sheet.grant("players", { append: "public", update: "public" });
  const before = [...w.sheet.rows("players").keys()];
  for (const headers of foreign)
    for (const [method, path, body, type] of [
      ["POST", "/api/login", { name: "Kim", secret: CODES.kim }],
      ["POST", "/api/login", `name=Kim&secret=${CODES.kim}`, "application/x-www-form-urlencoded"],
      ["POST", "/api/tables/players", { id: "evil" }],
      ["POST", "/api/tables/players", "{}", "text/plain"],
      ["POST", "/api/tables/players", "id=evil", "application/x-www-form-urlencoded"],
      ["PATCH", "/api/tables/players/p1", { name: "evil" }],
      ["DELETE", "/api/tables/players/p1", undefined],
      ["PUT", "/nowhere", undefined],
    ] as const) {
      const stranger = await new Person(w).ask(method, path, body, { ...headers, ...(type === undefined ? {} : { "Content-Type": type }) });
      assert.deepEqual(
        [stranger.status, code(stranger)],
        [403, "cross-site"],
        `without a cookie: ${method} ${path} ${JSON.stringify(headers)}`,
      );
    }
  assert.deepEqual([...w.sheet.rows("players").keys()], before);
  for (const headers of [{ Origin: `http://${host}` }, { "Sec-Fetch-Site": "same-origin" }, { "Sec-Fetch-Site": "none" }])
    assert.equal((await ada.ask("PATCH", "/api/tables/notes/n1", { text: "ok" }, headers)).status, 200);
  assert.equal((await ada.get("/api/tables/members", { Origin: "https://evil.example" })).headers.get("access-control-allow-origin"), null);
});

test("brute force: 429 within 20 tries wherever they come from; others behind the address get in, the owner from elsewhere too", async () => {
  await using w = await eventWorld();
  const thief = new Person(w);
  const guess = async (nr: number, from = w.address): Promise<number> =>
    (await thief.login("Ada", `AAAA-BBBB-C${String(nr).padStart(3, "0")}`, { "X-Test-Address": from })).status;
  const guessed = await Promise.all(Array.from({ length: 12 }, (_, nr) => guess(nr)));
  assert.deepEqual(
    guessed.toSorted((a, b) => a - b),
    [...Array.from({ length: 10 }, () => 401), 429, 429],
  );
  const right = await thief.login("Ada", CODES.ada);
  assert.deepEqual([right.status, code(right)], [429, "too-many-logins"], "from there not even the right one");
  assert.match(right.headers.get("retry-after") ?? "", /^[1-9]\d?$/);
  assert.equal((await new Person(w).login("Kim", CODES.kim)).status, 200, "the neighbour");
  w.address = "203.0.113.9";
  assert.equal((await new Person(w).login("Ada", CODES.ada)).status, 200, "the owner, from elsewhere");
  const spread = await Promise.all(Array.from({ length: 30 }, (_, nr) => guess(nr, `203.0.113.${nr}`)));
  assert.ok(spread.filter((status) => status === 401).length <= 10, "with the ten before: 429 within 20 tries");
  assert.ok(spread.every((status) => status === 401 || status === 429));
  w.address = "2001:db8::77";
  assert.equal((await new Person(w).login("Ada", CODES.ada)).status, 200, "the owner, while a whole network guesses");
  w.address = "2001:db8::78";
  assert.equal(await guess(1), 429, "an address of the same network is no new one");
});

test("many tries at once are counted too, and a room of 300 behind one address gets in", async () => {
  const sheet = eventSheet();
  const people = Array.from({ length: 300 }, (_, i) => [`P${i}`, `${String(i).padStart(4, "2")}-AAAA-BBBB`] as const);
  sheet.users(people);
  await using w = await world(sheet);
  const guesses = await Promise.all(Array.from({ length: 40 }, (_, i) => new Person(w).login("P1", `wrong ${i}`)));
  assert.equal(guesses.filter(({ status }) => status === 401).length, 10);
  assert.equal(guesses.filter(({ status }) => status === 429).length, 30);
  w.address = "192.0.2.1";
  const room = await Promise.all(people.map(async ([name, secret]) => (await new Person(w).login(name, secret)).status));
  assert.deepEqual(new Set(room), new Set([200]));
});

test("a right code is one question to the broker; what is wrong or over limit is none to a session", async () => {
  const { worker } = ledgerByHand();
  const ledger = worker();
  const asked: string[] = [];
  for (const name of ["spend", "enter", "refund"] as const) {
    const ask = ledger[name].bind(ledger) as (...args: unknown[]) => unknown;
    Object.assign(ledger, {
      [name]: (...args: unknown[]) => {
        if (!JSON.stringify(args).includes("told:plain-login")) asked.push(name);
        return ask(...args);
      },
    });
  }
  await using w = await eventWorld({ ledger });
  const thief = new Person(w);
  assert.equal((await thief.login("Ada", CODES.ada)).status, 200);
  assert.deepEqual(asked.splice(0), ["enter"]);
  for (let i = 0; i < 10; i += 1) assert.equal((await thief.login("Kim", "AAAA-BBBB-CCCC")).status, 401);
  assert.deepEqual(new Set(asked.splice(0)), new Set(["spend"]));
  const answers = await Promise.all([thief.login("Kim", "AAAA-BBBB-CCCC"), thief.login("Kim", CODES.kim)]);
  assert.deepEqual(
    answers.map((answer) => [answer.status, code(answer)]),
    Array.from({ length: 2 }, () => [429, "too-many-logins"]),
    "over limit a right code is told what a wrong one is",
  );
  assert.deepEqual(asked, ["spend", "enter"]);
});

test("a flood of unknown names from one address: it gets no more than its budget, and logins of other addresses get in", async () => {
  const sheet = eventSheet();
  sheet.users(Array.from({ length: 19 }, (_, i) => [`P${i}`, cheapVerifier(`right ${i}`)] as const));
  const gate = Promise.withResolvers<void>();
  const threads: Threads = {
    run: async <T>(_module: URL, task: unknown) => {
      await gate.promise;
      return checkPassword(task as PasswordTask) as T;
    },
  };
  await using w = await world(sheet, undefined, { threads });
  const flooded: number[] = [];
  const flood = Array.from({ length: 400 }, async (_, i) => {
    flooded.push((await new Person(w).login(`nobody-${i}`, "guess", { "X-Test-Address": "203.0.113.1" })).status);
  });
  const until = async (check: () => boolean): Promise<void> => {
    while (!check()) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  await until(() => flooded.length >= 400 - 129); // the others wait
  const others = Array.from({ length: 19 }, (_, i) => new Person(w).login(`P${i}`, `right ${i}`, { "X-Test-Address": `198.51.100.${i}` }));
  await until(() => w.reached() === 400 + 19);
  gate.resolve();
  assert.deepEqual(
    (await Promise.all(others)).map(({ status }) => status),
    Array.from({ length: 19 }, () => 200),
  );
  await Promise.all(flood);
  while (flooded.includes(503)) flooded.splice(flooded.indexOf(503), 1);
  for (let i = 0; i < 120; i += 1)
    flooded.push((await new Person(w).login(`again-${i}`, "guess", { "X-Test-Address": "203.0.113.1" })).status);
  const count = (status: number): number => flooded.filter((one) => one === status).length;
  assert.ok(count(401) <= 100, `${count(401)} were verified`);
  assert.equal(count(401) + count(429), flooded.length);
  const own = await new Person(w).login("P1", "right 1", { "X-Test-Address": "203.0.113.2" });
  assert.equal(own.status, 200, "another address is none of it");
});

test("right passwords cost an address no budget", async () => {
  const sheet = eventSheet();
  const people = Array.from({ length: 110 }, (_, i) => `P${i}`);
  sheet.users(people.map((name) => [name, cheapVerifier(name)] as const));
  await using w = await world(sheet);
  for (let at = 0; at < people.length; at += 55) {
    const room = await Promise.all(people.slice(at, at + 55).map((name) => new Person(w).login(name, name)));
    assert.ok(room.every(({ status }) => status === 200));
  }
});

test("right passwords of one user cost 100 hashes a minute at most, from however many addresses; wrong ones lock nobody out", async () => {
  const sheet = eventSheet();
  sheet.users([
    ["Ada", cheapVerifier("right")],
    ["Kim", cheapVerifier("right")],
  ]);
  let verified = 0;
  const threads: Threads = {
    run: <T>(_module: URL, task: unknown) => ((verified += 1), Promise.resolve(checkPassword(task as PasswordTask) as T)),
  };
  await using w = await world(sheet, undefined, { threads });
  const login = async (nr: number, name: string, secret: string): Promise<number> =>
    (await new Person(w).login(name, secret, { "X-Test-Address": `198.51.100.${nr % 250}` })).status;
  for (let i = 0; i < 3; i += 1) assert.equal(await login(i, "Kim", "wrong"), 401);
  const statuses: number[] = [];
  for (let i = 0; i < 120; i += 1) statuses.push(await login(i, "Ada", "right"));
  assert.equal(statuses.filter((status) => status === 200).length, 100);
  assert.equal(statuses.filter((status) => status === 429).length, 20);
  assert.equal(verified, 103, "what is refused is not verified");
  assert.equal(await login(1, "Kim", "right"), 200);
});

test("many /64s of one /48 share a budget eight times an address's", async () => {
  const sheet = eventSheet();
  sheet.users([["Ada", cheapVerifier("right")]]); // unknown names cost a password, too
  const threads: Threads = { run: <T>() => Promise.resolve(false as T) };
  await using w = await world(sheet, undefined, { threads });
  const statuses: number[] = [];
  const guess = async (nr: number, network: string): Promise<number> =>
    (await new Person(w).login(`nobody-${nr}`, "guess", { "X-Test-Address": `${network}:${nr.toString(16)}::1` })).status;
  for (let from = 0; from < 850; from += 50)
    statuses.push(...(await Promise.all(Array.from({ length: 50 }, (_, i) => guess(from + i, "2001:db8:1")))));
  assert.equal(statuses.filter((status) => status === 401).length, 800);
  assert.equal(statuses.filter((status) => status === 429).length, 50);
  assert.equal(await guess(1, "2001:db8:2"), 401, "another /48 is none of it");
});

test("an unknown name costs what passwords of the directory do, whatever their parameters", async () => {
  const sheet = eventSheet();
  sheet.users([
    ["P1", cheapVerifier("one", { ln: 10, r: 8, p: 1 })],
    ["P2", cheapVerifier("two", { ln: 11, r: 8, p: 2 })],
  ]);
  const costs = new Map<string, number>();
  const threads: Threads = {
    run: <T>(_module: URL, task: unknown) => {
      const cost = (task as PasswordTask).verifier.split("$")[2] ?? "";
      costs.set(cost, (costs.get(cost) ?? 0) + 1);
      return Promise.resolve(false as T);
    },
  };
  await using w = await world(sheet, undefined, { threads });
  for (let i = 0; i < 60; i += 1) await new Person(w).login(`nobody-${i}`, "guess");
  assert.deepEqual([...costs.keys()].toSorted(), ["ln=10,r=8,p=1", "ln=11,r=8,p=2"]);
  assert.ok(
    [...costs.values()].every((times) => times >= 10),
    JSON.stringify([...costs]),
  );
});

test("an unknown name costs the same work as a wrong secret, for codes and for passwords, and is told the same", async (t) => {
  const sheet = eventSheet();
  const people = ["P0", "P1", "P2", "P3"];
  const passwords: string[] = [];
  const threads: Threads = {
    run: <T>(_module: URL, task: unknown) => {
      const { verifier, password } = task as PasswordTask;
      passwords.push(`${verifier.split("$")[2]} ${password}`);
      return Promise.resolve(false as T);
    },
  };
  const said = new Set<string>();
  const hashes = t.mock.method(crypto, "createHmac");
  syncBuiltinESMExports();
  t.after(() => (hashes.mock.restore(), syncBuiltinESMExports()));
  for (const verifier of ["K7M2-9QXR-4T3W", cheapVerifier("correct horse")]) {
    sheet.users(people.map((name) => [name, verifier] as const));
    await using w = await world(sheet, undefined, { threads });
    /** @returns what the login hashes. */
    const work = async (name: string): Promise<unknown> => {
      w.address = `198.51.100.${(nr += 1)}`;
      const [before, tasks] = [hashes.mock.callCount(), passwords.length];
      const answer = await new Person(w).login(name, "wrong");
      assert.deepEqual([answer.status, code(answer)], [401, "bad-login"]);
      const { requestId: _, ...same } = answer.body;
      said.add(JSON.stringify(same));
      return { hashes: hashes.mock.callCount() - before, passwords: passwords.slice(tasks) };
    };
    let nr = 0;
    await work("P0"); // with the first login comes the directory
    const known = await work("P0");
    assert.notDeepEqual(known, { hashes: 0, passwords: [] });
    for (const name of [...people, ...people.map((_, i) => `nobody-${i}`)]) assert.deepEqual(await work(name), known, name);
  }
  assert.equal(passwords.length, 10);
  assert.equal(said.size, 1);
});

test("secrets and cookies are in no log and no answer; what clients call themselves can't forge a line of the log", async () => {
  const evil = 'Zoé"}\n{"level":60,"msg":"forged"}\u001b[2J\u2028<img src=x onerror=alert(1)>';
  const sheet = eventSheet();
  sheet.users([[evil, "K7M2-9QXR-4T3W"]]);
  await using w = await world(sheet);
  const zoe = new Person(w);
  zoe.headers = { "User-Agent": 'x"}{"level":60}\t<script>', "X-Forwarded-For": "<script>" };
  const answers = [
    await zoe.login("SECRET-IN-THE-NAME", "TYPED-1"),
    await zoe.login(evil, "TYPED-2"),
    await zoe.login(evil, "K7M2-9QXR-4T3W"),
    await zoe.get("/api/me?x=TYPED-3"),
    await zoe.get("/api/tables/members"),
    await zoe.ask("POST", "/api/logout?TYPED-4"),
  ];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [401, 401, 200, 200, 200, 204],
  );
  for (const { text, headers } of answers) {
    assert.doesNotMatch(text, /TYPED-|K7M2|SECRET-IN/);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.doesNotMatch(headers.get("content-type") ?? "application/json", /html/);
  }
  const lines = w.log.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.ok(
    lines.some((line) => line["user"] === evil.normalize("NFC")),
    "who logs in is logged",
  );
  assert.ok(lines.some((line) => line["msg"] === "a login failed: wrong secret"));
  assert.ok(lines.every((line) => line["msg"] !== "forged" && !("forged" in line)));
  const log = w.log.join("");
  assert.doesNotMatch(log, /TYPED-|K7M2|SECRET-IN|drover-session=/);
  assert.ok(!log.includes("\u001b"));
  assert.equal(log.split("\n").filter((line) => line !== "").length, lines.length);
});

test("while nobody can count, a login is refused with a time to come back", async () => {
  const { worker } = ledgerByHand();
  const ledger = worker();
  ledger.spend = () => Promise.reject(new Error("the broker is away"));
  await using w = await eventWorld({ ledger });
  ledger.enter = () => Promise.resolve({ is: "away", retryAfter: ms(2_000) });
  for (const secret of [CODES.ada, "AAAA-BBBB-CCCC"]) {
    const away = await new Person(w).login("Ada", secret);
    assert.deepEqual([away.status, code(away), away.headers.get("retry-after")], [503, "broker", "2"]);
  }
});
