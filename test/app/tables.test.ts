import assert from "node:assert/strict";
import { test } from "node:test";
import { Piscina } from "piscina";
import { seconds } from "../../src/base/units.ts";
import { PLAYERS, players, sampleSheet, Sheet, world } from "./world.ts";

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly parameter?: string;
  readonly requestId: string;
}

async function problemAt(url: string, init?: RequestInit): Promise<{ response: Response; body: Problem }> {
  const response = await fetch(url, init);
  assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  const body = (await response.json()) as Problem;
  assert.equal(body.status, response.status);
  assert.equal(body.requestId, response.headers.get("x-request-id"));
  return { response, body };
}

test("a list, a miss and then a hit that never reaches the application", async () => {
  await using w = await world(sampleSheet());
  const first = await fetch(`${w.url}/api/tables/players?limit=3`);
  assert.equal(first.status, 200);
  const body = (await first.json()) as Record<string, unknown>;
  assert.deepEqual(Object.keys(body), ["table", "rows", "total", "next", "asOf"]);
  assert.deepEqual([body["table"], body["total"], body["asOf"]], ["players", 12, new Date(1_780_000_000_000).toISOString()]);
  assert.deepEqual((body["rows"] as unknown[])[0], { id: "p1", name: "Joueur 1", score: 0 });
  assert.equal(first.headers.get("x-cache"), "MISS");
  assert.equal(first.headers.get("cache-control"), "public, max-age=30, s-maxage=30, stale-while-revalidate=30, stale-if-error=600");
  assert.equal(first.headers.get("content-type"), "application/json; charset=utf-8");
  assert.equal(first.headers.get("vary"), "Accept-Encoding");
  assert.equal(first.headers.get("access-control-allow-origin"), null);
  assert.equal(first.headers.get("server"), null);
  assert.equal(w.reached(), 1);
  const second = await fetch(`${w.url}/api/tables/players?limit=3`);
  assert.equal(second.headers.get("x-cache"), "HIT");
  assert.equal(second.headers.get("etag"), first.headers.get("etag"));
  assert.deepEqual(await second.json(), body);
  assert.equal(w.reached(), 1);
  const third = await fetch(`${w.url}/api/tables/players?limit=3`, { headers: { "if-none-match": first.headers.get("etag") ?? "" } });
  assert.equal(third.status, 304);
  const head = await fetch(`${w.url}/api/tables/players?limit=2`, { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), "");
  assert.ok(Number(head.headers.get("content-length")) > 100);
});

test("one row, and no row", async () => {
  const sheet = new Sheet();
  sheet.table("t", "public", PLAYERS, [
    ["a/b é", "x", 1],
    [null, "empty key", 2],
    ["__proto__", "y", 3],
    ["null", "z", 4],
  ]);
  await using w = await world(sheet);
  const row = await fetch(`${w.url}/api/tables/t/${encodeURIComponent("a/b é")}`);
  assert.deepEqual(await row.json(), { table: "t", row: { id: "a/b é", name: "x", score: 1 } });
  assert.equal((await fetch(`${w.url}/api/tables/t/__proto__`)).status, 200);
  for (const key of ["null", "nope", "", "constructor", "x".repeat(5_000)]) {
    const { response, body } = await problemAt(`${w.url}/api/tables/t/${key}`);
    assert.deepEqual([response.status, body.code], [404, "unknown-key"]);
  }
  const { body } = await problemAt(`${w.url}/api/tables/t/a?limit=3`);
  assert.equal(body.parameter, "limit");
  const reached = w.reached();
  assert.equal((await fetch(`${w.url}/api/tables/t/__proto__`)).headers.get("x-cache"), "HIT");
  assert.equal(w.reached(), reached);
});

test("3.7: a page by number has rows and a tag of its own, and comes from memory", async () => {
  await using w = await world(sampleSheet());
  const get = async (query: string) => {
    const response = await fetch(`${w.url}/api/tables/players?${query}`);
    const { rows } = (await response.json()) as { rows: readonly { id: string }[] };
    return { ids: rows.map(({ id }) => id), headers: response.headers };
  };
  const [first, second] = [await get("limit=2&page=1"), await get("limit=2&page=2")];
  assert.deepEqual(
    [first.ids, second.ids],
    [
      ["p1", "p2"],
      ["p3", "p4"],
    ],
  );
  assert.notEqual(first.headers.get("etag"), second.headers.get("etag"));
  const reached = w.reached();
  const again = await get("limit=2&page=2");
  assert.deepEqual([again.ids, again.headers.get("x-cache"), w.reached()], [["p3", "p4"], "HIT", reached]);
});

