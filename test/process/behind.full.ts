/**
 * People behind nginx with what `drover emit nginx` writes, before the real daemon as it comes: they log in, see what is theirs and nobody else's, are
 * counted one by one, and use the board.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import https from "node:https";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { gunzipSync } from "node:zlib";
import { skip as browserSkip, startBrowser } from "../browser/browser.ts";
import { needs } from "../support/needs.ts";
import { ROOT, start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";
import { ask, kept, nginx, type Answer, type Front } from "./nginx.ts";

const skip = needs("nginx", "nginx-light") || needs("openssl", "openssl");

interface Player {
  readonly name: string;
  readonly secret: string;
}

/** Names and codes, as the sample's sheet has them. */
const PLAYERS: readonly Player[] = readFileSync(join(ROOT, "config/sample/players.csv"), "utf8")
  .trim()
  .split(/\r?\n/)
  .slice(1)
  .map((line) => line.split(","))
  .map(([, name = "", , , , secret = ""]) => ({ name, secret }));
const CROWD = 200;

/** Somebody at an address, whose cookie is kept. */
class Person {
  readonly #front: Front;
  readonly #options: https.RequestOptions;
  cookie = "";

  constructor(front: Front, options: https.RequestOptions = {}) {
    this.#front = front;
    this.#options = options;
  }

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const answer = await ask(`${this.#front.url}${path}`, {
      ca: this.#front.ca,
      ...this.#options,
      method,
      headers: {
        ...(this.cookie === "" ? {} : { cookie: this.cookie }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const [given] = answer.headers["set-cookie"] ?? [];
    if (given !== undefined) this.cookie = given.split(";")[0] ?? "";
    return answer;
  }

  get(path: string): Promise<Answer> {
    return this.ask("GET", path);
  }

  login(nr: number, headers: Record<string, string> = {}): Promise<Answer> {
    return this.ask("POST", "/api/login", PLAYERS[nr], headers);
  }
}

/** The sample's tables, and two for members alone: everybody's own check-in, and the announcements. */
function tables(dir: string): string {
  const file = join(dir, "tables.json");
  const sample = JSON.parse(readFileSync(join(ROOT, "config/tables.json"), "utf8")) as { tables: Record<string, object> };
  sample.tables["mine"] = { range: "checkins", key: "player", ttl: "1s", read: "own rows", owner: "player" };
  sample.tables["notices"] = { range: "announcements", key: "id", ttl: "60s", read: "signed-in" };
  writeFileSync(file, JSON.stringify(sample));
  return file;
}

test("people behind nginx", { skip, timeout: 150_000 }, async (t) => {
  const cwd = folder(t);
  const daemon = await start(t, { cwd, env: { DROVER_TABLES: tables(cwd), DROVER_RATE_LIMIT: "3/h" } });
  const front = await nginx(t, new URL(daemon.url).host);

  await t.test("the cookie is Secure and __Host-, a page of another origin gets none, and a session works", () => logins(front));
  await t.test("everybody sees their own, and nothing of it is kept", () => privately(front));
  await t.test("strangers are counted by their true address, members by name", () => counted(front));
  await t.test(`${CROWD} people log in from one address`, () => crowd(t, front));
  await t.test("over plain http://IP one logs in too, with one warning", () => plainly(daemon));
  await t.test("the board's files: compressed, asked for again, kept where they say so", () => boardFiles(front));
  await t.test("the board in a browser, live", { skip: browserSkip }, (browser) => board(browser, front));
  assert.equal(front.errors(), "", "nginx had nothing to complain of");
  assert.deepEqual(
    daemon.log().flatMap(({ level, msg }) => (/a proxy does not say for whom it asks/.test(String(msg)) ? [[level, msg]] : [])),
    [],
    "nginx on this machine is believed without being named",
  );
});

async function logins(front: Front): Promise<void> {
  const person = new Person(front);
  const refused = await person.login(0, { origin: "https://elsewhere.example" });
  assert.deepEqual([refused.status, refused.headers["set-cookie"]], [403, undefined]);
  const answer = await person.login(0, { origin: front.url });
  assert.equal(answer.status, 200, String(answer.body));
  assert.match(String(answer.headers["set-cookie"]), /^__Host-drover=[\w.-]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/);
  for (let nr = 0; nr < 4; nr += 1) assert.equal(nameIn(await person.get("/api/me")), PLAYERS[0]?.name); // whichever worker
  const same = person.cookie.replace("__Host-drover", "drover-session");
  assert.equal((await new Person(front).ask("GET", "/api/me", undefined, { cookie: same })).status, 401, "over TLS no other name counts");
  assert.equal((await person.ask("POST", "/api/logout", undefined, { origin: front.url })).status, 204);
  assert.equal((await new Person(front).ask("GET", "/api/me", undefined, { cookie: person.cookie })).status, 401);
}

const nameIn = ({ body }: Answer): unknown => (JSON.parse(String(body)) as { name?: unknown }).name;

/** The row of whoever asks; the sample has one of each of these two. */
async function privately(front: Front): Promise<void> {
  const owners = ["Valentina García", "Yuliya Lysenko"];
  const people = owners.map(() => new Person(front));
  const numbers = owners.map((owner) => PLAYERS.findIndex(({ name }) => name === owner));
  const stranger = new Person(front);
  const paths = ["/api/me", "/api/tables/mine", "/api/tables/notices"];
  for (const path of paths) assert.equal((await stranger.get(path)).status, 401, path);
  await Promise.all(people.map((person, nr) => person.login(numbers[nr] ?? -1)));
  const [first, second] = people as [Person, Person];
  for (const path of paths)
    for (const round of [1, 2]) {
      const [one, two, none] = [await first.get(path), await second.get(path), await stranger.get(path)];
      assert.deepEqual([one.status, two.status, none.status], [200, 200, 401], `${path}, time ${round}: ${String(one.body)}`);
      assert.deepEqual(
        [one, two].map(({ headers }) => headers["x-proxy-cache"]),
        ["BYPASS", "BYPASS"],
      );
      assert.ok([one, two].every(({ headers }) => String(headers["cache-control"]).startsWith("private")));
      if (path !== "/api/tables/notices")
        assert.deepEqual(
          [one, two].map(({ body }) => owners.filter((owner) => String(body).includes(owner))),
          [["Valentina García"], ["Yuliya Lysenko"]],
        );
    }
  // What everybody may read is kept of strangers' requests alone, and never with a cookie.
  const path = "/api/tables/players?limit=3";
  await first.get(path);
  assert.ok(!kept(front).includes(path));
  await stranger.get(path);
  const all = kept(front);
  assert.ok(all.includes(path), "the cache's files are read here");
  for (const secret of [...paths, "Set-Cookie", first.cookie, ...owners]) assert.ok(!all.includes(secret), secret);
}

async function counted(front: Front): Promise<void> {
  const [two, three] = ["127.0.0.2", "127.0.0.3"].map((localAddress) => new Person(front, { localAddress })) as [Person, Person];
  let nr = 0;
  const write = async (person: Person, headers = {}): Promise<number> => {
    const { status } = await person.ask(
      "POST",
      "/api/tables/actions",
      { id: `behind-${(nr += 1)}`, kind: "scan", player: "p001" },
      headers,
    );
    return status;
  };
  const statuses: number[] = [];
  for (let i = 0; i < 5; i += 1) statuses.push(await write(two));
  assert.deepEqual(statuses, [201, 201, 201, 429, 429]);
  assert.equal(await write(two, { "x-forwarded-for": "127.0.0.9", forwarded: "for=127.0.0.9" }), 429, "whatever it says of itself");
  assert.deepEqual([await write(three), await write(three)], [201, 201], "a neighbour is not counted with it");
  await two.login(3);
  assert.equal(await write(two), 201, "a member is counted by name");
}

async function crowd(t: TestContext, front: Front): Promise<void> {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 16 });
  t.after(() => agent.destroy());
  const began = performance.now();
  const people = Array.from({ length: CROWD }, () => new Person(front, { agent, localAddress: "127.0.0.4" }));
  const answers = await Promise.all(people.map((person, nr) => person.login(20 + nr)));
  const took = performance.now() - began;
  const statuses = Object.groupBy(answers, ({ status }) => status);
  console.log(
    `${CROWD} logins through nginx from one address: ${statuses[200]?.length} in, ${statuses[429]?.length ?? 0} × 429, ${Math.round(took)} ms`,
  );
  assert.deepEqual(Object.keys(statuses), ["200"]);
  assert.equal(new Set(people.map(({ cookie }) => cookie)).size, CROWD);
  const last = people.at(-1) as Person;
  assert.equal(nameIn(await last.get("/api/me")), PLAYERS[19 + CROWD]?.name);
}

async function plainly(daemon: Daemon): Promise<void> {
  const login = (nr: number): Promise<Response> =>
    fetch(`${daemon.url}/api/login`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Connection: "close", Origin: daemon.url },
      body: JSON.stringify(PLAYERS[nr]),
    });
  for (let nr = 300; nr < 310; nr += 1) {
    const answer = await login(nr);
    assert.equal(answer.status, 200, await answer.clone().text());
    const [cookie = ""] = answer.headers.getSetCookie();
    assert.match(cookie, /^drover-session=[\w.-]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/);
    const me = await fetch(`${daemon.url}/api/me`, { headers: { Cookie: cookie.split(";")[0] ?? "", Connection: "close" } });
    assert.equal(((await me.json()) as { name: unknown }).name, PLAYERS[nr]?.name);
  }
  await daemon.logged(/over plain HTTP/);
  assert.equal(daemon.log().filter(({ msg }) => /over plain HTTP/.test(String(msg))).length, 1, "of all workers together");
}

