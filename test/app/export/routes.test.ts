import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Piscina } from "piscina";
import { http } from "../../../src/base/http.ts";
import { NO_LIMITS } from "../../../src/app/limits/rules.ts";
import { minutes, ms } from "../../../src/base/units.ts";
import { ledgerByHand } from "../../broker/ledger/ledgers.ts";
import { loginServices, PLAYERS, players, sampleSheet, Sheet, world, type World } from "../world.ts";
import { parseCsv, readSheet } from "./unzip.ts";

const at = (w: World, query: string, table = "players"): string => `${w.url}/api/tables/${table}/export?${query}`;

test("a table in each form: headers of a file, all its rows", async () => {
  await using w = await world(sampleSheet(1_500));
  const csv = await fetch(at(w, "format=csv"));
  assert.deepEqual(
    ["content-type", "content-disposition", "x-cache", "age", "x-rows", "cache-control", "x-content-type-options", "content-length"].map(
      (name) => csv.headers.get(name),
    ),
    [
      "text/csv; charset=utf-8; header=present",
      'attachment; filename="players-2026-05-28.csv"',
      "MISS",
      "0",
      "1500",
      "public, max-age=30, s-maxage=30, stale-while-revalidate=30, stale-if-error=600",
      "nosniff",
      "30667",
    ],
  );
  assert.equal(csv.headers.get("cdn-cache-control"), "public, max-age=30, stale-while-revalidate=30, stale-if-error=600");
  assert.match(csv.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  assert.equal(csv.headers.get("access-control-allow-origin"), null);
  const rows = parseCsv(await csv.text());
  assert.deepEqual(rows[0], ["id", "name", "score"]);
  assert.deepEqual(
    rows.slice(1),
    players(1_500).map((row) => row.map(String)),
  );
  const json = await fetch(at(w, "format=json"));
  const text = await json.text();
  assert.equal(json.headers.get("content-length"), String(Buffer.byteLength(text)));
  assert.equal(json.headers.get("content-type"), "application/json; charset=utf-8");
  assert.deepEqual(
    (JSON.parse(text) as object[]).map((row) => Object.values(row)),
    players(1_500),
  );
  const xlsx = await fetch(at(w, "format=xlsx"));
  assert.equal(xlsx.headers.get("content-type"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
  assert.equal(xlsx.headers.get("content-disposition"), 'attachment; filename="players-2026-05-28.xlsx"');
  const sheet = readSheet(Buffer.from(await xlsx.arrayBuffer()));
  assert.deepEqual(
    sheet.slice(1).map((row) => [...row.values()].map(({ value }) => value)),
    players(1_500),
  );
  const marked = Buffer.from(await (await fetch(at(w, "format=csv&bom=1"))).arrayBuffer());
  assert.equal(marked.subarray(0, 5).toString("hex"), "efbbbf6964");
  assert.ok(
    w.threadRuns.every((name) => name === "piece"),
    "a table as it stands needs no selection",
  );
});

test("filters, sort, limit and cursor select as a list does", async () => {
  await using w = await world(sampleSheet(300));
  const query = "filter[score][gte]=20&sort=-score,name&limit=40";
  const list = (await (await fetch(`${w.url}/api/tables/players?${query}`)).json()) as { rows: unknown[]; next: string; total: number };
  const first = await fetch(at(w, `format=json&${query}`));
  assert.equal(first.headers.get("x-rows"), "40");
  assert.deepEqual(await first.json(), list.rows);
  const more = (await (await fetch(`${w.url}/api/tables/players?${query}&cursor=${list.next}`)).json()) as { rows: unknown[] };
  assert.deepEqual(await (await fetch(at(w, `format=json&${query}&cursor=${list.next}`))).json(), more.rows);
  const whole = await fetch(at(w, "format=json&filter[score][gte]=20&sort=-score,name"));
  assert.equal(whole.headers.get("x-rows"), String(list.total));
  assert.equal(((await whole.json()) as unknown[]).length, list.total);
  const plain = (await (await fetch(`${w.url}/api/tables/players?limit=7`)).json()) as { next: string };
  const rest = (await (await fetch(at(w, `format=json&cursor=${plain.next}`))).json()) as unknown[];
  assert.equal(rest.length, 293);
  const none = await fetch(at(w, "format=csv&filter[id]=nobody"));
  assert.deepEqual([none.headers.get("x-rows"), await none.text()], ["0", "id,name,score\r\n"]);
});

test("what makes no sense is 400 and names the parameter; tables that nobody may read are not there", async () => {
  await using w = await world(sampleSheet());
  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ["", "format", /missing: expected csv, xlsx, json/],
    ["format=", "format", /“”/],
    ["format=pdf", "format", /“pdf”/],
    ["format=CSV", "format", /“CSV”/],
    ["format=csv&format=csv", "format", /twice/],
    ["format=csv&bom=yes", "bom", /“yes”/],
    ["format=xlsx&bom=1", "bom", /csv alone/],
    ["format=csv&limit=0", "limit", /1 to 10000000/],
    ["format=csv&limit=10000001", "limit", /1 to 10000000/],
    ["format=csv&sort=code", "sort", /no column “code”/],
    ["format=csv&filter[hidden]=1", "filter[hidden]", /no column “hidden”/],
    ["format=csv&columns=id", "columns", /an export takes format, bom, limit/],
    ["format=csv&cursor=abc", "cursor", /damaged/],
    ["format=%ff", "format", /percent-encoded/],
  ];
  for (const [query, parameter, detail] of wrong) {
    const response = await fetch(at(w, query));
    const body = (await response.json()) as { parameter: string; detail: string };
    assert.deepEqual([response.status, body.parameter, response.headers.get("content-disposition")], [400, parameter, null], query);
    assert.match(body.detail, detail);
  }
  for (const table of ["secrets", "nope", "%2e%2e"]) {
    const response = await fetch(at(w, "format=csv", table));
    assert.equal(response.status, 404);
    assert.doesNotMatch(await response.text(), /CANARY/);
  }
  assert.equal((await fetch(at(w, "format=csv", "members"))).status, 401);
  assert.equal((await fetch(at(w, "format=csv"), { method: "POST", body: "x" })).status, 405);
  const options = await fetch(at(w, "format=csv"), { method: "OPTIONS" });
  assert.deepEqual([options.status, options.headers.get("allow")], [204, "GET, HEAD, OPTIONS"]);
  assert.equal((await fetch(at(w, `format=csv&sort=${"x".repeat(9_000)}`))).status, 414);
});

test("HEAD and If-None-Match cost no piece; the tag tells forms, selections and contents apart", async () => {
  await using w = await world(sampleSheet(100));
  const tags = new Set<string>();
  for (const query of ["format=csv", "format=csv&bom=1", "format=json", "format=xlsx", "format=csv&limit=5", "format=csv&sort=score"]) {
    const head = await fetch(at(w, query), { method: "HEAD" });
    assert.deepEqual([head.status, await head.text()], [200, ""]);
    const tag = head.headers.get("etag") ?? "";
    assert.match(tag, /^"[\w-]+"$/);
    tags.add(tag);
    const again = await fetch(at(w, query), { headers: { "if-none-match": `"x", W/${tag}` } });
    assert.deepEqual([again.status, again.headers.get("etag"), again.headers.get("content-disposition")], [304, tag, null]);
    assert.equal(await again.text(), "");
  }
  assert.equal(tags.size, 6);
  assert.ok(!w.threadRuns.includes("piece"));
  const length = (await fetch(at(w, "format=json"), { method: "HEAD" })).headers.get("content-length");
  const before = await fetch(at(w, "format=json"));
  assert.equal(String((await before.arrayBuffer()).byteLength), length);
  w.sheet.push("players", PLAYERS, players(101));
  const changed = await fetch(at(w, "format=json"), { headers: { "if-none-match": before.headers.get("etag") ?? "" } });
  assert.deepEqual([changed.status, ((await changed.json()) as unknown[]).length], [200, 101]);
  w.sheet.fail({ table: "players", reason: "upstream", message: "down", retryAfter: ms(1_000) });
  assert.equal((await fetch(at(w, "format=json"), { method: "HEAD" })).headers.get("x-cache"), "STALE");
});

test("a workbook has bounds, and says so before anything is made", async () => {
  const sheet = new Sheet();
  const columns = Array.from({ length: 16_385 }, (_, i) => ({ name: `c${i}`, type: "auto" as const }));
  sheet.table("wide", "public", columns, [columns.map(() => 1)]);
  await using w = await world(sheet);
  const xlsx = await fetch(at(w, "format=xlsx", "wide"));
  assert.equal(xlsx.status, 400);
  assert.match(((await xlsx.json()) as { detail: string }).detail, /16385 columns: a workbook takes 1048575 rows and 16384 columns/);
  const csv = await fetch(at(w, "format=csv", "wide"));
  assert.equal(parseCsv(await csv.text())[1]?.length, 16_385);
});

/** 9 MB: more than the kernel takes for a client that does not read. */
const LARGE = Array.from({ length: 6_000 }, (_, i) => [`p${i}`, "x".repeat(1_500), i]);

function withLarge(players: number): Sheet {
  const sheet = sampleSheet(players);
  sheet.table("large", "public", PLAYERS, LARGE);
  return sheet;
}

const gets = (url: string, address = "198.51.100.7"): Promise<IncomingMessage> =>
  new Promise((resolve, reject) =>
    http
      .request(url, { agent: false, headers: { "x-test-address": address } }, resolve)
      .on("error", reject)
      .end(),
  );

test("one address holds three places at a time, and the others' exports are made", async () => {
  const sheet = withLarge(3);
  await using w = await world(sheet);
  const held: IncomingMessage[] = [];
  for (let i = 0; i < 3; i += 1) held.push(await gets(at(w, "format=csv", "large")));
  const fourth = await fetch(at(w, "format=csv"));
  assert.deepEqual([fourth.status, fourth.headers.get("x-drover-refused")], [429, "exports"]);
  assert.equal(fourth.headers.get("retry-after"), "5");
  const neighbour = await gets(at(w, "format=csv"), "198.51.100.8");
  assert.equal(neighbour.statusCode, 200);
  neighbour.resume();
  held.pop()?.destroy();
  for (let status = 429; status !== 200; await new Promise((resolve) => setTimeout(resolve, 20)))
    status = (await fetch(at(w, "format=csv"))).status;
  for (const one of held) one.destroy();
});

test("of exports that one address asks for in the same moment three are made, however long it takes to count them", async () => {
  const ledger = ledgerByHand({ rules: { max: 500 } }).worker();
  const slow = new Proxy(ledger, {
    get: (target, name) =>
      name === "spend"
        ? async (...args: Parameters<typeof ledger.spend>) => (await sleep(500), target.spend(...args))
        : (Reflect.get(target, name) as (...args: unknown[]) => unknown).bind(target),
  });
  const limits = { ...NO_LIMITS, export: { most: 1_000, per: minutes(1) } };
  await using w = await world(sampleSheet(3), undefined, { ...loginServices(slow), limits });
  const answers = await Promise.all(Array.from({ length: 10 }, () => fetch(at(w, "format=csv"))));
  const refused = answers.filter(({ status, headers }) => status === 429 && headers.get("x-drover-refused") === "exports");
  assert.equal(refused.length, 7);
});

test("ten at once, no more; whoever stops reading stops the work, and whoever leaves gives the place back", async () => {
  const sheet = withLarge(3);
  await using w = await world(sheet);
  const held: IncomingMessage[] = [];
  for (let i = 0; i < 10; i += 1) held.push(await gets(at(w, "format=csv", "large"), `203.0.113.${i}`)); // heads are read, bodies are not
  const refused = await fetch(at(w, "format=csv"));
  assert.deepEqual([refused.status, refused.headers.get("x-drover-refused")], [503, "exports"]);
  assert.match(refused.headers.get("retry-after") ?? "", /^([5-9]|10)$/);
  assert.equal(((await refused.json()) as { code: string }).code, "busy");
  let runs = -1;
  while (runs !== w.threadRuns.length) {
    runs = w.threadRuns.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const whole = LARGE.length * 1_515;
  console.log(`10 clients that read nothing: ${runs} pieces were made, of ${(10 * whole) / 131_072} that there are`);
  assert.ok(runs < (10 * whole) / 131_072 / 1.2, "nothing is made that nobody takes");
  const tag = (await fetch(at(w, "format=csv"), { method: "HEAD" })).headers.get("x-drover-refused");
  assert.equal(tag, "exports");
  const taken = async (status: number): Promise<void> => {
    for (let found = 0; found !== status;) {
      const response = await fetch(at(w, "format=csv"));
      await response.arrayBuffer();
      found = response.status;
    }
  };
  for (const one of held) one.destroy();
  await taken(200);
  const get = (i: number): string =>
    `GET /api/tables/large/export?format=csv HTTP/1.1\r\nHost: x\r\nX-Test-Address: 203.0.113.${i}\r\n\r\n`;
  const sockets = Array.from({ length: 5 }, () => connect(Number(new URL(w.url).port), "127.0.0.1").pause());
  for (const [i, socket] of sockets.entries()) socket.write(get(i) + get(i)); // the second of each waits behind the first
  await taken(503);
  for (const socket of sockets) socket.destroy();
  await taken(200);
});

test('the rows are searched once for one with the key "export", however often the export without parameters is asked for', async () => {
  await using w = await world(sampleSheet(20_000));
  const bare = at(w, "").replace(/\?$/, "");
  const first = await fetch(bare);
  await first.arrayBuffer();
  const again = await fetch(bare, { headers: { "if-none-match": first.headers.get("etag") ?? "" } });
  assert.deepEqual([first.status, again.status], [first.status, first.ok ? 304 : first.status]);
  assert.deepEqual(
    w.threadRuns.filter((run) => run === "find"),
    ["find"],
  );
});

test("the pool is full: 503 before the first byte; later an export waits", async () => {
  await using w = await world(sampleSheet(20_000));
  w.threadsFail = Object.assign(new Error("full"), { code: "THREADS_BUSY" });
  const refused = await fetch(at(w, "format=csv"));
  assert.deepEqual([refused.status, refused.headers.get("x-drover-refused")], [503, "threads"]);
  w.threadsFail = undefined;
  const sheet = await gets(at(w, "format=csv"));
  w.threadsFail = Object.assign(new Error("full"), { code: "THREADS_BUSY" });
  setTimeout(() => (w.threadsFail = undefined), 200);
  let text = "";
  for await (const chunk of sheet) text += String(chunk);
  assert.equal(parseCsv(text).length, 20_001);
});

test("a fault in the middle ends the connection, so that half a file is not taken for a whole one", async () => {
  const sheet = withLarge(1);
  await using w = await world(sheet);
  const answer = await gets(at(w, "format=csv", "large"));
  w.threadsFail = new Error("broken");
  await assert.rejects(async () => {
    for await (const _ of answer);
  }, /aborted/);
  assert.match(w.log.join(""), /an export failed in the middle/);
  w.threadsFail = undefined;
  assert.equal((await fetch(at(w, "format=csv"))).status, 200);
});

test("real threads, and two exports pipelined on one connection", async () => {
  await using w = await world(sampleSheet(20_000));
  const pool = new Piscina({ maxThreads: 1, atomics: "disabled" });
  w.pool = pool;
  try {
    const csv = parseCsv(await (await fetch(at(w, "format=csv&sort=-score"))).text());
    assert.equal(csv.length, 20_001);
    assert.deepEqual([csv[1]?.[2], csv[20_000]?.[2]], ["100", "0"]);
    const xlsx = readSheet(Buffer.from(await (await fetch(at(w, "format=xlsx&filter[score]=100"))).arrayBuffer()));
    assert.ok(xlsx.length > 100);
    const { port } = new URL(w.url);
    const socket = connect(Number(port), "127.0.0.1");
    const target = "/api/tables/players/export?format=json";
    socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\nGET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    const bodies = text
      .split(/HTTP\/1\.1 200 OK\r\n/)
      .slice(1)
      .map((one) => one.slice(one.indexOf("\r\n\r\n") + 4));
    assert.equal(bodies.length, 2);
    for (const body of bodies) assert.equal((JSON.parse(body) as unknown[]).length, 20_000);
  } finally {
    await pool.destroy();
  }
});

test("a row whose key is export is at its path without parameters; without such a row the path is an export's", async () => {
  const sheet = new Sheet();
  sheet.table("plain", "public", PLAYERS, players(2));
  sheet.table("players", "public", PLAYERS, [...players(2), ["export", "Kim", 7]]);
  await using w = await world(sheet);
  const path = (table: string): string => `${w.url}/api/tables/${table}/export`;
  const row = await fetch(path("players"));
  assert.deepEqual([row.status, await row.json()], [200, { table: "players", row: { id: "export", name: "Kim", score: 7 } }]);
  assert.equal((await fetch(path("players"), { method: "HEAD" })).status, 200);
  assert.deepEqual(((await (await fetch(`${path("players")}?format=json`)).json()) as unknown[]).length, 3);
  const missing = await fetch(path("plain"));
  assert.deepEqual([missing.status, ((await missing.json()) as { parameter: string }).parameter], [400, "format"]);
  assert.equal((await fetch(path("nothing"))).status, 400, "as before: an export without a format");
});

test("an export may wait when calls to Google are short: what it asks for is not a refresh", async () => {
  await using w = await world(sampleSheet(3));
  assert.equal((await fetch(at(w, "format=csv"))).status, 200);
  assert.deepEqual(w.sheet.priorities.at(-1), ["players", "export"]);
  await using fresh = await world(sampleSheet(3));
  await fetch(`${fresh.url}/api/tables/players/export`); // may be a row of that key
  assert.deepEqual(fresh.sheet.priorities.at(-1), ["players", "export"]);
});
