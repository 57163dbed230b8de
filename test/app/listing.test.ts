/** `GET /api/tables`: what the caller may read, and do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PLAYERS, players, world } from "./world.ts";
import { eventSheet, member, Person, type Answer } from "./session/people.ts";

const names = ({ body }: Answer): string[] =>
  (body["tables"] as { name: string }[]).map(({ name }) => name).toSorted((a, b) => (a < b ? -1 : 1));
const of = ({ body }: Answer, name: string): unknown => (body["tables"] as { name: string }[]).find((table) => table.name === name);

test("the tables that the caller may read: an anonymous user's, a member's, a role's, an admin's; nobody's are not named", async () => {
  const sheet = eventSheet();
  await using w = await world(sheet);
  const [stranger, ada, kim, root] = [new Person(w), await member(w, "Ada"), await member(w, "Kim"), await member(w, "Root")];
  const listed = await stranger.get("/api/tables");
  assert.deepEqual([listed.status, names(listed)], [200, ["players"]], listed.text);
  assert.deepEqual([listed.body["login"], listed.body["session"]], [true, "none"]);
  assert.deepEqual([listed.headers.get("cache-control"), listed.headers.get("vary")], ["no-store", "Cookie"]);
  assert.deepEqual(names(await ada.get("/api/tables")), ["members", "notes", "players"]);
  assert.deepEqual(names(await kim.get("/api/tables")), ["desk", "members", "notes", "players"]);
  assert.deepEqual(names(await root.get("/api/tables")), ["desk", "members", "notes", "own", "players"]);
  assert.equal((await ada.get("/api/tables")).body["session"], "in");
  const { body } = await new Person(w).ask("GET", "/api/tables", undefined, { Cookie: `${ada.cookie.split("=")[0]}=nonsense` });
  assert.equal(body["session"], "over", "a page asks /api/me only then, and an anonymous visitor gets no 401");
  assert.deepEqual(of(await ada.get("/api/tables"), "notes"), {
    name: "notes",
    key: "id",
    keyNamed: false,
    columns: ["id", "who", "text"].map((name) => ({ name, type: "string" })),
    read: "you",
    append: "you",
    update: "you",
  });
  assert.doesNotMatch((await root.get("/api/tables")).text, /secrets|CANARY|~users/);
  assert.equal((await stranger.get("/api/tables?x=1")).status, 400);
});

test("what may be done with a table: by everybody, by the caller, after a login, by nobody; whether its key is named", async () => {
  const sheet = eventSheet();
  await using w = await world(sheet);
  sheet.table("log", "public", PLAYERS, players(1));
  sheet.grant("log", { key: "id" });
  const rights = async (person: Person): Promise<unknown> => of(await person.get("/api/tables"), "log");
  const columns = PLAYERS.map(({ name, type }) => ({ name, type }));
  const is = { name: "log", key: "id", keyNamed: true, columns, read: "everybody" };
  assert.deepEqual(await rights(new Person(w)), is);
  sheet.grant("log", { append: "signed-in", update: { role: "desk" } });
  assert.deepEqual(await rights(new Person(w)), { ...is, append: "login", update: "login" });
  assert.deepEqual(await rights(await member(w, "Ada")), { ...is, append: "you" });
  assert.deepEqual(await rights(await member(w, "Kim")), { ...is, append: "you", update: "you" });
  sheet.grant("log", { append: "public", update: "nobody" });
  assert.deepEqual(await rights(await member(w, "Ada")), { ...is, append: "everybody" });
});
