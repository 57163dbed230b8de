/** `drover emulator` as a process: its faults from the command line, the token that opens its routes, its end and its return. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { alone, DROVER } from "./alone.ts";
import { folder } from "./world.ts";

test("faults from the command line, a token for their routes, and a person at the sheet", async (t) => {
  const it = await alone(t, [
    "--faults",
    "--fault",
    "status=503,every=3",
    "--fault=drop,method=write;hang,method=oauth.token",
  ]);
  const { waiting } = (await it.admin("GET", "faults")).json();
  assert.deepEqual(
    waiting.map(({ kind }: { kind: string }) => kind),
    ["status", "drop", "hang"],
  );
  assert.equal((await it.admin("GET", "faults", undefined, "another")).status, 401);
  await it.clear();
  await it.order("malformed;truncated");
  assert.deepEqual(await it.delivered(), { total: 0, byKind: {}, byMethod: {} });
  const before = await it.rows("players");
  await it.edit("sort=players,column=A,descending");
  assert.deepEqual(await it.rows("players"), [before[0], ...before.slice(1).toReversed()]);
  assert.deepEqual([await it.metadata(), (await it.requests()).reads], [[], 0]);
});

test("killed and started again it has the same rows and no faults", async (t) => {
  const dir = await folder();
  const first = await alone(t, ["--faults"], dir);
  await first.order("hang,every=1");
  await first.edit("type=players,at=B2,value=someone else");
  const rows = await first.rows("players");
  await first.kill("SIGKILL");
  const second = await alone(t, ["--faults"], dir);
  assert.deepEqual(await second.rows("players"), rows);
  assert.deepEqual((await second.admin("GET", "faults")).json().waiting, []);
});

test("a token of one's own is not printed; without any there are no routes", async (t) => {
  const token = "0123456789abcdef-mine";
  const mine = await alone(t, ["--emulator-token", token]);
  assert.equal((await mine.admin("GET", "faults", undefined, token)).status, 200);
  assert.doesNotMatch(mine.said, /0123456789abcdef/);
  const closed = await alone(t, ["--fault", "hang,method=write"]);
  assert.equal((await closed.admin("GET", "faults", undefined, token)).status, 404);
});

test("a fault that there is not is a usage error, exit 64", () => {
  const { status, stderr } = spawnSync(
    DROVER,
    ["emulator", "--port", "0", "--fault", "hang;latncy=2s"],
    { encoding: "utf8" },
  );
  assert.equal(status, 64);
  assert.match(stderr, /--fault latncy=2s: kind must be one of status, denied/);
});
