/** How often clients may write, over HTTP; and what they are told who may not, or can't come in. */
import assert from "node:assert/strict";
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { test } from "node:test";
import { http } from "../../src/base/http.ts";
import { fullProblem, fullSentence } from "../../src/app/refusals/full.ts";
import { admissionProblem } from "../../src/app/refusals/admission.ts";
import { addressKey } from "../../src/base/addresskey.ts";
import { rateLimitHeaders } from "../../src/app/limits/headers.ts";
import { Limiter } from "../../src/app/limits/limiter.ts";
import { NO_LIMITS, type LimitRules } from "../../src/app/limits/rules.ts";
import { SLOT_NOUN } from "../../src/base/slots.ts";
import { minutes, ms, seconds } from "../../src/base/units.ts";
import { slotNoun } from "../../src/settings/slotnoun.ts";
import { createTrust } from "../../src/worker/gate/address.ts";
import { ledgerByHand } from "../broker/ledger/ledgers.ts";
import { eventSheet, eventWorld, member, Person } from "./session/people.ts";
import { FakeTime } from "../broker/time.ts";
import { Sheet, world } from "./world.ts";

const MINUTE = minutes(1);
const nobody = (): Promise<undefined> => Promise.resolve(undefined);
const rules = (more: Partial<LimitRules>): LimitRules => ({ ...NO_LIMITS, ...more });
const LOCAL = [{ address: "127.0.0.0", prefix: 8, family: "ipv4" }] as const;

function open(): Sheet {
  const sheet = new Sheet();
  sheet.table("players", "public", [{ name: "id", type: "string" }], [["p1"]]);
  sheet.grant("players", { append: "public", update: "public" });
  return sheet;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

function send(url: string, method: string, path: string, more: OutgoingHttpHeaders = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { ...(body === undefined ? {} : { "content-type": "application/json" }), ...more };
    const req = http.request(`${url}${path}`, { method, headers, agent: false }, (res) => {
      let text = "";
      res.on("data", (chunk: Buffer) => (text += chunk.toString()));
      res.on("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: JSON.parse(text) as Answer["body"] }));
    });
    req.on("error", reject);
    req.end(body);
  });
}

let made = 0;
const row = (): string => JSON.stringify({ id: `r${(made += 1)}` });

test("0.16: a stranger's writes: 100 a minute and the 101st is told when; another address is not its concern", async () => {
  await using w = await world(open(), undefined, { limits: rules({ write: { most: 100, per: MINUTE } }), clients: createTrust(LOCAL) });
  const post = (from: string) => send(w.url, "POST", "/api/tables/players", { "x-forwarded-for": from }, row());
  const answers: Answer[] = [];
  for (let i = 0; i < 101; i += 1) answers.push(await post("203.0.113.7"));
  assert.deepEqual(
    answers.slice(0, 100).filter(({ status }) => status !== 201),
    [],
  );
  assert.equal(answers[0]?.headers["ratelimit-policy"], '"write";q=100;w=60');
  assert.match(String(answers[0]?.headers["ratelimit"]), /^"write";r=99;t=6[0-5]$/);
  const over = answers[100] as Answer;
  assert.deepEqual([over.status, over.body["code"], over.headers["x-drover-refused"]], [429, "rate-limited", "rate"]);
  assert.equal(over.headers["content-type"], "application/problem+json; charset=utf-8");
  const wait = Number(over.headers["retry-after"]);
  assert.ok(wait >= 30 && wait <= 65, `${wait} s`);
  assert.match(String(over.headers["ratelimit"]), /^"write";r=0;t=\d+$/);
  assert.equal((await post("203.0.113.8")).status, 201);
  assert.equal((await send(w.url, "GET", "/api/tables/players", { "x-forwarded-for": "203.0.113.7" })).status, 200, "reading goes on");
  assert.equal(w.sheet.asked.length, 101, "what is refused reaches nobody");
});

