/** The whole path in demo: emulator, broker, workers, and what happens when each of them is killed. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { keyFile } from "../broker/upstream.ts";
import { temporaryFolder } from "../support/folder.ts";
import { alive, descendants, get, ONE, ROOT, start, type Daemon, type Reply } from "./harness.ts";
import { sent } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const players = (daemon: Daemon, query = "limit=3"): Promise<Reply> => get(`${daemon.url}/api/tables/players?${query}`);

test("one daemon that is read", async (t) => {
  const daemon = await start(t, {
    env: { DROVER_WORKERS: "3", DROVER_LOG_LEVEL: "debug", DROVER_ACCESS_LOG: "on", DROVER_TABLES: writeTables("1h") },
  });
  await t.test("rows of the sample come through emulator, broker and worker, and say that this is the demo", async () => {
    const answer = await players(daemon);
    assert.equal(answer.status, 200, answer.body);
    assert.equal(answer.headers["x-drover-demo"], "1");
    const { rows, total, next, table } = JSON.parse(answer.body) as { rows: { id: string }[]; total: number; next: string; table: string };
    assert.deepEqual([table, rows.length, total, typeof next], ["players", 3, 500, "string"]);
    const file = await get(`${daemon.url}/api/tables/players/export?format=csv&sort=-score`);
    assert.deepEqual([file.status, file.headers["x-rows"], file.body.split("\r\n").length], [200, "500", 502]);
    const status = await daemon.status();
    assert.equal(status.demo, true);
    assert.match(status.data, /sample workbook/);
    await eventually("a beat of the broker has told that Google answers", async () => (await daemon.status()).upstream?.state === "ok");
  });

  await t.test("every worker gives the same bytes and ETag, and 304 for it; a hit costs no upstream call", async () => {
    const seen = new Map<string, string>();
    for (let i = 0; i < 40; i += 1) {
      const { headers, body, status } = await players(daemon);
      assert.equal(status, 200);
      seen.set(String(headers.etag), body);
    }
    assert.equal(seen.size, 1, [...seen.keys()].join(" "));
    const [etag = ""] = seen.keys();
    const again = await get(`${daemon.url}/api/tables/players?limit=3`, { headers: { "if-none-match": etag } });
    assert.deepEqual([again.status, again.body], [304, ""]);
    await eventually("the broker's beat has told of the first call", async () => (await daemon.status()).upstream?.tables.length === 7);
    const before = (await daemon.status()).counters.upstreamCalls;
    await Promise.all(Array.from({ length: 50 }, () => players(daemon)));
    await eventually("the beats have told", async () => (await daemon.status()).counters.hits > 80);
    assert.equal((await daemon.status()).counters.upstreamCalls, before);
  });

  await t.test("sockets, data and log are for this user alone", async () => {
    await players(daemon);
    const mode = (path: string): string => (statSync(join(daemon.dir, path)).mode & 0o777).toString(8);
    assert.equal(mode("var/run"), "700");
    assert.equal(mode("var/run/control.sock"), "600");
    assert.equal(mode("var/run/broker.sock"), "600");
    assert.equal(mode("var/emulator/key.json"), "600");
  });

  await t.test(
    "the codes and targets of the sample, which are hidden, are in no answer, log line or file workers read; each line has its fields",
    async () => {
      const codes = column("players.csv", "code");
      assert.equal(codes.length, 500);
      let text = "";
      for (const path of [
        "/",
        "/healthz",
        "/api/openapi.json",
        "/api/tables/players?limit=1000",
        "/api/tables/players?sort=-score",
        "/api/tables/actions?limit=1000",
        "/api/tables/players/p001",
        "/api/tables/players?sort=code",
        "/api/tables/players?filter[code]=x",
        `/api/tables/players/${codes[0]}`,
        "/api/tables/actions?filter[target]=p001",
        "/api/tables/teams",
        "/api/tables/nothing",
      ]) {
        const answer = await get(daemon.url + path);
        text += JSON.stringify(answer.headers) + answer.body;
      }
      for (const path of ["sort=code", "filter[code]=x"])
        assert.equal((await players(daemon, path)).status, 400, "a hidden column does not exist");
      text += JSON.stringify(await daemon.status()) + daemon.stdout + daemon.stderr;
      const actions = JSON.parse((await get(`${daemon.url}/api/tables/actions`)).body) as { rows: Record<string, unknown>[] };
      assert.ok(actions.rows.length > 0 && actions.rows.every((row) => !("target" in row)));
      assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
      assert.ok(daemon.log().length > 5);
      for (const line of daemon.log()) {
        for (const name of ["time", "level", "pid", "role", "slot", "generation", "msg"])
          assert.ok(name in line, `${name} in ${JSON.stringify(line)}`);
        assert.ok(!Number.isNaN(Date.parse(String(line["time"]))));
      }
      text += JSON.stringify(daemon.log());
      for (const file of readdirSync(join(daemon.dir, "var/snapshots")))
        text += readFileSync(join(daemon.dir, "var/snapshots", file), "latin1");
      const log = JSON.stringify(daemon.log()).replaceAll(String(codes[0]), ""); // what the client itself asked for may be in the access line
      const found = codes.slice(1).filter((code) => text.includes(code));
      console.log(
        `searched ${(text.length / 1_024).toFixed(0)} KiB of answers, log and snapshots for ${codes.length} codes: ${found.length} hits`,
      );
      assert.deepEqual(found, []);
      assert.ok(log.length > 0);
    },
  );
});

test("one daemon that is reloaded and whose processes are killed", async (t) => {
  const daemon = await start(t, { env: { DROVER_CACHE_TTL: "1s", DROVER_TABLES: writeTables("1s") } });
  await t.test("HUP under load: no failed request, no upstream call more, the broker first", async () => {
    await players(daemon);
    const calls = (await daemon.status()).counters.upstreamCalls;
    let failed = 0;
    let served = 0;
    const going = { on: true };
    const client = async (): Promise<void> => {
      while (going.on) {
        await players(daemon).then(
          (a) => (a.status === 200 ? (served += 1) : (failed += 1)),
          () => (failed += 1),
        );
        await sleep(20);
      }
    };
    const clients = [client(), client(), client(), client()];
    for (const round of [2, 3]) {
      daemon.signal("SIGHUP");
      await eventually(`generation ${round}`, async () => {
        const { lastRoll } = await daemon.status();
        return lastRoll?.is === "done" && lastRoll.generation === round;
      });
    }
    going.on = false;
    await Promise.all(clients);
    const status = await daemon.status();
    console.log(`two reloads under load: ${served} served, ${failed} failed, ${status.counters.upstreamCalls - calls} upstream calls more`);
    assert.equal(failed, 0);
    assert.ok(status.places.filter((p) => p.role !== "emulator").every((p) => p.child?.generation === 3));
  });

  await t.test("the broker is killed: reads go on from memory, and it is replaced", async () => {
    await players(daemon);
    const broker = (await daemon.place("broker/0")).child?.pid ?? 0;
    assert.ok(sent(broker, "SIGKILL"));
    for (let i = 0; i < 20; i += 1) assert.equal((await players(daemon)).status, 200);
    await eventually("another broker is ready", async () => {
      const { state, child } = await daemon.place("broker/0");
      return state === "ready" && child?.pid !== broker;
    });
    assert.equal((await players(daemon)).status, 200);
  });

  await t.test("the emulator is killed: reads go on, it is replaced at the same address, and rows are refreshed again", async () => {
    await players(daemon);
    const emulator = (await daemon.place("emulator/0")).child?.pid ?? 0;
    assert.ok(sent(emulator, "SIGKILL"));
    await eventually(
      "it is back",
      async () => (await daemon.place("emulator/0")).child?.pid !== emulator && (await daemon.place("emulator/0")).state === "ready",
    );
    const calls = (await daemon.status()).counters.upstreamCalls;
    await eventually("a fresh answer", async () => {
      const { status, headers } = await players(daemon);
      assert.equal(status, 200);
      return Number(headers.age) < 1 && (await daemon.status()).counters.upstreamCalls > calls;
    });
  });

  await t.test("killed at once, all of them: nobody is left behind", async () => {
    const family = descendants(daemon.pid);
    assert.equal(family.length, 4, "two workers, broker, emulator");
    daemon.signal("SIGKILL");
    await eventually("nobody is left", () => family.every((pid) => !alive(pid)));
  });
});

test("a restart serves at once from disk, with its true age", async (t) => {
  const first = await start(t, { env: ONE });
  const { headers } = await players(first);
  await eventually(
    "the snapshot is on disk",
    () => readdirSync(join(first.dir, "var")).includes("snapshots") && readdirSync(join(first.dir, "var/snapshots")).length > 0,
  );
  await first.stop();
  rmSync(join(first.dir, "var/emulator"), { recursive: true }); // the upstream has lost everything: what is served comes from disk
  const second = await start(t, { cwd: first.dir, env: ONE });
  const answer = await players(second);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.etag, headers.etag);
});

test("no spreadsheet and no demo: exit 78, what to set, how to share, how to ask for the demo", async (t) => {
  const daemon = await start(t, { env: { DROVER_DEMO: "off" }, noWait: true });
  assert.deepEqual(await daemon.exited, { code: 78, signal: null });
  for (const word of ["DROVER_SPREADSHEET_ID", "GOOGLE_APPLICATION_CREDENTIALS", "share", "DROVER_DEMO=on"])
    assert.ok(daemon.stderr.includes(word), word);
  assert.deepEqual(descendants(daemon.pid), []);
});

test("a key file that is not there: exit 78 and its path; Google out of reach: it starts, says so, and answers 503", async (t) => {
  const spreadsheet = { DROVER_SPREADSHEET_ID: "1234567890abcdefghijABCDEFGHIJ" };
  const missing = await start(t, { env: { ...spreadsheet, GOOGLE_APPLICATION_CREDENTIALS: "/nowhere/key.json" }, noWait: true });
  assert.deepEqual(await missing.exited, { code: 78, signal: null }, missing.stderr);
  assert.match(missing.stderr, /\/nowhere\/key\.json/);
  const endpoints = { DROVER_SHEETS_ENDPOINT: "http://127.0.0.1:1/", DROVER_OAUTH_ENDPOINT: "http://127.0.0.1:1/" };
  const down = await start(t, {
    env: { ...ONE, ...spreadsheet, ...endpoints, GOOGLE_APPLICATION_CREDENTIALS: keyFile(), DROVER_TABLES: writeTables("30s") },
  });
  const answer = await players(down);
  assert.equal(answer.status, 503, answer.body);
  assert.ok(Number(answer.headers["retry-after"]) >= 1);
  assert.match(String(answer.headers["content-type"]), /problem\+json/);
  await eventually("status says so, with the broker's next beat", async () => (await down.status()).upstream?.state === "down");
});

/** The sample's tables with another TTL, in a file of this test's own. */
function writeTables(ttl: string): string {
  const { writeFileSync } = process.getBuiltinModule("node:fs");
  const file = join(temporaryFolder("tables"), "tables.json");
  const tables = JSON.parse(readFileSync(join(ROOT, "config/tables.json"), "utf8")) as { tables: Record<string, { ttl: string }> };
  for (const table of Object.values(tables.tables)) table.ttl = ttl;
  writeFileSync(file, JSON.stringify(tables));
  return file;
}

function column(file: string, name: string): string[] {
  const [head = "", ...lines] = readFileSync(join(ROOT, "config/sample", file), "utf8")
    .trim()
    .split(/\r?\n/);
  const index = head.split(",").indexOf(name);
  return lines.map((line) => line.split(",")[index] ?? "").filter(Boolean);
}