test("X-Cache: MISS waited for Google, HIT did not, whether or not the bytes stood ready", async () => {
  await using w = await world(sampleSheet());
  const caches = async (paths: readonly string[]) => {
    const found: (string | null)[] = [];
    for (const path of paths) found.push((await fetch(`${w.url}/api/tables/players${path}`)).headers.get("x-cache"));
    return found;
  };
  const paths = ["?limit=1", "?limit=2", "?sort=-score&limit=3", "/p1", "/export?format=csv"];
  assert.deepEqual(await caches(paths), ["MISS", "HIT", "HIT", "HIT", "HIT"]);
  assert.deepEqual(await caches(paths), ["HIT", "HIT", "HIT", "HIT", "HIT"]);
  const { hits, misses, prepared } = w.counters;
  assert.deepEqual({ hits, misses, prepared }, { hits: 7, misses: 1, prepared: 4 }, "exports are counted nowhere here");
});

test("X-Table-Warnings counts what is wrong, and names the columns that are hidden because of their names", async () => {
  await using w = await world(sampleSheet());
  const header = async (query: string) => (await fetch(`${w.url}/api/tables/players?${query}`)).headers.get("x-table-warnings");
  assert.equal(await header("limit=1"), null);
  w.sheet.notes.set("players", { warnings: 2, hidden: ["Code postal", "Clé secret", 'a "pin"\n'] });
  await w.sheet.want("players");
  assert.equal(await header("limit=1"), '2; hidden="Code postal, Cl%C3%A9 secret, a \\"pin\\"%0A"', "the prepared answer is made again");
});

test("a table without columns, because its tab is empty, is served in every form", async () => {
  const sheet = sampleSheet();
  sheet.table("empty", "public", [], []);
  await using w = await world(sheet);
  const list = await fetch(`${w.url}/api/tables/empty`);
  assert.deepEqual([list.status, ((await list.json()) as { rows: unknown }).rows], [200, []]);
  for (const format of ["csv", "xlsx"]) {
    const answer = await fetch(`${w.url}/api/tables/empty/export?format=${format}`);
    assert.equal(answer.status, 200, `${format}: ${await answer.text()}`);
  }
  assert.equal((await fetch(`${w.url}/api/tables/empty/x`)).status, 404);
  assert.equal((await fetch(`${w.url}/api/openapi.json`)).status, 200);
});

test("a row's tag outlives changes of other rows", async () => {
  await using w = await world(sampleSheet());
  const before = (await fetch(`${w.url}/api/tables/players/p2`)).headers.get("etag");
  w.sheet.push("players", PLAYERS, players(12).with(0, ["p1", "changed", 1]));
  assert.equal((await fetch(`${w.url}/api/tables/players/p2`)).headers.get("etag"), before);
  w.sheet.push("players", PLAYERS, players(12).with(1, ["p2", "changed", 1]));
  assert.notEqual((await fetch(`${w.url}/api/tables/players/p2`)).headers.get("etag"), before);
});

test("bad input: every mistake is a problem that names the parameter", async () => {
  await using w = await world(sampleSheet());
  for (const [query, parameter] of [
    ["limit=0", "limit"],
    ["limit=5&limit=5", "limit"],
    ["sort=code", "sort"],
    ["filter[code]=x", "filter[code]"],
    ["filter[score]=x", "filter[score]"],
    ["filter[score][near]=1", "filter[score][near]"],
    ["cursor=AAAA", "cursor"],
    ["page=0", "page"],
    ["pages=2", "pages"],
    ["filter[name]=%ff", "filter[name]"],
  ] as const) {
    const { response, body } = await problemAt(`${w.url}/api/tables/players?${query}`);
    assert.deepEqual([response.status, body.code, body.parameter], [400, "bad-parameter", parameter]);
    assert.match(body.detail, /expected|twice|belongs|encoded|has id|takes/);
  }
  const hidden = await problemAt(`${w.url}/api/tables/players?filter[code]=x`);
  const unknown = await problemAt(`${w.url}/api/tables/players?filter[nope]=x`);
  assert.equal(hidden.body.detail.replaceAll("code", "?"), unknown.body.detail.replaceAll("nope", "?"));
  assert.equal((await problemAt(`${w.url}/api/tables/players?filter[name]=${"x".repeat(9_000)}`)).response.status, 414);
});

