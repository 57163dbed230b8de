/** The data side under a Google that misbehaves, in a real daemon: what was seen is served, what is hidden stays, the quota holds. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { errnoOf } from "../../src/base/errors.ts";
import { answerJson, FakeGoogle, keyFile, SPREADSHEET } from "../broker/upstream.ts";
import { get, ONE, start, type Daemon, type Reply } from "./harness.ts";
import { folder, sent } from "../support/cleanup.ts";
import { eventually, slow } from "../support/wait.ts";

const HIDDEN = "hidden-code-4711";
const HEADER = ["id", "name", "code"];
const rows = (name: string, header = HEADER): unknown[][] => [header, ...Array.from({ length: 20 }, (_, i) => [`p${i}`, name, HIDDEN])];

/** Calls a minute. */
const QUOTA = 60;

async function world(
  t: TestContext,
  more: NodeJS.ProcessEnv = {},
): Promise<{ fake: FakeGoogle; daemon: Daemon; read: () => Promise<Reply> }> {
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
    DROVER_UPSTREAM_TIMEOUT: slow(3),
    ...ONE,
    ...more,
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

test("under 500 and a renamed hidden column rows that were seen are served, marked stale, and new ones come when Google is well", async (t) => {
  const { fake, daemon, read } = await world(t);
  assert.equal((await read()).status, 200);
  const bodies: string[] = [];
  const faults: Record<string, { readonly reason: string; begin(): void }> = {
    "500": { reason: "upstream", begin: () => (fake.standing = answerJson(500, { error: { code: 500, message: "boom" } })) },
    "a hidden column renamed": {
      reason: "malformed",
      begin: () => void fake.tabs.set("players", rows("leak", ["id", "name", "geheim"])),
    },
  };
  for (const [name, { reason, begin }] of Object.entries(faults)) {
    begin();
    await eventually(`stale under: ${name}`, async () => {
      const { status, headers, body } = await read();
      bodies.push(`${status} ${body}`);
      return headers["x-cache"] === "STALE" && Number(headers.age) >= 1 && headers["x-cache-reason"] === reason;
    });
    fake.standing = undefined;
    fake.tabs.set("players", rows(name));
    await eventually(`well again after: ${name}`, async () => (await read()).body.includes(name));
  }
  assert.deepEqual(
    bodies.filter((text) => !text.startsWith("200 ")),
    [],
  );
  assert.ok(!bodies.join("").includes(HIDDEN) && !written(daemon).includes(HIDDEN), "nothing hidden in any answer, log or file");
});

test("a broker that is killed twice: no read fails, and Google is asked no more than the quota allows", async (t) => {
  const { fake, daemon, read } = await world(t, { DROVER_READS_PER_MINUTE: String(QUOTA) });
  const begun = performance.now();
  const first = await read();
  assert.equal(first.status, 200);
  const reads: number[] = [];
  for (let kills = 0; kills < 2; kills += 1) {
    const pid = (await daemon.place("broker/0")).child?.pid ?? 0;
    assert.ok(sent(pid, "SIGKILL"));
    fake.tabs.set("players", rows(`life ${kills}`));
    const calls = fake.apiCalls.length;
    await eventually("the next broker has asked, or must not", async () => {
      reads.push((await read()).status);
      const { state, child } = await daemon.place("broker/0");
      const used = (await daemon.status()).upstream?.quota.used ?? 0;
      return state === "ready" && child?.pid !== pid && (fake.apiCalls.length > calls + 1 || used >= QUOTA * 0.75);
    });
  }
  assert.deepEqual([...new Set(reads)], [200]);
  t.diagnostic(`${fake.apiCalls.length} calls`);
  const minutes = Math.ceil((performance.now() - begun) / 60_000);
  assert.ok(fake.apiCalls.length <= QUOTA * minutes, `${fake.apiCalls.length} calls in the ${minutes} minutes begun`);
});
