/** Who may do what, once they are somebody: members, own rows, roles, admins; and that answers reach nobody else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CODES, eventSheet, eventWorld, member, Person, type Answer } from "./people.ts";
import { world } from "../world.ts";

const code = ({ body }: Answer): unknown => body["code"];
const ids = ({ body }: Answer): unknown[] => (body["rows"] as { id: string }[]).map(({ id }) => id);

test("each sees what is theirs: strangers 401, members members' tables, roles theirs, everybody their own rows, admins all but nobody's", async () => {
  await using w = await eventWorld();
  const [stranger, ada, kim, root] = [new Person(w), await member(w, "Ada"), await member(w, "Kim"), await member(w, "Root")];
  const statuses = async (path: string): Promise<number[]> =>
    await Promise.all([stranger, ada, kim, root].map(async (person) => (await person.get(path)).status));
  assert.deepEqual(await statuses("/api/tables/players"), [200, 200, 200, 200]);
  assert.deepEqual(await statuses("/api/tables/members"), [401, 200, 200, 200]);
  assert.deepEqual(await statuses("/api/tables/members/m1"), [401, 200, 200, 200]);
  assert.deepEqual(await statuses("/api/tables/desk"), [401, 403, 200, 200]);
  assert.deepEqual(await statuses("/api/tables/secrets"), [404, 404, 404, 404]);
  assert.deepEqual(await statuses("/api/tables/~users"), [404, 404, 404, 404]);
  assert.equal(code(await stranger.get("/api/tables/members")), "not-public");
  assert.equal(code(await ada.get("/api/tables/desk")), "role");
  // Twice each, so that what stands ready for one is asked for by the others.
  for (let turn = 0; turn < 2; turn += 1) {
    assert.deepEqual(ids(await ada.get("/api/tables/notes")), ["n1"]);
    assert.deepEqual(ids(await kim.get("/api/tables/notes")), ["n2"]);
    assert.deepEqual(ids(await root.get("/api/tables/notes")), ["n1", "n2", "n3"]);
    assert.equal((await stranger.get("/api/tables/notes")).status, 401);
    assert.deepEqual(await statuses("/api/tables/notes/n1"), [401, 200, 404, 200]);
    assert.deepEqual(await statuses("/api/tables/notes/n3"), [401, 404, 404, 200]);
  }
  const { body } = await ada.get("/api/tables/notes?filter[who]=Kim");
  assert.deepEqual([body["rows"], body["total"]], [[], 0]);
  const openapi = (await ada.get("/api/openapi.json")).text;
  assert.doesNotMatch(openapi, /CANARY|~users|verifier/);
});

test("2.6: private answers: private, by cookie, one user's nowhere kept; and what a member gets from memory is not made again", async () => {
  await using w = await eventWorld();
  const [ada, kim] = [await member(w, "Ada"), await member(w, "Kim")];
  const head = ({ headers }: Answer): (string | null)[] => [headers.get("cache-control"), headers.get("vary")];
  const first = await ada.get("/api/tables/members");
  assert.deepEqual(head(first), ["private, no-cache", "Accept-Encoding, Cookie"]);
  assert.deepEqual(head(await ada.get("/api/tables/notes")), ["private, no-store", "Accept-Encoding, Cookie"]);
  assert.deepEqual(head(await ada.get("/api/tables/notes/n1")), ["private, no-store", "Accept-Encoding, Cookie"]);
  assert.match(String(head(await ada.get("/api/tables/players"))[0]), /^public/);
  const reached = w.reached();
  const again = await kim.get("/api/tables/members");
  assert.deepEqual([again.headers.get("x-cache"), again.text, w.reached()], ["HIT", first.text, reached]);
  await ada.get("/api/tables/notes");
  assert.equal(w.reached(), reached, "own rows too");
  await new Person(w).get("/api/tables/members");
  assert.equal(w.reached(), reached + 1, "who is nobody gets to the application, and no further");
  const etag = String(again.headers.get("etag"));
  assert.equal((await ada.get("/api/tables/members", { "If-None-Match": etag })).status, 304);
  assert.equal((await new Person(w).get("/api/tables/members", { "If-None-Match": etag })).status, 401);
  await ada.ask("POST", "/api/logout");
  for (const path of ["/api/tables/members", "/api/tables/notes"]) assert.equal((await ada.get(path)).status, 401, path);
});

test("a table that is closed is closed at once, for what stands ready too", async () => {
  await using w = await eventWorld();
  const ada = await member(w, "Ada");
  for (let i = 0; i < 2; i += 1) assert.equal((await ada.get("/api/tables/members")).status, 200);
  w.sheet.grant("members", { read: { role: "desk" } });
  assert.equal((await ada.get("/api/tables/members")).status, 403);
  w.sheet.grant("members", { read: "nobody" });
  assert.equal((await ada.get("/api/tables/members")).status, 404);
});

test("own rows: what is added is the user's whatever is sent; others' can't be changed, deleted, given away or told from none", async () => {
  await using w = await eventWorld();
  const [ada, kim, root] = [await member(w, "Ada"), await member(w, "Kim"), await member(w, "Root")];
  const added = await ada.ask("POST", "/api/tables/notes", [
    { id: "a1", text: "mine" },
    { id: "a2", who: "Kim", text: "not hers" },
  ]);
  assert.equal(added.status, 201, added.text);
  assert.deepEqual(ids(await ada.get("/api/tables/notes")), ["n1", "a1", "a2"]);
  assert.deepEqual(ids(await kim.get("/api/tables/notes")), ["n2"]);
  for (const [method, body] of [
    ["PATCH", { text: "x" }],
    ["DELETE", undefined],
  ] as const)
    for (const key of ["n2", "n3", "none"]) {
      const answer = await ada.ask(method, `/api/tables/notes/${key}`, body);
      assert.deepEqual([answer.status, code(answer)], [404, "unknown-key"], `${method} ${key}`);
      assert.equal(answer.text.replaceAll(key, "?").length > 0, true);
    }
  const etag = String((await kim.get("/api/tables/notes/n2")).headers.get("etag"));
  assert.equal((await ada.ask("PATCH", "/api/tables/notes/n2", { text: "x" }, { "If-Match": etag })).status, 404);
  assert.equal((await ada.ask("PATCH", "/api/tables/notes/n1", { text: "new", who: "Kim" })).status, 200);
  assert.deepEqual(w.sheet.rows("notes").get("n1"), ["n1", "Ada", "new"], "it stays hers");
  assert.equal((await ada.ask("PATCH", "/api/tables/notes/n1", { text: "y" }, { "If-Match": '"stalestalestalestale"' })).status, 412);
  assert.equal((await ada.ask("DELETE", "/api/tables/notes/a1")).status, 200);
  assert.equal((await root.ask("PATCH", "/api/tables/notes/n2", { who: "Ada" })).status, 200, "an admin may give away");
  assert.deepEqual(ids(await ada.get("/api/tables/notes")), ["n1", "n2", "a2"]);
  assert.equal((await new Person(w).ask("POST", "/api/tables/notes", { text: "x" })).status, 401);
});

test("a write is found by who made it and by who may read its row; an Idempotency-Key is one user's", async () => {
  await using w = await eventWorld();
  const [ada, kim] = [await member(w, "Ada"), await member(w, "Kim")];
  const once = { "Idempotency-Key": "the-same" };
  const made = await ada.ask("POST", "/api/tables/notes", { id: "a1", text: "x" }, once);
  const { id, key } = made.body["write"] as { id: string; key: string };
  assert.equal(key, "a1");
  assert.equal((await ada.ask("POST", "/api/tables/notes", { id: "a1", text: "x" }, once)).headers.get("idempotency-replayed"), "true");
  assert.equal((await ada.get(`/api/writes/${id}`)).status, 200);
  const others = await kim.get(`/api/writes/${id}`);
  assert.deepEqual([others.status, code(others)], [404, "unknown-write"]);
  assert.equal((await new Person(w).get(`/api/writes/${id}`)).status, 404);
  const hers = await kim.ask("POST", "/api/tables/notes", { id: "k1", text: "x" }, once);
  assert.deepEqual([hers.status, hers.headers.get("idempotency-replayed")], [201, null]);
});

test("where the row changes hands while it is written, the write is refused", async () => {
  const sheet = eventSheet();
  await using w = await world(sheet);
  const ada = await member(w, "Ada");
  const write = sheet.write.bind(sheet);
  sheet.write = async (request, wait) => {
    sheet.write = write;
    await write({ table: "notes", changes: [{ op: "update", key: "n1", values: { who: "Kim" } }] }, "journal");
    return await write(request, wait);
  };
  const answer = await ada.ask("PATCH", "/api/tables/notes/n1", { text: "mine?" });
  assert.deepEqual([answer.status, code(answer)], [404, "unknown-key"]);
  assert.deepEqual(w.sheet.rows("notes").get("n1"), ["n1", "Kim", "CANARY-ADA"]);
  assert.equal(CODES.ada.length > 0, true);
});