test("paths, methods and bodies that lead nowhere", async () => {
  await using w = await world(sampleSheet());
  for (const [method, path, status, code] of [
    ["GET", "/nope", 404, "unknown-path"],
    ["GET", "/api/tables/", 404, "unknown-table"],
    ["GET", "/api/tables/players/p1/x", 404, "unknown-path"],
    ["GET", "/api/tables/%zz", 400, "bad-path"],
    ["GET", "/api/tables/players/%ff", 400, "bad-path"],
    ["GET", "/%c0%ae%c0%ae/x", 400, "bad-path"],
    ["GET", `/api/tables/players/${"x".repeat(9_000)}`, 414, "uri-too-long"],
    ["POST", "/api/tables/players", 405, "method"],
    ["DELETE", "/api/tables/players/p1", 405, "method"],
    ["PUT", "/", 405, "method"],
    ["PROPFIND", "/healthz", 405, "method"],
    ["POST", "/nope", 404, "unknown-path"],
  ] as const) {
    const { response, body } = await problemAt(w.url + path, {
      method,
      ...(method === "POST" ? { body: "<x/>", headers: { "content-type": "text/xml" } } : {}),
    });
    assert.deepEqual([method, path, response.status, body.code], [method, path, status, code]);
    if (status === 405) assert.equal(response.headers.get("allow"), "GET, HEAD, OPTIONS");
  }
  const options = await fetch(`${w.url}/api/tables/players`, {
    method: "OPTIONS",
    headers: { origin: "https://evil.test", "access-control-request-method": "GET" },
  });
  assert.deepEqual([options.status, options.headers.get("allow")], [204, "GET, HEAD, OPTIONS"]);
  assert.equal(
    [...options.headers.keys()].some((name) => name.startsWith("access-control")),
    false,
  );
  const large = await fetch(`${w.url}/api/tables/players`, { method: "POST", body: "x".repeat(3_000_000) }).catch(() => undefined);
  assert.ok(large === undefined || large.status === 405);
});

test("private tables: as if unknown for nobody's, 401 for those of people who are signed in, and never fetched", async () => {
  await using w = await world(sampleSheet());
  const unknown = await problemAt(`${w.url}/api/tables/nothere`);
  const nobody = await problemAt(`${w.url}/api/tables/secrets`);
  assert.equal(nobody.response.status, 404);
  const same = ({ detail, code }: Problem, name: string) => [code, detail.replaceAll(name, "?")];
  assert.deepEqual(same(nobody.body, "secrets"), same(unknown.body, "nothere"));
  assert.equal((await problemAt(`${w.url}/api/tables/secrets/s1`)).response.status, 404);
  for (const name of ["members", "own"]) {
    const { response, body } = await problemAt(`${w.url}/api/tables/${name}`);
    assert.deepEqual([response.status, body.code], [401, "not-public"]);
    assert.match(body.detail, /not public/);
    assert.ok(response.headers.get("www-authenticate"));
    assert.equal((await problemAt(`${w.url}/api/tables/${name}/m1`)).response.status, 401);
  }
  assert.deepEqual(w.sheet.wants, []);
});

test("nothing hidden in any answer, header or log line", async () => {
  await using w = await world(sampleSheet());
  const texts: string[] = [];
  for (const path of [
    "/",
    "/healthz",
    "/api/openapi.json",
    "/api/tables/players",
    "/api/tables/secrets",
    "/api/tables/secrets/s1",
    "/api/tables/members",
    "/api/tables/own?sort=-id",
    "/static/board.js",
    "/nope",
  ]) {
    const response = await fetch(w.url + path);
    texts.push(await response.text(), JSON.stringify([...response.headers]));
  }
  for (const text of [...texts, ...w.log]) assert.doesNotMatch(text, /CANARY|hush/);
  const openapi = texts[4] ?? "";
  assert.match(openapi, /players/);
  assert.doesNotMatch(openapi, /secrets|members|mail|tables\/own/);
});

test("a table that becomes private is private at the next request, prepared or not", async () => {
  await using w = await world(sampleSheet());
  assert.equal((await fetch(`${w.url}/api/tables/players`)).status, 200);
  w.sheet.table("players", "nobody", PLAYERS, players(12));
  assert.equal((await problemAt(`${w.url}/api/tables/players`)).response.status, 404);
});

