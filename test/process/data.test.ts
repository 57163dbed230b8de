/** The data side under a Google that misbehaves, in a real daemon: what was seen is served, what is hidden stays, the quota holds. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { errnoOf } from "../../src/base/errors.ts";
import { answerJson, FakeGoogle, googleError, keyFile, SPREADSHEET } from "../broker/upstream.ts";
import { get, ONE, start, type Daemon, type Reply } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const HIDDEN = "hidden-code-4711";
const HEADER = ["id", "name", "code"];
const rows = (name: string, header = HEADER): unknown[][] => [header, ...Array.from({ length: 20 }, (_, i) => [`p${i}`, name, HIDDEN])];

async function world(t: TestContext): Promise<{ fake: FakeGoogle; daemon: Daemon; read: () => Promise<Reply> }> {
  const fake = await new FakeGoogle().start();
  t.after(() => fake.stop());
  fake.tabs.set("players", rows("first"));
  const cwd = folder(t);
  const tables = join(cwd, "tables.json");
  writeFileSync(tables, JSON.stringify({ tables: { players: { ttl: "200ms", read: "public", columns: { code: { hidden: true } } } } }));
  const env = {
    DROVER_SPREADSHEET_ID: SPREADSHEET,
    DROVER_SHEETS_ENDPOINT: `${fake.url}/`,
    DROVER_OAUTH_ENDPOINT: `${fake.url}/token`,
    GOOGLE_APPLICATION_CREDENTIALS: keyFile(),
    DROVER_TABLES: tables,
    DROVER_UPSTREAM_TIMEOUT: "3s",
    ...ONE,
  };
  const daemon = await start(t, { cwd, env });
  return { fake, daemon, read: () => get(`${daemon.url}/api/tables/players?limit=3`) };
}

/** Everything the daemon has written: logs, snapshots, what it said. */
function written({ dir, stdout, stderr }: Daemon): string {
  const files = readdirSync(join(dir, "var"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const read = (path: string): string => {
    try {
      return readFileSync(path, "latin1");
    } catch (error) {
      assert.equal(errnoOf(error), "ENOENT", path); // a draft, which has its name by now
      return "";
    }
  };
  return [stdout, stderr, ...files.map((file) => read(join(file.parentPath, file.name)))].join("\n");
}

test("whatever Google does, rows that were seen are served at once, marked stale, and new ones come when it is well", async (t) => {
  const { fake, daemon, read } = await world(t);
  assert.equal((await read()).status, 200);
  const bodies: string[] = [];
  const reasons: Record<string, string> = { "500": "upstream", "no answer": "timeout", "401 for ever": "denied" };
  const faults: Record<string, () => void> = {
    "500": () => (fake.standing = answerJson(500, { error: { code: 500, message: "boom" } })),
    "no answer": () => (fake.standing = () => {}),
    "401 for ever": () => (fake.standing = googleError(401, "UNAUTHENTICATED", "no")),
    "another shape": () => (fake.standing = answerJson(200, { valueRanges: [{ values: "x" }] })),
    "a hidden column renamed": () => void fake.tabs.set("players", rows("leak", ["id", "name", "geheim"])),
  };
  for (const [name, begin] of Object.entries(faults)) {
    begin();
    await eventually(`stale under: ${name}`, async () => {
      const asked = performance.now();
      const { status, headers, body } = await read();
      assert.deepEqual([status, performance.now() - asked < 2_500], [200, true], `${name}: ${body}`); // less than the time that Google is given
      bodies.push(body);
      return headers["x-cache"] === "STALE" && Number(headers.age) >= 1 && headers["x-cache-reason"] === (reasons[name] ?? "malformed");
    });
    fake.standing = undefined;
    fake.tabs.set("players", rows(name));
    await eventually(`well again after: ${name}`, async () => (await read()).body.includes(name));
  }
  assert.ok(!bodies.join("").includes(HIDDEN) && !written(daemon).includes(HIDDEN), "nothing hidden in any answer, log or file");
});

test("a broker killed again and again: no read fails, and Google is not asked more than its quota allows", async (t) => {
  const { fake, daemon, read } = await world(t);
  assert.equal((await read()).status, 200);
  for (let kills = 0; kills < 5; kills += 1) {
    const pid = (await daemon.place("broker/0")).child?.pid ?? 0;
    process.kill(pid, "SIGKILL");
    const calls = fake.apiCalls.length;
    const name = `life ${kills}`;
    fake.tabs.set("players", rows(name));
    await eventually("the next broker has asked, or must not", async () => {
      assert.equal((await read()).status, 200);
      const { state, child } = await daemon.place("broker/0");
      const used = (await daemon.status()).upstream?.quota.used ?? 0;
      return state === "ready" && child?.pid !== pid && (fake.apiCalls.length > calls + 1 || used >= 45);
    });
  }
  assert.ok(fake.apiCalls.length <= 51, `${fake.apiCalls.length} calls within a minute`);
});
