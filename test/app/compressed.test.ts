/** The board's files and the API's description go compressed, and are compressed once. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { CompressedBodies } from "../../src/app/compressed.ts";
import { http } from "../../src/base/http.ts";
import { temporaryFolder } from "../support/folder.ts";
import { sampleSheet, world } from "./world.ts";

const BOARD = "src/app/page/static";

interface Got {
  readonly status: number;
  readonly head: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** As it comes over the wire: fetch would unpack it. */
const get = (url: string, headers: Record<string, string>): Promise<Got> =>
  new Promise((resolve, reject) => {
    http
      .get(url, { headers }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, head: response.headers, body: Buffer.concat(parts) }));
      })
      .on("error", reject);
  });

test("scripts, styles and openapi.json: brotli or gzip, with a tag of their own, and the same bytes when unpacked", async (t) => {
  await using w = await world(sampleSheet());
  const files = readdirSync(BOARD, { recursive: true, encoding: "utf8" }).filter((name) => /\.(?:js|css)$/.test(name));
  let [raw, packed] = [0, 0];
  for (const path of ["/", ...files.map((name) => `/static/${name}`), "/api/openapi.json"]) {
    const plain = await get(w.url + path, {});
    assert.deepEqual([plain.status, plain.head["content-encoding"], plain.head["vary"]], [200, undefined, "Accept-Encoding"], path);
    const br = await get(w.url + path, { "accept-encoding": "gzip, deflate, br" });
    raw += plain.body.length;
    packed += br.body.length;
    if (plain.body.length < 1_024) continue; // the head outweighs what would be saved
    assert.equal(br.head["content-encoding"], "br", path);
    assert.equal(br.head["content-length"], String(br.body.length));
    assert.equal(br.head["content-type"], plain.head["content-type"], path);
    assert.ok(brotliDecompressSync(br.body).equals(plain.body), path);
    const gz = await get(w.url + path, { "accept-encoding": "gzip" });
    assert.ok(gunzipSync(gz.body).equals(plain.body), path);
    const tags = [plain, br, gz].map(({ head }) => String(head["etag"]));
    assert.equal(new Set(tags).size, 3, tags.join(" "));
    const again = await get(w.url + path, { "accept-encoding": "br", "if-none-match": tags[1] ?? "" });
    assert.deepEqual([again.status, again.head["etag"], again.body.length], [304, tags[1], 0], path);
  }
  t.diagnostic(`the board and openapi.json: ${raw} bytes, ${packed} compressed`);
  assert.ok(packed < raw * 0.45, `${packed} of ${raw}`);
});

test("an operator's files are compressed too; pictures, small files, parts of a file and changed ones are as they are", async () => {
  const root = temporaryFolder("packed");
  const text = "const a = 1;\n".repeat(500);
  for (const [name, body] of [["app.js", text], ["photo.jpg", text], ["small.css", "a{}"]] as const) writeFileSync(join(root, name), body); // prettier-ignore
  await using w = await world(sampleSheet(), root);
  const ask = (name: string, headers = {}): Promise<Got> => get(`${w.url}/static/${name}`, { "accept-encoding": "br", ...headers });
  const coding = async (name: string, headers = {}): Promise<unknown> => (await ask(name, headers)).head["content-encoding"];
  assert.equal(await coding("app.js"), "br");
  assert.deepEqual([await coding("photo.jpg"), await coding("small.css")], [undefined, undefined]);
  const part = await ask("app.js", { range: "bytes=0-4" });
  assert.deepEqual([part.status, part.head["content-encoding"], part.body.toString()], [206, undefined, "const"]);
  writeFileSync(join(root, "app.js"), text.replaceAll("1", "2"));
  const head = await fetch(`${w.url}/static/app.js`, { method: "HEAD", headers: { "accept-encoding": "br" } });
  assert.equal(head.headers.get("content-encoding"), "br");
  assert.match(brotliDecompressSync((await ask("app.js")).body).toString(), /^const a = 2;/);
});

test("a body is compressed once, however many ask for it at the same time", async () => {
  const bodies = new CompressedBodies();
  let reads = 0;
  const read = async (): Promise<Buffer> => {
    reads += 1;
    return readFileSync(join(BOARD, "board.css"));
  };
  const all = await Promise.all(Array.from({ length: 20 }, () => bodies.get("tag", "br", read)));
  await bodies.get("tag", "br", read);
  assert.deepEqual([reads, new Set(all).size], [1, 1]);
  assert.notEqual(await bodies.get("tag", "gzip", read), all[0]);
  assert.equal(reads, 2);
});
