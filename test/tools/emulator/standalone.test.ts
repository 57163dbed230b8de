/** `drover emulator` as a process. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { DROVER, standalone } from "./standalone.ts";
import { folder } from "./world.ts";

test("faults from the command line, control routes with a token, and manual edits", async (t) => {
  const it = await standalone(t, [
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
  await it.order("malformed;hang");
  assert.deepEqual(await it.delivered(), { total: 0, byKind: {}, byMethod: {} });
  const before = await it.rows("players");
  await it.edit("sort=players,column=A,descending");
  assert.deepEqual(await it.rows("players"), [before[0], ...before.slice(1).toReversed()]);
  assert.deepEqual([await it.metadata(), (await it.requests()).reads], [[], 0]);
});

test("after a kill it starts with the same rows and without faults", async (t) => {
  const dir = folder();
  const first = await standalone(t, ["--faults"], dir);
  await first.order("hang,every=1");
  await first.edit("type=players,at=B2,value=someone else");
  const rows = await first.rows("players");
  await first.kill("SIGKILL");
  const second = await standalone(t, ["--faults"], dir);
  assert.deepEqual(await second.rows("players"), rows);
  assert.deepEqual((await second.admin("GET", "faults")).json().waiting, []);
});

test("a token from the settings is not printed; without a token there are no control routes", async (t) => {
  const token = "0123456789abcdef-mine";
  const mine = await standalone(t, ["--emulator-token", token]);
  assert.equal((await mine.admin("GET", "faults", undefined, token)).status, 200);
  assert.doesNotMatch(mine.said, /0123456789abcdef/);
  const closed = await standalone(t, ["--fault", "hang,method=write"]);
  assert.equal((await closed.admin("GET", "faults", undefined, token)).status, 404);
});

test("an unknown fault is a usage error, exit 64", () => {
  const { status, stderr } = spawnSync(
    DROVER,
    ["emulator", "--port", "0", "--fault", "hang;latncy=2s"],
    { encoding: "utf8" },
  );
  assert.equal(status, 64);
  assert.match(stderr, /--fault latncy=2s: kind must be one of status, denied/);
});

test("--csv is read at the first start; later the folder is reported unread, and may be missing", async (t) => {
  const [dir, csv] = [folder(), folder()];
  await writeFile(join(csv, "a.csv"), "id\n1\n");
  const first = await standalone(t, ["--faults", "--csv", csv], dir);
  assert.deepEqual(await first.rows("a"), [["id"], [1]]);
  assert.doesNotMatch(first.said, /not read/);
  await first.kill("SIGTERM");
  await rm(csv, { recursive: true });
  const second = await standalone(t, ["--faults", "--csv", csv], dir);
  assert.deepEqual(await second.rows("a"), [["id"], [1]]);
  assert.match(
    second.said,
    /^  --csv .* was not read: .*state\.json holds the spreadsheet\. Use another --dir, or remove that file$/m,
  );
});