test("2.3: a rate with a burst: 200 at once, then one every 0.6 s; the refusal says when there is room again", async () => {
  const time = new FakeTime();
  const { host, worker } = ledgerByHand({ clock: time });
  const burst = { most: 100, per: MINUTE, burst: 200 };
  const limiter = new Limiter({
    ledger: worker(),
    clients: createTrust([]),
    userOf: nobody,
    rules: rules({ write: burst, read: burst }),
    log: undefined as never,
  });
  const ada = { user: "ada", address: undefined };
  const write = () => limiter.write(ada);
  const first = await write();
  assert.ok(first.is === "pass");
  assert.equal(first.headers["RateLimit-Policy"], '"write";q=100;w=60;drover-burst=200');
  assert.equal(first.headers["RateLimit"], '"write";r=199;t=1');
  for (let i = 1; i < 200; i += 1) assert.equal((await write()).is, "pass", `${i}`);
  const over = await write();
  assert.ok(over.is === "refused");
  const { status, code, detail, headers } = over.problem;
  assert.deepEqual([status, code, headers?.["X-Drover-Refused"], headers?.["Retry-After"]], [429, "rate-limited", "rate", "1"]);
  assert.equal(headers?.["RateLimit"], '"write";r=0;t=1');
  assert.match(detail, /^more than 100 writes .* in 60 s, beyond a burst of 200: come again after the time in Retry-After$/);
  await time.advance(1_000);
  assert.equal((await write()).is, "pass", "after Retry-After there is room");
  assert.equal((await write()).is, "refused");
  await time.advance(60_000);
  assert.equal((await limiter.write(ada)).is, "pass");
  const large = await limiter.size(ada, { rows: 2_000, bytes: 1 });
  assert.ok(large.is === "refused" && Number(large.problem.headers?.["Retry-After"]) > 50, "a large request counts as the whole burst");
  await time.advance(120_000);
  assert.deepEqual([(await limiter.write(ada)).is, (await limiter.size(ada, { rows: 5_000, bytes: 1 })).is], ["pass", "pass"]);
  host.close();
});

test("0.16: a proxy that does not say for whom it asks is warned of once, and its clients are not taken for one", async () => {
  await using w = await world(open(), undefined, { limits: rules({ write: { most: 2, per: MINUTE } }), clients: createTrust(LOCAL) });
  const post = (headers: OutgoingHttpHeaders) => send(w.url, "POST", "/api/tables/players", headers, row());
  for (let i = 0; i < 5; i += 1) assert.equal((await post({ host: "event.example" })).status, 201);
  assert.equal(w.log.filter((line) => line.includes("X-Forwarded-For")).length, 1);
  const here = await Promise.all([1, 2, 3].map(() => post({})));
  assert.deepEqual(
    here.map(({ status }) => status).toSorted((x, y) => x - y),
    [201, 201, 429],
    "who sits at this machine is a client like any",
  );
  const contradict = { "x-forwarded-for": "203.0.113.9" };
  const lies = [];
  for (let i = 0; i < 4; i += 1) lies.push((await post({ ...contradict, forwarded: `for=198.51.100.${i}` })).status);
  assert.deepEqual(lies.filter((status) => status === 201).length <= 2, true, "a contradicting header is no way around");
});

test("all clients together: requests and rows; 503, because it is nobody's own doing", async () => {
  await using w = await world(open(), undefined, { limits: rules({ signals: 3, tokens: 4 }) });
  const post = (rows: number) => send(w.url, "POST", "/api/tables/players", {}, `[${Array.from({ length: rows }, () => row()).join()}]`);
  assert.equal((await post(3)).status, 201);
  const many = await post(2);
  assert.deepEqual([many.status, many.body["code"], many.headers["x-drover-refused"]], [503, "service-limit", "service"]);
  assert.ok(Number(many.headers["retry-after"]) > 30);
  assert.equal((await post(1)).status, 201);
  assert.equal((await post(1)).status, 503, "the fourth request");
  assert.equal(w.sheet.asked.length, 2);
});

test("reads that need work are counted here, those that stand ready never", async () => {
  await using w = await world(open(), undefined, { limits: rules({ read: { most: 2, per: MINUTE } }) });
  const get = (query: string) => send(w.url, "GET", `/api/tables/players?limit=${query}`);
  assert.deepEqual([(await get("1")).status, (await get("2")).status, (await get("3")).status], [200, 200, 429]);
  for (let i = 0; i < 5; i += 1) assert.equal((await get("1")).status, 200);
});

