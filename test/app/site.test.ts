import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { cacheControlOf, Files, isHashed, safeSegments } from "../../src/app/files.ts";
import { hasTag } from "../../src/app/fixed.ts";
import { languageOf } from "../../src/app/page/language.ts";
import { sampleSheet, world } from "./world.ts";

/** A request whose path no client library has tidied up. */
async function raw(url: string, path: string): Promise<string> {
  const { port } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

async function site() {
  const directory = await mkdtemp(join(tmpdir(), "drover-site-"));
  const root = join(directory, "public");
  await mkdir(join(root, "assets"), { recursive: true });
  await mkdir(join(root, ".git"));
  await writeFile(join(directory, "outside.txt"), "CANARY");
  await writeFile(join(root, "index.html"), "<!doctype html><title>client</title>");
  await writeFile(join(root, "assets", "app-B3x9Qz1K.js"), "export {};");
  await writeFile(join(root, "with space é.txt"), "0123456789");
  await writeFile(join(root, ".env"), "CANARY");
  await writeFile(join(root, ".git", "config"), "CANARY");
  await symlink(join(directory, "outside.txt"), join(root, "link.txt"));
  await symlink(directory, join(root, "up"));
  return { root, directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}

test("the operator's files: type, strong tag, ranges, caching", async () => {
  await using files = await site();
  await using w = await world(sampleSheet(), files.root);
  const index = await fetch(`${w.url}/`);
  assert.equal(await index.text(), "<!doctype html><title>client</title>");
  assert.deepEqual(
    [index.headers.get("content-type"), index.headers.get("cache-control")],
    ["text/html; charset=utf-8", "public, no-cache"],
  );
  assert.match(index.headers.get("content-security-policy") ?? "", /frame-ancestors 'self'/);
  const script = await fetch(`${w.url}/static/assets/app-B3x9Qz1K.js`);
  assert.match(script.headers.get("content-type") ?? "", /javascript/);
  assert.equal(script.headers.get("cache-control"), "public, max-age=31536000, immutable");
  const etag = script.headers.get("etag") ?? "";
  assert.match(etag, /^"[\w-]{20}"$/);
  const again = await fetch(`${w.url}/static/assets/app-B3x9Qz1K.js`, { headers: { "if-none-match": etag } });
  assert.deepEqual([again.status, again.headers.get("etag"), await again.text()], [304, etag, ""]);
  const range = await fetch(`${w.url}/static/${encodeURIComponent("with space é.txt")}`, { headers: { range: "bytes=2-4" } });
  assert.deepEqual([range.status, await range.text()], [206, "234"]);
  const head = await fetch(`${w.url}/static/assets/app-B3x9Qz1K.js`, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("content-length"), await head.text()], [200, "10", ""]);
  await writeFile(join(files.root, "assets", "app-B3x9Qz1K.js"), "export 1;;");
  assert.notEqual((await fetch(`${w.url}/static/assets/app-B3x9Qz1K.js`)).headers.get("etag"), etag);
  assert.equal((await fetch(`${w.url}/static/assets/app-B3x9Qz1K.js`, { method: "POST" })).status, 405);
});

test("a name that says nothing of its type is octets: no browser guesses", async () => {
  await using files = await site();
  await writeFile(join(files.root, "LICENCE"), "free");
  await using w = await world(sampleSheet(), files.root);
  const answer = await fetch(`${w.url}/static/LICENCE`);
  assert.deepEqual([answer.status, answer.headers.get("content-type"), await answer.text()], [200, "application/octet-stream", "free"]);
});

test("a file that has gone since it was found, or has become a directory, is not there", async (t) => {
  await using files = await site();
  await using w = await world(sampleSheet(), files.root);
  for (const name of ["gone.txt", "assets"]) {
    const found = t.mock.method(Files.prototype, "find", () =>
      Promise.resolve({ name, etag: "x", cacheControl: "public, max-age=31536000" }),
    );
    const answer = await fetch(`${w.url}/static/${name}`, { redirect: "manual" });
    assert.equal(found.mock.callCount(), 1);
    assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [404, "unknown-path"]);
    assert.deepEqual([answer.headers.get("etag"), answer.headers.get("cache-control")], [null, "no-store"]);
    found.mock.restore();
  }
});

