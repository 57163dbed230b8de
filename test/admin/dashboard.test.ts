/** The dashboard's files. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { LIMITS } from "../../src/admin/advice/advice.ts";
import { ALERT_NAMES } from "../../src/admin/alerts/model.ts";
import { readPages } from "../../src/admin/pages.ts";

const FOLDER = new URL("../../src/admin/dashboard/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, FOLDER), "utf8");
const { TEXTS } = (await import(new URL("texts.js", FOLDER).href)) as { TEXTS: Record<string, Record<string, unknown>> };

test("what a first visit loads, and nothing of it from elsewhere", () => {
  const names = readdirSync(FOLDER);
  const pages = readPages();
  let [plain, zipped] = [0, 0];
  for (const name of names) {
    const path = name === "index.html" ? "/admin" : `/admin/${name}`;
    plain += pages.answer(path, {})?.body.length ?? 0;
    const answer = pages.answer(path, { "accept-encoding": "br, gzip" });
    zipped += answer?.body.length ?? 0;
    const etag = answer?.headers["ETag"] ?? "";
    assert.equal(pages.answer(path, { "accept-encoding": "gzip", "if-none-match": etag })?.status, 304, name);
    assert.equal(pages.answer(path, { "if-none-match": etag })?.status, 200, "another encoding is another thing");
    const elsewhere = read(name).replaceAll("http://www.w3.org/2000/svg", "");
    assert.doesNotMatch(elsewhere, /https?:\/\/|innerHTML|outerHTML|insertAdjacentHTML|\beval\b|new Function|\sstyle=|\son[a-z]+="/, name);
  }
  console.log(`the dashboard's files: ${zipped} bytes on the wire, ${plain} unpacked (<= 153600)`);
  assert.ok(zipped > 5_000 && plain <= 153_600);
  for (const path of ["/admin/../package.json", "/admin/..%2f", "/admin/texts.json", "/admin/index.html", "/admin/app.js/", "/admin/.env"])
    assert.equal(pages.answer(path, {}), undefined, path);
});

test("both languages have every word, with the same figures; every word that is asked for is there", () => {
  const { en = {}, fr = {} } = TEXTS;
  assert.deepEqual(Object.keys(fr), Object.keys(en));
  for (const [key, text] of Object.entries(en))
    if (typeof text === "function") assert.equal(text.length, (fr[key] as () => string).length, key);
    else assert.equal(typeof fr[key], "string", key);
  const asked = readdirSync(FOLDER)
    .filter((name) => /\.(?:js|html)$/.test(name) && name !== "texts.js")
    .flatMap((name) => [...read(name).matchAll(/data-t="([^"]+)"|[^\w]t\("([^"]+)"/g)].map((match) => match[1] ?? match[2] ?? ""));
  assert.ok(asked.length > 80);
  assert.deepEqual(
    asked.filter((key) => en[key] === undefined),
    [],
  );
});

test("every alert, its levels and every limit has its word", () => {
  const kinds = { alert: ALERT_NAMES, by: LIMITS, level: ["warning", "urgent", "critical"] };
  const wanted = Object.entries(kinds).flatMap(([kind, names]) => names.map((name) => `${kind}.${name}`));
  for (const words of Object.values(TEXTS))
    assert.deepEqual(
      wanted.filter((key) => words[key] === undefined),
      [],
    );
});

test("each text that stands in the page is the English one", () => {
  const en = TEXTS["en"] ?? {};
  for (const [, key = "", text = ""] of read("index.html").matchAll(/data-t="([^"]+)"[^>]*>([^<]*)</g))
    assert.equal(text.trim().replaceAll(/\s+/g, " "), en[key], key);
});