test("who is signed in is counted by name, wherever they are: writes, exports, reads; strangers behind their address are others", async () => {
  const limits = rules({ write: { most: 2, per: MINUTE }, export: { most: 1, per: MINUTE }, read: { most: 2, per: MINUTE } });
  await using w = await eventWorld({ limits });
  const [ada, kim, stranger] = [await member(w, "Ada"), await member(w, "Kim"), new Person(w)];
  const post = async (who: Person, from = "198.51.100.7"): Promise<number> =>
    (await who.ask("POST", "/api/tables/notes", { id: `r${(made += 1)}`, text: "x" }, { "x-test-address": from })).status;
  assert.deepEqual([await post(ada), await post(ada, "203.0.113.1"), await post(ada, "203.0.113.2")], [201, 201, 429]);
  assert.deepEqual([await post(kim), await post(stranger)], [201, 401]);
  const file = async (who: Person): Promise<string> => {
    const { status, headers } = await who.get("/api/tables/players/export?format=csv");
    return `${status} ${headers.get("ratelimit-policy")} ${headers.get("x-drover-refused")}`;
  };
  const [first, over] = ['200 "export";q=1;w=60 null', '429 "export";q=1;w=60 rate'];
  assert.deepEqual(
    [await file(ada), await file(ada), await file(kim), await file(stranger), await file(stranger)],
    [first, over, first, first, over],
  );
  const read = async (who: Person): Promise<number> => (await who.get(`/api/tables/players?limit=${(made += 1)}`)).status;
  for (const who of [ada, kim, stranger]) assert.deepEqual([await read(who), await read(who), await read(who)], [200, 200, 429]);
  // A session that is over is a stranger's, and its address's.
  const old = new Person(w);
  old.cookie = ada.cookie;
  await ada.ask("POST", "/api/logout");
  assert.equal(await read(old), 429);
});

test("a user's day: refused writes don't count, and its end is the next day's beginning", async () => {
  const { host, worker } = ledgerByHand({ zone: "Europe/Paris" });
  const limiter = new Limiter({
    ledger: worker(),
    clients: createTrust([]),
    userOf: nobody,
    rules: rules({ daily: 2 }),
    log: undefined as never,
  });
  const ada = { user: "ada", address: undefined };
  assert.deepEqual((await limiter.write(ada)).is, "pass");
  limiter.unwritten(ada, 1);
  const [one, two, three] = [await limiter.write(ada), await limiter.write(ada), await limiter.write(ada)];
  assert.deepEqual([one.is, two.is, three.is], ["pass", "pass", "refused"]);
  assert.ok(
    two.is === "pass" &&
      two.headers["RateLimit-Policy"] === '"day";q=2;w=86400' &&
      /^"day";r=0;t=\d+$/.test(two.headers["RateLimit"] ?? ""),
  );
  assert.ok(three.is === "refused");
  const { status, code, headers } = three.problem;
  assert.deepEqual([status, code, headers?.["X-Drover-Refused"]], [429, "daily-quota", "quota"]);
  assert.ok(Number(headers?.["Retry-After"]) <= 86_400);
  assert.equal((await limiter.write({ user: "bob", address: undefined })).is, "pass");
  host.close();
});

test("a large request counts as several writes, by its rows and by its bytes; a day counts rows", async () => {
  const { host, worker } = ledgerByHand();
  const limits = rules({ write: { most: 10, per: MINUTE }, daily: 100 });
  const limiter = new Limiter({ ledger: worker(), clients: createTrust([]), userOf: nobody, rules: limits, log: undefined as never });
  const write = async (user: string, rows: number, bytes: number): Promise<string> => {
    const who = { user, address: undefined };
    const first = await limiter.write(who);
    if (first.is === "refused") return first.problem.code;
    const size = await limiter.size(who, { rows, bytes });
    return size.is === "refused" ? size.problem.code : "pass";
  };
  assert.deepEqual([await write("ada", 51, 100), await write("ada", 40, 100), await write("ada", 1, 1)], ["pass", "pass", "rate-limited"]);
  assert.deepEqual([await write("bob", 1, 1_000_000), await write("bob", 1, 1)], ["pass", "rate-limited"], "the largest one fits alone");
  assert.deepEqual([await write("eve", 99, 1), await write("eve", 1, 1)], ["pass", "rate-limited"]);
  assert.equal(await write("kim", 101, 1), "daily-quota");
  limiter.unwritten({ user: "kim", address: undefined }, 1);
  host.close();
});

test("what a head announces is counted before its body is read; a body that is too large counts once", async () => {
  await using w = await world(open(), undefined, { limits: rules({ write: { most: 100, per: MINUTE } }) });
  const post = (body: string) => send(w.url, "POST", "/api/tables/players", {}, body);
  const [large, counted] = [" ".repeat(900_000), 55];
  assert.equal((await post(`${large}${"x".repeat(100_001)}`)).status, 413);
  const read = await post(large);
  assert.deepEqual([read.status, read.headers["ratelimit"]?.slice(0, 12)], [400, `"write";r=${99 - counted}`]);
  assert.equal((await post(large)).status, 429, "its body was not looked at");
  assert.equal((await post(row())).headers["ratelimit"]?.slice(0, 12), `"write";r=${98 - counted}`, "a small one has room");
});

