/** People log in to the sample, with the codes that its players table gives them: cookies, slots and limits over real workers. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { ROOT, start, type Daemon } from "./harness.ts";
import { sent } from "../support/cleanup.ts";
import { eventually, slow } from "../support/wait.ts";

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Names and codes, as the sample's sheet has them. */
const PLAYERS = readFileSync(join(ROOT, "config/sample/players.csv"), "utf8")
  .split("\n")
  .slice(1, 4)
  .map((line) => line.split(","))
  .map(([, name = "", , , , secret = ""]) => ({ name, secret }));

/** A browser: each request on a connection of its own, so that any worker answers. */
class Browser {
  readonly #daemon: Daemon;
  cookie = "";

  constructor(daemon: Daemon) {
    this.#daemon = daemon;
  }

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(this.#daemon.url + path, {
      method,
      headers: {
        Connection: "close",
        ...(this.cookie === "" ? {} : { Cookie: this.cookie }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const [given] = response.headers.getSetCookie();
    if (given !== undefined) this.cookie = given.includes("Max-Age=0") ? "" : (given.split(";")[0] ?? "");
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? {} : (JSON.parse(text) as Answer["body"]) };
  }

  login(player: number, language = "en"): Promise<Answer> {
    return this.ask("POST", "/api/login", PLAYERS[player], { "Accept-Language": language });
  }

  /** Who the server says it is, or why nobody. */
  async me(): Promise<unknown> {
    const { status, body } = await this.ask("GET", "/api/me");
    return status === 200 ? body["name"] : `${status} ${String(body["code"])}`;
  }
}

/** What a browser gets who comes when all are taken. */
async function assertFull(browser: Browser, player: number): Promise<void> {
  for (const [language, sentence] of [
    ["fr-FR,fr;q=0.9,en;q=0.5", "Serveur complet (2/2 places occupées). Réessaie dans quelques minutes."],
    ["en", "Server full (2/2 places taken). Try again in a few minutes."],
  ] as const) {
    const { status, headers, body } = await browser.login(player, language);
    assert.deepEqual(
      [status, headers.get("x-drover-refused"), headers.get("content-type"), headers.get("content-language"), body["detail"]],
      [503, "full", "application/problem+json; charset=utf-8", language.slice(0, 2), sentence],
    );
    const wait = Number(headers.get("retry-after"));
    assert.ok(wait >= 10 && wait <= 180, `Retry-After is ${wait}`);
    assert.deepEqual([headers.getSetCookie(), browser.cookie], [[], ""]);
  }
}

test("a player of the sample logs in by the code in the sheet, over a reload too; neither code nor cookie is on disk", async (t) => {
  const daemon = await start(t, { env: { DROVER_WORKERS: "2" } });
  const { name, secret: code } = PLAYERS[0] ?? { name: "", secret: "" };
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => await fetch(`${daemon.url}${path}`, init);
  const login = (secret: string): Promise<Response> =>
    ask("/api/login", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name, secret }) });
  assert.equal((await login("AAAA-AAAA")).status, 401);
  const answer = await login(code.toLowerCase());
  assert.equal(answer.status, 200, await answer.clone().text());
  const cookie = answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const me = async (): Promise<unknown> =>
    ((await (await ask("/api/me", { headers: { Cookie: cookie } })).json()) as { name: unknown }).name;
  for (let nr = 0; nr < 6; nr += 1) assert.equal(await me(), name);
  daemon.signal("SIGHUP");
  await eventually("the roll is over", async () => (await daemon.status()).lastRoll?.is === "done");
  for (let nr = 0; nr < 6; nr += 1) assert.equal(await me(), name);
  const key = join(daemon.dir, "var/session.key");
  assert.equal(statSync(key).mode & 0o777, 0o600);
  const files = ["snapshots/~users.snap", "snapshots/players.snap", "broker.json"].map((file) =>
    readFileSync(join(daemon.dir, "var", file), "latin1"),
  );
  for (const text of [...files, JSON.stringify(daemon.log())])
    assert.ok(!text.includes(code) && !text.includes(code.replace("-", "")) && !text.includes(cookie));
});