test("conditions on a file: If-Match, If-Range and a range that it does not have", async () => {
  await using files = await site();
  await using w = await world(sampleSheet(), files.root);
  const url = `${w.url}/static/${encodeURIComponent("with space é.txt")}`;
  const ask = async (headers: Record<string, string>) => {
    const response = await fetch(url, { headers });
    return [response.status, response.status < 400 ? await response.text() : response.headers.get("content-range")];
  };
  const tag = (await fetch(url)).headers.get("etag") ?? "";
  const range = "bytes=2-4";
  assert.deepEqual(await ask({ "if-match": `"x", ${tag}` }), [200, "0123456789"]);
  assert.deepEqual(await ask({ "if-match": "*", range }), [206, "234"]);
  assert.deepEqual(await ask({ "if-match": '"x"' }), [412, null]);
  assert.deepEqual(await ask({ "if-match": `W/${tag}` }), [412, null]);
  assert.deepEqual(await ask({ "if-range": tag, range }), [206, "234"]);
  assert.deepEqual(await ask({ "if-range": '"x"', range }), [200, "0123456789"]);
  assert.deepEqual(await ask({ "if-range": `W/${tag}`, range }), [200, "0123456789"]);
  assert.deepEqual(await ask({ "if-range": "Thu, 01 Jan 2099 00:00:00 GMT", range }), [200, "0123456789"]);
  assert.deepEqual(await ask({ "if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT" }), [200, "0123456789"]);
  assert.deepEqual(await ask({ range: "bytes=10-" }), [416, "bytes */10"]);
});

for (const path of [
  "/static/../outside.txt",
  "/static/%2e%2e/outside.txt",
  "/static/..%2foutside.txt",
  "/static/%252e%252e/outside.txt",
  "/static/..\\outside.txt",
  "/static/..%5coutside.txt",
  "/static/assets/../../outside.txt",
  "/static/assets/..%2f..%2foutside.txt",
  "/static//etc/passwd",
  "/static/%2fetc/passwd",
  "/static/%00",
  "/static/index.html%00.txt",
  "/static/.env",
  "/static/%2eenv",
  "/static/.git/config",
  "/static/link.txt",
  "/static/up/outside.txt",
  "/static/up/public/index.html",
  "/static/assets",
  "/static/assets/",
  "/static/",
  "/static",
  "/static/nope.js",
  `/static/${"a".repeat(300)}`,
  `/static/${"a/".repeat(600)}b`,
  "/static/....//outside.txt",
  "/static/..;/outside.txt",
  "/static/./../outside.txt",
  "/static/.%2e/outside.txt",
  "/static/%2e%2e%2foutside.txt",
  "/static/%2E%2E%5Coutside.txt",
  "/static/..%252foutside.txt",
  "/static/..%255coutside.txt",
  "/static/%ef%bc%8e%ef%bc%8e/outside.txt",
  "/static/%u002e%u002e/outside.txt".replaceAll("%u", "%25u"),
  "/static/\\..\\outside.txt",
  "/static/index.html/../../outside.txt",
  "/static/index.html/",
  "/static/index.html%20",
  "/static/..",
  "/static/%2e%2e",
  "/static//../outside.txt",
  "/static/file:///etc/passwd",
  "/static/assets/app-B3x9Qz1K.js%00.html",
  "/static/%2fproc/self/environ",
  "/../outside.txt",
  "/outside.txt",
])
  test(`there is no file ${path.slice(0, 60)}`, async () => {
    await using files = await site();
    await using w = await world(sampleSheet(), files.root);
    const answer = await raw(w.url, path);
    assert.match(answer, /^HTTP\/1\.1 404 /);
    assert.match(answer, /application\/problem\+json/);
    assert.doesNotMatch(answer, /CANARY|root:/);
  });

test("paths that are no text at all are 400", async () => {
  await using w = await world(sampleSheet());
  for (const path of ["/static/%", "/static/%zz", "/static/%c0%ae%c0%ae/x"])
    assert.match(await raw(w.url, path), /^HTTP\/1\.1 400 [^]*problem\+json/);
});