test("a refund needs a count: requests that are refused before they are counted give nothing back", async () => {
  let refunds = 0;
  const { host, worker } = ledgerByHand();
  await using w = await world(open(), undefined, {
    limits: rules({ write: { most: 100, per: MINUTE }, daily: 5 }),
    ledger: Object.assign(worker(), { refund: () => void (refunds += 1) }),
  });
  for (const path of ["/api/tables/nothing", "/api/tables/players"]) await send(w.url, "POST", path, { "content-type": "text/plain" }, "x");
  await send(w.url, "POST", "/api/tables/players", {}, "{");
  assert.equal(refunds, 0, "strangers have no day");
  host.close();
});

test("a batch that is sent again under its Idempotency-Key counts once against its user's day", async () => {
  const sheet = eventSheet();
  sheet.grant("players", { append: "signed-in" });
  await using w = await world(sheet, undefined, { limits: rules({ daily: 100 }) });
  const ada = await member(w, "Ada");
  const rows = (first: number): readonly object[] => Array.from({ length: 30 }, (_, i) => ({ id: `r${first + i}`, name: "x" }));
  const post = (first: number) => ada.ask("POST", "/api/tables/players", rows(first), { "Idempotency-Key": `k-${first}`, Origin: w.url });
  for (let i = 0; i < 5; i += 1) {
    const { status, headers } = await post(0);
    assert.deepEqual([status, headers.get("idempotency-replayed")], [201, i === 0 ? null : "true"]);
  }
  assert.match((await post(30)).headers.get("ratelimit") ?? "", /"day";r=40/);
});

test("a write of which nobody knows whether it was made counts against its user's day", async () => {
  const sheet = eventSheet();
  sheet.grant("players", { append: "signed-in" });
  await using w = await world(sheet, undefined, { limits: rules({ daily: 100 }) });
  const ada = await member(w, "Ada");
  const post = () => ada.ask("POST", "/api/tables/players", { name: "x" }, { Origin: w.url });
  w.sheet.refuse = { reason: "away", message: "no answer", unsure: true };
  for (let i = 0; i < 3; i += 1) assert.equal((await post()).status, 503);
  w.sheet.refuse = undefined;
  assert.match((await post()).headers.get("ratelimit") ?? "", /"day";r=96/);
});

test("over the limit a repeated request still gets its answer, and nothing else is written", async () => {
  const limits = rules({ write: { most: 2, per: MINUTE }, read: { most: 3, per: MINUTE } });
  await using w = await world(open(), undefined, { limits, clients: createTrust(LOCAL) });
  const post = (key: string, body: string) =>
    send(w.url, "POST", "/api/tables/players", { "idempotency-key": key, "x-forwarded-for": "203.0.113.7" }, body);
  const batch = JSON.stringify(Array.from({ length: 51 }, () => JSON.parse(row()) as unknown)); // counts as two
  const first = await post("first", batch);
  assert.equal(first.status, 201);
  const again = await post("first", batch);
  assert.deepEqual([again.status, again.headers["idempotency-replayed"], again.body], [201, "true", first.body]);
  const refusals = [await post("new", row()), await post("first", row())];
  assert.deepEqual(
    refusals.map(({ status, body }) => [status, body["code"]]),
    [
      [429, "rate-limited"],
      [429, "rate-limited"],
    ],
  );
  assert.equal(w.sheet.written.size, 51);
  const before = w.sheet.asked.length;
  assert.equal((await post("first", batch)).status, 429, "a look for the answer counts as a read");
  assert.equal(w.sheet.asked.length, before);
});

test("over the limit, looks for the answer of a repeated request have a limit of their own, without a limit of reads", async () => {
  const limits = rules({ write: { most: 2, per: MINUTE } });
  await using w = await world(open(), undefined, { limits, clients: createTrust(LOCAL) });
  const post = (key: string, from = "203.0.113.7", body = row()) =>
    send(w.url, "POST", "/api/tables/players", { "idempotency-key": key, "x-forwarded-for": from }, body);
  const first = row();
  for (const status of [201, 201]) assert.equal((await post("first", undefined, first)).status, status);
  const before = w.sheet.asked.length;
  for (let i = 0; i < 4; i += 1) assert.equal((await post(`new-${i}`)).status, 429);
  assert.equal(w.sheet.asked.length, before + 4, "twice the write limit");
  const over = [await post("new-5"), await post("first", undefined, first), await post("new-6", undefined, "no JSON")];
  assert.deepEqual(
    over.map(({ status, body }) => [status, body["code"]]),
    over.map(() => [429, "rate-limited"]),
    "refused before the body is read",
  );
  assert.match(String(over[0]?.headers["ratelimit-policy"]), /^"write";q=2;w=60$/);
  assert.equal(w.sheet.asked.length, before + 4, "no look reaches the broker");
  assert.equal((await post("new-7", "203.0.113.8")).status, 201, "another address is not concerned");
});