/** Every file that the page loads, and those that these load. */
async function boardFiles(front: Front): Promise<void> {
  const stranger = new Person(front);
  const found = new Map<string, string>();
  const queue = ["/"];
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    if (found.has(path)) continue;
    const answer = await stranger.ask("GET", path, undefined, { "accept-encoding": "gzip" });
    assert.equal(answer.status, 200, path);
    const text = String(answer.headers["content-encoding"] === "gzip" ? gunzipSync(answer.body) : answer.body);
    found.set(path, String(answer.headers["content-encoding"]));
    const again = await stranger.ask("GET", path, undefined, { "accept-encoding": "gzip", "if-none-match": answer.headers.etag ?? "" });
    assert.deepEqual([again.status, again.body.length], [304, 0], `${path} ${answer.headers.etag}`);
    const picture = path.endsWith(".svg");
    assert.equal(answer.headers["cache-control"], picture ? "public, max-age=86400" : "public, no-cache");
    assert.equal(
      /^(?:HIT|REVALIDATED)$/.test(String(again.headers["x-proxy-cache"])),
      picture,
      `${path}: a board that was changed is seen at once`,
    );
    assert.match(String(answer.headers["content-security-policy"]), /^default-src 'none'; script-src 'self'/);
    const links = /(?:from\s+|import\s*\(?\s*|src=|href=)"((?:\.{0,2}\/)?[\w./-]+\.(?:js|css|svg))"/g;
    for (const [, link = ""] of text.matchAll(links)) queue.push(new URL(link, `${front.url}${path}`).pathname);
  }
  assert.ok(found.size > 15, [...found.keys()].join());
  assert.ok(
    [...found].every(([path, encoding]) => encoding === "gzip" || !/\.(?:js|css)$/.test(path)),
    JSON.stringify([...found]),
  );
}

