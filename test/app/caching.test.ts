/** Who may keep what: everybody what everybody gets, nobody anything else, whatever was asked and however it ended. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { sampleSheet, world } from "./world.ts";

/** Whether a cache may answer the next one with it unasked (RFC 9111 §3, §5.2.2), and for how many seconds. */
function keeps(headers: Headers, name = "cache-control"): number {
  const words = (headers.get(name) ?? "").split(",").map((word) => word.trim());
  if (words.some((word) => /^(?:no-store|no-cache|private)\b/.test(word))) return 0;
  const seconds = words.map((word) => /^(?:s-maxage|max-age)=(\d+)$/.exec(word)?.[1]).find((found) => found !== undefined);
  return words.includes("public") ? Number(seconds ?? 0) : Infinity; // of what says nothing a cache may think what it likes
}

test("2.6: public rows can be kept by browsers and CDNs; nothing private by anything", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "drover-caching-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const name of ["index.html", "app-3f9a8b7c.js", "logo.png"]) writeFileSync(join(directory, name), name);
  const sheet = sampleSheet();
  sheet.grant("players", { append: "public", update: "public" });
  await using w = await world(sheet, directory);
  const send = (path: string, method = "GET", body?: unknown, headers = {}): Promise<Response> =>
    fetch(`${w.url}${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  for (const path of ["/api/tables/players", "/api/tables/players?limit=2", "/api/tables/players/p1"]) {
    for (const headers of [{}, { cookie: "s=1" }, { authorization: "Bearer x" }] as const) {
      const response = await send(path, "GET", undefined, headers);
      assert.equal(response.status, 200);
      assert.equal(
        response.headers.get("cache-control"),
        "public, max-age=30, s-maxage=30, stale-while-revalidate=30, stale-if-error=600",
        "the same bytes for everybody, whoever asks",
      );
      assert.equal(response.headers.get("cdn-cache-control"), "public, max-age=30, stale-while-revalidate=30, stale-if-error=600");
      assert.equal(response.headers.get("set-cookie"), null);
      const again = await send(path, "GET", undefined, { "if-none-match": response.headers.get("etag") ?? "" });
      assert.equal(again.status, 304);
      assert.equal(keeps(again.headers), 30, "a 304 makes it fresh again");
    }
  }
  assert.equal(keeps((await send("/static/app-3f9a8b7c.js")).headers), 31_536_000);
  assert.equal(keeps((await send("/static/logo.png")).headers), 86_400);

  const written = await send("/api/tables/players", "POST", { id: "new", name: "N" });
  const { write } = (await written.json()) as { write: { id: string } };
  const unkept: readonly (readonly [status: number, Promise<Response>])[] = [
    [201, send("/api/tables/players", "POST", { id: "newer", name: "N" })],
    [409, send("/api/tables/players", "POST", { id: "newer", name: "N" })],
    [422, send("/api/tables/players", "POST", { nonsense: 1 })],
    [200, send("/api/tables/players/new", "PATCH", { name: "M" })],
    [200, send(`/api/writes/${write.id}`)],
    [404, send("/api/tables/secrets")],
    [404, send("/api/tables/members", "GET", undefined, { cookie: "s=1" })],
    [404, send("/api/tables/own")],
    [404, send("/api/tables/secrets/s1")],
    [405, send("/api/tables/players", "PUT", {})],
    [400, send("/api/tables/players?limit=0")],
    [404, send("/nothing")],
    [404, send("/static/.env")],
    [200, send("/healthz")],
    [200, send("/")],
    [200, send("/api/openapi.json")],
  ];
  for (const [status, promise] of unkept) {
    const response = await promise;
    assert.ok(response.status === status || (status === 404 && response.status === 401), `${response.url}: ${response.status}`);
    assert.equal(keeps(response.headers), 0, `${response.url} ${status}: ${response.headers.get("cache-control")}`);
    assert.equal(response.headers.get("cdn-cache-control"), null);
  }
  const stream = await send("/api/events?tables=players");
  assert.equal(keeps(stream.headers), 0);
  await stream.body?.cancel();
});