test("without a write limit, and for strangers that can't be told apart, looks for an answer are limited, too", async () => {
  const { host, worker } = ledgerByHand();
  const clients = { countable: () => undefined };
  const log = { warn: () => undefined } as never;
  for (const user of ["ada", undefined]) {
    const userOf = (): Promise<string | undefined> => Promise.resolve(user);
    const limiter = new Limiter({ ledger: worker(), clients, userOf, rules: rules({ signals: 1 }), log });
    const looks: boolean[] = [];
    for (let i = 0; i < 201; i += 1) looks.push(await limiter.replay({} as IncomingMessage));
    assert.deepEqual([looks.filter((may) => may).length, looks.at(-1)], [200, false]);
  }
  host.close();
});

test("names of limits and what is left of them, as structured fields", () => {
  const deeds = [
    { name: "write", key: "write:user:ada", most: 100, per: MINUTE },
    { name: "day", key: "day:user:ada", most: 500, per: "day" as const },
  ];
  const ok = rateLimitHeaders(deeds, { is: "ok", key: "day:user:ada", left: 3, resetIn: ms(1_500) });
  assert.deepEqual(ok, { "RateLimit-Policy": '"write";q=100;w=60, "day";q=500;w=86400', RateLimit: '"day";r=3;t=2' });
  assert.deepEqual(rateLimitHeaders([], { is: "ok", left: 3, resetIn: ms(0) }), {});
});

test("an address is counted by itself, an IPv6 with its network", () => {
  assert.deepEqual(["203.0.113.7", "2001:db8::1", "2001:db8:0:0:ffff::", "2001:DB8:0:1::1", "::1", "fe80::1", "unix"].map(addressKey), [
    "203.0.113.7",
    "2001:db8:0:0::/64",
    "2001:db8:0:0::/64",
    "2001:db8:0:1::/64",
    "0:0:0:0::/64",
    "fe80:0:0:0::/64",
    "unix",
  ]);
});

test("4.4: a full service says so in the reader's language and the site's words, to the letter", () => {
  const read = slotNoun.parse("fr: bot actif/bots actifs, en: active bot/active bots", "/");
  assert.ok(read.ok);
  const BOTS = read.value;
  const full = { used: 200, max: 200, retryAfter: seconds(30) };
  const said = (language?: string, random = 0) =>
    fullProblem(full, language === undefined ? {} : { "accept-language": language }, BOTS, () => random);
  const french = said("fr-FR,fr;q=0.9,en;q=0.8");
  assert.equal(french.detail, "Serveur complet (200/200 bots actifs). Réessaie dans quelques minutes.");
  assert.deepEqual([french.status, french.code], [503, "full"]);
  assert.deepEqual(french.headers, {
    "Retry-After": "30",
    "X-Drover-Refused": "full",
    "Content-Language": "fr",
    Vary: "Accept-Language",
  });
  assert.equal(said("en").detail, "Server full (200/200 active bots). Try again in a few minutes.");
  assert.equal(said().headers?.["Content-Language"], "en");
  assert.equal(said("en", 0.999).headers?.["Retry-After"], "45");
  assert.equal(fullSentence({ used: 1, max: 1 }, "fr", BOTS), "Serveur complet (1/1 bot actif). Réessaie dans quelques minutes.");
  assert.equal(
    fullSentence({ used: 250, max: 200 }, "fr", SLOT_NOUN),
    "Serveur complet (250/200 places occupées). Réessaie dans quelques minutes.",
  );
});

test("4.4: whoever is not in is told why", () => {
  const told = (admission: Parameters<typeof admissionProblem>[0]) => {
    const is = admissionProblem(admission, {}, SLOT_NOUN);
    return [is.status, is.code, is.headers?.["X-Drover-Refused"], is.headers?.["Retry-After"] !== undefined];
  };
  assert.deepEqual(told({ is: "full", used: 1, max: 1, retryAfter: ms(1) }), [503, "full", "full", true]);
  assert.deepEqual(told({ is: "taken-over" }), [401, "taken-over", "taken-over", false]);
  assert.deepEqual(told({ is: "revoked" }), [401, "revoked", "revoked", false]);
  assert.deepEqual(told({ is: "refused", most: 1 }), [429, "sessions", "sessions", true]);
  assert.deepEqual(told({ is: "away", retryAfter: ms(2_000) }), [503, "broker", "broker", true]);
});