test("a root that is itself a link is followed, as a release that is switched", async () => {
  await using files = await site();
  await symlink(files.root, join(files.directory, "current"));
  await using w = await world(sampleSheet(), join(files.directory, "current"));
  assert.equal((await fetch(`${w.url}/`)).status, 200);
  await using other = await site();
  await writeFile(join(other.root, "index.html"), "second release");
  await rm(join(files.directory, "current"));
  await symlink(other.root, join(files.directory, "current"));
  const next = await fetch(`${w.url}/`);
  assert.deepEqual([next.status, await next.text()], [200, "second release"]);
});

test("a directory without an index says so at /", async () => {
  await using files = await site();
  await rm(join(files.root, "index.html"));
  await using w = await world(sampleSheet(), files.root);
  assert.equal((await fetch(`${w.url}/`)).status, 404);
});

test("the board that comes with drover: strict policy, nothing from elsewhere, and a copy of it works as one's own", async () => {
  const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; ";
  await using w = await world(sampleSheet());
  const answer = await fetch(`${w.url}/`);
  assert.equal(answer.headers.get("content-security-policy"), `${policy}frame-ancestors 'none'; form-action 'none'`);
  const html = await answer.text();
  assert.ok(html.includes(`content="${policy}form-action 'none'"`), "the policy goes with a copy");
  assert.doesNotMatch(html, /https?:\/\/|style=|onclick|<script(?! src)/);
  const asked = new Set<string>();
  const follow = async (path: string): Promise<void> => {
    if (asked.has(path)) return;
    asked.add(path);
    const asset = await fetch(`${w.url}${path}`);
    assert.equal(asset.status, 200, path);
    const text = await asset.text();
    for (const [, next = ""] of text.matchAll(/(?:from|import) "(\.[^"]+)"/g)) await follow(new URL(next, `http://x${path}`).pathname);
  };
  for (const [, path = ""] of html.matchAll(/(?:src|href)="(\/static\/[^"]+)"/g)) await follow(path);
  assert.ok(asked.size > 15, [...asked].join(" "));
  const etag = answer.headers.get("etag") ?? "";
  assert.equal((await fetch(`${w.url}/`, { headers: { "if-none-match": `W/"x", ${etag}` } })).status, 304);
});

test("languages by weight", () => {
  for (const [header, language] of [
    [undefined, "en"],
    ["", "en"],
    ["de", "en"],
    ["fr", "fr"],
    ["FR-ca", "fr"],
    ["en;q=0.5, fr;q=0.8", "fr"],
    ["fr;q=0, en;q=0.1", "en"],
    ["en, fr", "en"],
    ["fr;q=2", "en"],
    ["frog", "en"],
    ["*", "en"],
    [",;=;q=,", "en"],
  ] as const)
    assert.equal(languageOf(header), language, String(header));
});

test("which names are hashed, and for how long what is kept", () => {
  for (const name of ["app-B3x9Qz1K.js", "main.9f8a7b6c.css", "a/b/chunk-3fa94c2b11aa.js"]) assert.ok(isHashed(name), name);
  for (const name of ["my-bootstrap.css", "jquery-3.7.1.min.js", "photo-20240101.jpg", "index.html", "report-2024final.pdf", "x.js"])
    assert.ok(!isHashed(name), name);
  assert.equal(cacheControlOf("logo.svg"), "public, max-age=86400");
  assert.equal(cacheControlOf("app.js"), "public, no-cache");
  for (const path of ["", "/", "a//b", "a/./b", "../a", "a/..", ".a", "a/.b", "a\\b", "C:x", "a\0b"])
    assert.equal(safeSegments(path), undefined, path);
  assert.deepEqual(safeSegments("a/b..c"), ["a", "b..c"]);
});

test("If-None-Match", () => {
  for (const header of ['"x"', 'W/"x"', ' "y" , "x"', "*"]) assert.equal(hasTag(header, "x"), true, header);
  for (const header of [undefined, "", "x", '"X"', '"x', '"xx"']) assert.equal(hasTag(header, "x"), false, String(header));
});