test("one session each, two in all, whichever worker answers: taken over, full, logged out; over a reload and a killed broker", async (t) => {
  const daemon = await start(t, { env: { DROVER_WORKERS: "3", DROVER_MAX_SLOTS: "2", DROVER_ACCESS_LOG: "on", DROVER_RATE_LIMIT: "2/h" } });
  const [ada, bob, eve] = [new Browser(daemon), new Browser(daemon), new Browser(daemon)];
  const name = (player: number): unknown => PLAYERS[player]?.name;
  const answered = (): Set<unknown> => new Set(daemon.log().flatMap((line) => (line["path"] === "/api/me" ? [line["pid"]] : [])));

  assert.equal((await ada.login(0)).status, 200);
  await eventually("each of three workers has said who it is", async () => {
    assert.equal(await ada.me(), name(0));
    return answered().size === 3;
  });
  assert.equal((await bob.login(1)).status, 200);
  await assertFull(eve, 2);
  assert.deepEqual([await ada.me(), await bob.me()], [name(0), name(1)], "a full house puts nobody out");

  // Logged in elsewhere: the newest takes the place of the one before, in a full house too.
  const phone = new Browser(daemon);
  assert.equal((await phone.login(0)).status, 200);
  const old = ada.cookie;
  const over = async (): Promise<boolean> => {
    ada.cookie = old;
    return (await ada.me()) === "401 taken-over" && (await phone.me()) === name(0);
  };
  await eventually(
    "each worker has heard of it",
    async () => (await over()) && (await over()) && (await over()) && (await over()) && over(),
  );
  await assertFull(eve, 2);

  // A user's writes count wherever they come from, and nobody else's behind the same address with them.
  const write = async (browser: Browser, nr: number): Promise<number> =>
    (await browser.ask("POST", "/api/tables/actions", { id: `login-${nr}` })).status;
  assert.deepEqual([await write(phone, 1), await write(phone, 2), await write(phone, 3), await write(bob, 4)], [201, 201, 429, 201]);

  daemon.signal("SIGHUP");
  await eventually("the roll is over", async () => (await daemon.status()).lastRoll?.is === "done");
  assert.deepEqual([await phone.me(), await bob.me(), await write(phone, 5)], [name(0), name(1), 429]);
  await assertFull(eve, 2);

  sent((await daemon.place("broker/0")).child?.pid ?? 0, "SIGKILL");
  assert.deepEqual([await phone.me(), await bob.me()], [name(0), name(1)], "they are in still");
  await assertFull(eve, 2);

  assert.equal((await phone.ask("POST", "/api/logout")).status, 204);
  assert.equal((await eve.login(2)).status, 200, "there is room");
  ada.cookie = old;
  assert.deepEqual([await ada.me(), await bob.me(), await eve.me()], ["401 taken-over", name(1), name(2)]);
  await assertFull(phone, 0);
});

test("a logout that the broker does not confirm answers 503, and holds everywhere once there is a broker again", async (t) => {
  const daemon = await start(t, { env: { DROVER_WORKERS: "2", DROVER_BROKER_TIMEOUT: slow(2) } });
  const ada = new Browser(daemon);
  assert.equal((await ada.login(0)).status, 200);
  const { cookie } = ada;
  const broker = (await daemon.place("broker/0")).child?.pid ?? 0;
  assert.ok(sent(broker, "SIGSTOP"));
  const { status, headers, body } = await ada.ask("POST", "/api/logout");
  assert.deepEqual([status, headers.get("x-drover-refused"), headers.get("retry-after")], [503, "broker", "2"], JSON.stringify(body));
  assert.equal(ada.cookie, cookie, "the browser can repeat it");
  sent(broker, "SIGKILL"); // what it was asked is lost
  await eventually("each worker knows it of the next broker", async () => {
    for (let nr = 0; nr < 20; nr += 1) {
      ada.cookie = cookie;
      if ((await ada.me()) !== "401 revoked") return false;
    }
    return true;
  });
  ada.cookie = cookie;
  assert.equal((await ada.ask("POST", "/api/logout")).status, 204);
});
