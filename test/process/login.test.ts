/** Somebody logs in to the sample, with the code that its players table gives them. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { ROOT, start, until } from "./harness.ts";

test("a player of the sample logs in by the code in the sheet, over a reload too; neither code nor cookie is on disk", async (t) => {
  const daemon = await start(t, { env: { DROVER_WORKERS: "2" } });
  const [, first = ""] = readFileSync(join(ROOT, "config/sample/players.csv"), "utf8").split("\n");
  const [, name = "", , , , code = ""] = first.split(",");
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
  await until("the roll is over", async () => (await daemon.status()).lastRoll?.is === "done");
  for (let nr = 0; nr < 6; nr += 1) assert.equal(await me(), name);
  const key = join(daemon.dir, "var/session.key");
  assert.equal(statSync(key).mode & 0o777, 0o600);
  const files = ["snapshots/~users.snap", "snapshots/players.snap", "broker.json"].map((file) =>
    readFileSync(join(daemon.dir, "var", file), "latin1"),
  );
  for (const text of [...files, JSON.stringify(daemon.log())])
    assert.ok(!text.includes(code) && !text.includes(code.replace("-", "")) && !text.includes(cookie));
});