async function board(t: TestContext, front: Front): Promise<void> {
  const open = await startBrowser(t);
  const [mine, other] = await Promise.all([open(front.url, { ignoreHTTPSErrors: true }), open(front.url, { ignoreHTTPSErrors: true })]);
  await mine.page.locator(".ranking tbody tr").first().waitFor();
  await other.page.locator(".ranking tbody tr").first().waitFor();
  await mine.page.locator("#enter").click();
  await mine.page.locator(".demo button").first().click();
  await mine.page.locator("#login-send").click();
  await mine.page.locator("#leave").waitFor();
  await mine.page.locator(".checkin select").selectOption("Fourvière");
  await mine.page.locator(".checkin input").fill("seen through nginx");
  await mine.page.locator(".checkin button.main").click();
  const began = performance.now();
  await other.page.locator(".people li", { hasText: "seen through nginx" }).waitFor();
  console.log(`a second browser showed it ${Math.round(performance.now() - began)} ms later`);
  const cookies = await mine.page.context().cookies();
  assert.deepEqual(
    cookies.map(({ name, secure, httpOnly }) => [name, secure, httpOnly]),
    [["__Host-drover", true, true]],
  );
  await eventually("it is in the sheet", async () => (await mine.page.locator('.written [data-state="landed"]').count()) > 0);
  assert.deepEqual([mine.complaints, other.complaints], [[], []]);
}