test("a table that was never loaded: 503 with the reason's class, whole seconds and no secret", async () => {
  await using w = await world(sampleSheet());
  w.sheet.fail({
    table: "players",
    reason: "denied",
    message: "share it with robot@CANARY.iam.gserviceaccount.com",
    retryAfter: seconds(2.1),
  });
  const { response, body } = await problemAt(`${w.url}/api/tables/players`);
  assert.deepEqual([response.status, body.code, response.headers.get("retry-after")], [503, "denied", "3"]);
  assert.doesNotMatch(body.detail, /CANARY/);
  w.sheet.fail({ table: "players", reason: "upstream", cause: "malformed", message: "no column", retryAfter: seconds(28) });
  const unexpected = await problemAt(`${w.url}/api/tables/players`);
  assert.deepEqual([unexpected.response.status, unexpected.body.code], [503, "upstream"]);
  assert.match(unexpected.body.detail, /what Google Sheets gives is not what the service expects/);
  w.sheet.fail({ table: "players", reason: "upstream", cause: "missing", message: "no range players", retryAfter: seconds(28) });
  const missing = await problemAt(`${w.url}/api/tables/players`);
  assert.match(missing.body.detail, /the spreadsheet has no such tab or range any more, or it was renamed/);
});

test("a table whose refresh fails is served with its age and says STALE, then HIT no more", async () => {
  await using w = await world(sampleSheet());
  await fetch(`${w.url}/api/tables/players?limit=1`);
  w.clockOffset = 200_000;
  w.sheet.fail({ table: "players", reason: "upstream", message: "Google answers 500", retryAfter: seconds(60) });
  for (const path of ["/api/tables/players?limit=1", "/api/tables/players?limit=2", "/api/tables/players/p1"]) {
    const response = await fetch(w.url + path);
    assert.deepEqual([response.status, response.headers.get("x-cache")], [200, "STALE"]);
    assert.ok(Number(response.headers.get("age")) >= 199);
  }
  w.sheet.events?.link(false);
  assert.equal((await fetch(`${w.url}/api/tables/players?limit=4`)).headers.get("x-cache"), "STALE");
});

test("pages follow each other by `next`, over a change of the rows", async () => {
  await using w = await world(sampleSheet(12));
  const page = async (query: string) =>
    (await (await fetch(`${w.url}/api/tables/players?${query}`)).json()) as { rows: { id: string }[]; next: string | null };
  const first = await page("limit=5");
  w.sheet.push("players", PLAYERS, [["new", "New", 5], ...players(12)]);
  const second = await page(`limit=5&cursor=${first.next}`);
  assert.deepEqual(
    second.rows.map((row) => row.id),
    ["p6", "p7", "p8", "p9", "p10"],
  );
  const third = await page(`limit=5&cursor=${second.next}`);
  assert.deepEqual([third.rows.length, third.next], [2, null]);
  const { body } = await problemAt(`${w.url}/api/tables/players?sort=name&cursor=${first.next}`);
  assert.equal(body.parameter, "cursor");
});

test("large tables are searched in a thread, with the same bytes as on the loop", async () => {
  await using w = await world(sampleSheet(6_000));
  const get = async (path: string) => await (await fetch(`${w.url}/api/tables/players${path}`)).text();
  await get("?limit=10");
  assert.deepEqual(w.threadRuns, []);
  const sorted = JSON.parse(await get("?sort=-score,name&filter[score][gt]=50&limit=3")) as { rows: { score: number }[]; total: number };
  assert.deepEqual(
    sorted.rows.map((row) => row.score),
    [100, 100, 100],
  );
  assert.equal((JSON.parse(await get("/p5999")) as { row: { id: string } }).row.id, "p5999");
  assert.equal((await fetch(`${w.url}/api/tables/players/nope`)).status, 404);
  assert.deepEqual(w.threadRuns, ["page", "find", "find"]);
  w.threadsFail = Object.assign(new Error("16 tasks wait"), { code: "THREADS_BUSY" });
  const { response, body } = await problemAt(`${w.url}/api/tables/players?sort=id`);
  assert.deepEqual([response.status, body.code, response.headers.get("retry-after")], [503, "busy", "1"]);
  assert.equal(response.headers.get("x-drover-refused"), "threads");
});

