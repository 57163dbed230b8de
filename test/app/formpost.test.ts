/** A page's own form, without a script: it is answered with a page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleSheet, world, type World } from "./world.ts";
import { CODES, eventWorld } from "./session/people.ts";

const BROWSER = { "content-type": "application/x-www-form-urlencoded", accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

async function post(w: World, path: string, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(w.url + path, {
    method: "POST",
    redirect: "manual",
    body,
    headers: { ...BROWSER, origin: w.url, ...headers },
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}
const isPage = ({ headers, text }: { headers: Headers; text: string }): boolean =>
  headers.get("content-type") === "text/html; charset=utf-8" && /^<!doctype html><html lang="(?:en|fr)">/.test(text);

function open() {
  const sheet = sampleSheet();
  sheet.grant("players", { append: "public" });
  return world(sheet);
}

test("a form of this site adds a row: typed by the columns, empty fields left out; a page says what became of it", async () => {
  await using w = await open();
  const sent = await post(w, "/api/tables/players", "id=&name=Ada+%3Cb%3E&score=7", { referer: `${w.url}/static/sign-up.html?x=1` });
  assert.equal(sent.status, 303, sent.text);
  assert.deepEqual(w.sheet.asked.at(-1)?.request.changes, [{ op: "append", values: { name: "Ada <b>", score: 7 } }]);
  const at = sent.headers.get("location") ?? "";
  assert.match(at, /^\/api\/writes\/[0-9A-Z]{26}$/);
  const seen = await fetch(w.url + at, {
    headers: { accept: BROWSER.accept, "accept-language": "fr", referer: `${w.url}/static/sign-up.html?x=1` },
  });
  const text = await seen.text();
  assert.ok(isPage({ headers: seen.headers, text }), text);
  assert.match(text, /<h1>Enregistré<\/h1>.*href="\/static\/sign-up\.html\?x=1"/s);
  assert.equal(typeof ((await (await fetch(w.url + at)).json()) as { write: object }).write, "object", "programs get JSON");
});

test("what is refused of a form is a page too, in the reader's language, with nothing of a request in it as markup", async () => {
  await using w = await open();
  w.sheet.refuse = { reason: "invalid", message: '"score" is to be <a whole number>', column: "score" };
  const refused = await post(w, "/api/tables/players", "name=x&score=many", { referer: `${w.url}/"><script>` });
  assert.ok(refused.status === 422 && isPage(refused), refused.text);
  assert.match(refused.text, /<h1>Not saved<\/h1>.*is to be &lt;a whole number&gt;/s);
  assert.doesNotMatch(refused.text, /<script|"><s/);
  assert.deepEqual(w.sheet.asked.at(-1)?.request.changes, [{ op: "append", values: { name: "x", score: "many" } }]);
  for (const [path, body, status, headers] of [
    ["/api/tables/nope", "a=b", 404, {}],
    ["/api/tables/secrets", "a=b", 404, {}],
    ["/api/tables/players", "name=a&name=b", 400, {}],
    ["/api/tables/players", "name=a", 415, { "content-type": "text/plain" }],
    ["/api/tables/players", "name=a", 403, { origin: "https://evil.test" }],
    ["/api/login", "name=Ada&secret=wrong", 404, {}],
  ] as const) {
    const answer = await post(w, path, body, headers);
    assert.ok(answer.status === status && isPage(answer), `${path} ${answer.status}: ${answer.text}`);
  }
  await using event = await eventWorld();
  const login = await post(event, "/api/login", `name=Ada&secret=${CODES.kim}`, { "accept-language": "fr-FR" });
  assert.ok(login.status === 401 && isPage(login), "the login's form as well");
});

test("a form that does not say that it is of this site is refused, as is one that would change a row", async () => {
  await using w = await open();
  const { origin: _, ...nowhere } = { ...BROWSER, origin: "" };
  const unknown = await fetch(`${w.url}/api/tables/players`, { method: "POST", body: "name=x", headers: nowhere });
  assert.equal(unknown.status, 415);
  w.sheet.grant("players", { update: "public" });
  const patch = await fetch(`${w.url}/api/tables/players/p1`, { method: "PATCH", body: "name=x", headers: { ...BROWSER, origin: w.url } });
  assert.equal(patch.status, 415);
  assert.equal(w.sheet.asked.length, 0);
  const own = await post(w, "/api/tables/players", "name=x", { origin: "", "sec-fetch-site": "same-origin" });
  assert.equal(own.status, 303);
});
