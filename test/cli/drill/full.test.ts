/** The drill that fills the house: whoever it let in is logged out again, whatever ends it. */
import assert from "node:assert/strict";
import test from "node:test";
import { full } from "../../../src/cli/drill/full.ts";
import { Barrier, World } from "./world.ts";

const PEOPLE = ["a", "b", "c", "d", "e"].map((user) => ({ user, code: `code of "${user}"` }));

test("three get in, the fourth is told that it is full, and all three leave", async (t) => {
  const world = await World.begin(t);
  assert.equal(await world.run(full, PEOPLE), undefined, world.lines.join("\n"));
  assert.deepEqual(
    [world.asked.get("/api/login"), world.left, world.sessions.size, world.max],
    [4, ["session=1", "session=2", "session=3"], 0, 500],
  );
  assert.deepEqual(
    world.lines.filter((line) => line.startsWith("FAIL")),
    [],
  );
  assert.match(world.lines.at(-1) ?? "", /^restored: no session of the drill is left; 500 slots again$/);
});

test("a logout that fails is said, and tried again as things are put back", async (t) => {
  const world = await World.begin(t);
  world.stubborn.set("session=2", 1);
  const why = await world.run(full, PEOPLE);
  assert.match(String(why), /1 session of the drill could not be ended \(status 500\): they end with their leases/);
  assert.deepEqual([world.left, world.sessions.size], [["session=1", "session=2", "session=3", "session=2"], 0], "who has left is let be");
});

test("a logout that never works is said once more, and the slots are put back all the same", async (t) => {
  const world = await World.begin(t);
  world.stubborn.set("session=1", 9);
  await world.run(full, PEOPLE);
  assert.deepEqual([world.left.length, world.sessions.size, world.max], [4, 1, 500]);
  assert.match(world.lines.join("\n"), /FAIL {2}not restored \(no session of the drill is left\): 1 session .*\(status 500\)/);
  assert.equal(world.lines.at(-1), "restored: 500 slots again");
});

test("Ctrl-C cuts a login under way; one that gets its slot late is logged out", async (t) => {
  const world = await World.begin(t);
  const slow = new Barrier();
  world.barriers.set("/api/login 2", slow);
  const ended = world.run(full, PEOPLE);
  await slow.reached.promise;
  world.interrupt();
  setTimeout(() => slow.open(), 50); // while it is waited for
  assert.match(String(await ended), /Ctrl-C/);
  assert.deepEqual([world.asked.get("/api/login"), world.left, world.sessions.size, world.max], [2, ["session=1", "session=2"], 0, 500]);
});

test("a login that is never answered holds nobody up after Ctrl-C, and is told", async (t) => {
  const world = await World.begin(t);
  const never = new Barrier();
  world.barriers.set("/api/login 3", never);
  const ended = world.run(full, PEOPLE);
  await never.reached.promise;
  world.interrupt();
  assert.match(String(await ended), /Ctrl-C/);
  assert.deepEqual([world.left, world.sessions.size, world.max], [["session=1", "session=2"], 0, 500]);
  assert.match(
    world.lines.join("\n"),
    /not restored \(no session of the drill is left\): 1 session .*\(a login is not answered within 3\.0 s\)/,
    "not the 30 s that a request may take",
  );
});