test("a failure inside is a 500 that tells nothing, and a log line that tells all", async () => {
  await using w = await world(sampleSheet(6_000));
  w.threadsFail = new Error("CANARY at /etc/secret");
  const { response, body } = await problemAt(`${w.url}/api/tables/players?sort=id`);
  assert.deepEqual([response.status, body.code], [500, "internal"]);
  assert.doesNotMatch(JSON.stringify(body), /CANARY|etc/);
  assert.ok(w.log.some((line) => line.includes("CANARY") && line.includes(body.requestId)));
});

test("two instances give the same bytes and tags, whatever versions they have seen", async () => {
  await using a = await world(sampleSheet());
  a.sheet.push("players", PLAYERS, [["x", "y", 1]]);
  const asOf = sampleSheet();
  await using b = await world(asOf);
  b.sheet.push("players", PLAYERS, [["x", "y", 1]]);
  for (const path of [
    "/api/tables/players",
    "/api/tables/players/x",
    "/api/tables/players?sort=-score&filter[name]=y",
    "/api/openapi.json",
    "/",
  ]) {
    const [one, two] = [await fetch(a.url + path), await fetch(b.url + path)];
    assert.equal(one.status, 200);
    assert.equal(await one.text(), await two.text());
    assert.equal(one.headers.get("etag"), two.headers.get("etag"));
    assert.match(one.headers.get("etag") ?? "", /^"[^"]+"$/);
  }
});

test("before the broker has said which tables there are, nothing claims that there are none", async () => {
  const sheet = sampleSheet();
  const listen = sheet.listen.bind(sheet);
  sheet.listen = (events) => void (sheet.events = events);
  await using w = await world(sheet);
  for (const path of ["/api/openapi.json", "/api/tables/players"]) {
    const { response, body } = await problemAt(w.url + path);
    assert.deepEqual([response.status, body.code, response.headers.get("retry-after")], [503, "broker", "1"]);
  }
  assert.equal((await problemAt(`${w.url}/api/tables/secrets`)).response.status, 503);
  assert.deepEqual(sheet.wants, [], "no table is fetched before it is known to be public");
  if (sheet.events !== undefined) listen(sheet.events);
  assert.equal((await fetch(`${w.url}/api/openapi.json`)).status, 200);
  assert.equal((await fetch(`${w.url}/api/tables/players`)).status, 200);
});

test("a real thread gives the same bytes as the loop", async () => {
  await using w = await world(sampleSheet(6_000));
  const path = "/api/tables/players?sort=-score&filter[score][lt]=90&limit=5";
  const looped = await (await fetch(w.url + path)).text();
  const pool = new Piscina({ maxThreads: 1 });
  try {
    w.pool = pool;
    w.sheet.push("players", PLAYERS, players(6_001));
    await fetch(w.url + path);
    w.sheet.push("players", PLAYERS, players(6_000));
    const threaded = await (await fetch(w.url + path)).text();
    const withoutAsOf = (text: string) => text.replace(/"asOf":"[^"]+"/, "");
    assert.equal(withoutAsOf(threaded), withoutAsOf(looped));
  } finally {
    await pool.destroy();
  }
});

test("health", async () => {
  await using w = await world(sampleSheet());
  const health = await fetch(`${w.url}/healthz`);
  assert.deepEqual([health.status, await health.json()], [200, { status: "ok", upstream: "ok", demo: true }]);
  assert.equal(health.headers.get("cache-control"), "no-store");
  w.health.status = "degraded";
  w.health.upstream = "down";
  assert.equal((await fetch(`${w.url}/healthz?probe=1`)).status, 200);
  w.health.status = "stopping";
  const stopping = await fetch(`${w.url}/healthz`);
  assert.deepEqual([stopping.status, stopping.headers.get("retry-after")], [503, "5"]);
});

test("by fastify.inject, without a worker before it", async () => {
  await using w = await world(sampleSheet());
  const list = await w.fastify.inject("/api/tables/players?limit=1");
  assert.equal(list.statusCode, 200);
  const missing = await w.fastify.inject({ method: "TRACE" as "GET", url: "/healthz" });
  assert.equal(missing.statusCode, 405);
  const star = await w.fastify.inject({ method: "OPTIONS", url: "*" });
  assert.ok(star.statusCode === 204 || star.statusCode === 404);
});
