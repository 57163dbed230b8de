/**
 * Reading while Google is away, at length and with real processes, by `npm run test:soak`: 8 workers, the emulator as a process of its
 * own, and clients that ask without pause. Every test prints its figures. The same rules are tested in a time moved by hand in test/broker.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { http } from "../../src/base/http.ts";
import { standalone, type Standalone } from "../tools/emulator/standalone.ts";
import { start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const TTL = 5_000;

interface Answer {
  readonly at: number;
  readonly status: number;
  readonly took: number;
  readonly age: number;
  readonly cache: string;
  readonly reason: string;
}

async function daemonOn(t: TestContext, { env }: Standalone, more: NodeJS.ProcessEnv = {}, dir = folder(t)): Promise<Daemon> {
  const tables = join(dir, "tables.json");
  writeFileSync(tables, JSON.stringify({ tables: { players: { key: "id", ttl: `${TTL / 1_000}s`, read: "public" } } }));
  return start(t, { cwd: dir, env: { ...env, DROVER_TABLES: tables, DROVER_WORKERS: "8", DROVER_DEMO: "off", ...more } });
}

/** Clients with a connection each. @param pause between an answer and the next question, in ms. */
function readers(t: TestContext, url: string, count: number, pause: number): { readonly answers: Answer[]; stop(): Promise<void> } {
  const answers: Answer[] = [];
  const agent = new http.Agent({ keepAlive: true, maxSockets: count });
  const state = { on: true };
  const ask = (): Promise<void> =>
    new Promise((resolve) => {
      const began = performance.now();
      const note = (status: number, headers: IncomingHttpHeaders): void => {
        const [cache, reason] = [String(headers["x-cache"] ?? ""), String(headers["x-cache-reason"] ?? "")];
        answers.push({ at: began, status, took: performance.now() - began, age: Number(headers.age ?? -1), cache, reason });
        resolve();
      };
      const req = http.get(`${url}/api/tables/players?limit=3`, { agent }, (res) => {
        res.resume();
        res.on("end", () => note(res.statusCode ?? 0, res.headers));
      });
      req.on("error", () => note(0, {}));
    });
  const run = async (): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop -- a client asks, and asks again
    for (; state.on; await sleep(pause * (0.5 + Math.random()))) await ask();
  };
  const ended = Array.from({ length: count }, run);
  const stop = async (): Promise<void> => {
    state.on = false;
    await Promise.all(ended);
    agent.destroy();
  };
  t.after(stop);
  return { answers, stop };
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * q)] ?? 0;
/** Resident memory in MiB. */
const memory = (pid: number): number => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;

test("200 clients at the edge of the TTL, 8 workers: one call a refresh", { timeout: 180_000 }, async (t) => {
  const google = await standalone(t, ["--faults", "--emulator-latency", "recorded"]);
  const daemon = await daemonOn(t, google);
  const clients = readers(t, daemon.url, 200, 400);
  await eventually("all rows are there", () => clients.answers.some(({ cache }) => cache === "HIT"));
  const [calls, since] = [(await google.requests()).reads, performance.now()];
  await sleep(60_000);
  const spent = performance.now() - since;
  const made = (await google.requests()).reads - calls;
  await clients.stop();
  const bad = clients.answers.filter(({ status }) => status !== 200).length;
  const most = Math.floor(spent / (TTL * 0.9)) + 1;
  console.log(
    `200 clients, 8 workers, TTL 5 s: ${clients.answers.length} answers in ${Math.round(spent / 1_000)} s, ${made} calls (one a refresh: ${most} at most), ${bad} not 200`,
  );
  assert.deepEqual([made <= most, bad], [true, 0]);
});

/** Google comes back at the time that `end` gives, on this process's clock. */
interface Outage {
  readonly reason: RegExp;
  begin(google: Standalone): Promise<void>;
  end(google: Standalone): Promise<number>;
}
const by = (spec: string, reason: RegExp): Outage => ({
  reason,
  begin: (google) => google.order(`${spec},method=read,times=1000`),
  end: async (google) => (await google.clear(), performance.now()),
});
const OUTAGES: Readonly<Record<string, Outage>> = {
  hang: by("hang", /^timeout$/),
  500: by("status=500", /^upstream$/),
  reset: by("drop", /^network$/),
  "cut short": by("drop,partial", /^(network|malformed)$/),
  // The emulator shuts the pool until the end of a window that it names: back is when that is over.
  429: { ...by("quota=20s", /^quota$/), end: async (google) => (await google.clear(), 0) },
};

for (const [name, outage] of Object.entries(OUTAGES))
  test(
    `${name} while the rows are there: every read is answered, at once, and fresh rows are back within TTL + 1 s`,
    { timeout: 240_000 },
    async (t) => {
      const google = await standalone(t, ["--faults"]);
      const daemon = await daemonOn(t, google);
      const clients = readers(t, daemon.url, 20, 60);
      await eventually("fresh rows", () => clients.answers.at(-1)?.cache === "HIT");
      const calm = clients.answers.length;
      await sleep(4_000);
      const before = clients.answers.slice(calm).map(({ took }) => took);
      const since = clients.answers.length;
      await outage.begin(google);
      await eventually("rows are stale, and say why", () => outage.reason.test(clients.answers.at(-1)?.reason ?? ""));
      await sleep(name === "429" ? 1_000 : 25_000);
      const breaker = (await daemon.status()).upstream?.spreadsheets?.[0];
      let back = await outage.end(google);
      const lockedUntil = (await daemon.status()).upstream?.quota.lockedUntil ?? 0;
      if (back === 0) back = performance.now() + Math.max(0, lockedUntil - Date.now());
      const fresh = await eventually("fresh rows again", () =>
        clients.answers.findLast(({ at, age, cache }) => at > back - 1_000 && cache === "HIT" && age <= 1),
      );
      await clients.stop();
      const during = clients.answers.slice(since);
      const took = during.map((answer) => answer.took);
      const bad = during.filter(({ status }) => status !== 200).length;
      const oldest = Math.max(...during.map(({ age }) => age));
      const recovery = Math.round(fresh.at - back);
      console.log(
        `${name}: ${during.length} reads, ${bad} not 200, oldest ${oldest} s, p99 ${quantile(took, 0.99).toFixed(1)} ms (before: ${quantile(before, 0.99).toFixed(1)} ms), fresh ${recovery} ms after the end; breaker was ${breaker?.breaker} after ${breaker?.failures} failures`,
      );
      assert.equal(bad, 0);
      assert.ok(quantile(took, 0.99) <= Math.max(50, 2 * quantile(before, 0.99)));
      assert.ok(recovery <= TTL + 1_000, `${recovery} ms`);
    },
  );

test("a name that does not resolve, with rows on disk: every read is answered, and says network", { timeout: 120_000 }, async (t) => {
  const google = await standalone(t, ["--faults"]);
  const dir = folder(t);
  const first = await daemonOn(t, google, {}, dir);
  const warm = readers(t, first.url, 1, 10);
  await eventually("rows", () => warm.answers.at(-1)?.status === 200);
  await warm.stop();
  await first.stop();
  const nowhere = "http://no-such-host.invalid:9/";
  const daemon = await daemonOn(t, google, { DROVER_SHEETS_ENDPOINT: nowhere, DROVER_OAUTH_ENDPOINT: nowhere }, dir);
  const clients = readers(t, daemon.url, 20, 60);
  await eventually("they say why", () => clients.answers.at(-1)?.reason === "network");
  await sleep(15_000);
  await clients.stop();
  const bad = clients.answers.filter(({ status }) => status !== 200).length;
  const p99 = quantile(clients.answers.map(({ took }) => took), 0.99); // prettier-ignore
  console.log(`no such host: ${clients.answers.length} reads, ${bad} not 200, p99 ${p99.toFixed(1)} ms`);
  assert.equal(bad, 0);
});

for (const spec of ["huge=100MB", "huge=100MB,gzip"])
  test(`answers of 100 MB (${spec}): the broker's memory is bounded, and the rows stay`, { timeout: 180_000 }, async (t) => {
    const google = await standalone(t, ["--faults"]);
    const daemon = await daemonOn(t, google);
    const clients = readers(t, daemon.url, 5, 50);
    await eventually("rows", () => clients.answers.at(-1)?.status === 200);
    const pid = (await daemon.place("broker/0")).child?.pid ?? 0;
    const before = memory(pid);
    await google.order(`${spec},method=read,times=1000`);
    const samples: number[] = [];
    for (const end = performance.now() + 45_000; performance.now() < end; await sleep(50)) samples.push(memory(pid));
    const { total } = await google.delivered();
    await google.clear();
    const reason = clients.answers.at(-1)?.reason;
    await eventually("fresh rows", () => clients.answers.at(-1)?.cache === "HIT" && (clients.answers.at(-1)?.age ?? 9) <= 1);
    await clients.stop();
    const third = Math.floor(samples.length / 3);
    const peaks = [samples.slice(0, third), samples.slice(third, 2 * third), samples.slice(2 * third)].map((part) =>
      Math.round(Math.max(...part)),
    );
    const bad = clients.answers.filter(({ status }) => status !== 200).length;
    console.log(
      `${spec}: ${total} answers in 45 s; broker ${Math.round(before)} MiB before, peaks ${peaks.join(", ")} MiB in its thirds; ${bad} reads not 200; reason ${reason}`,
    );
    assert.equal((await daemon.place("broker/0")).child?.pid, pid, "the same broker");
    assert.equal(bad, 0);
    assert.ok((peaks[2] ?? 0) <= before + 250 && (peaks[2] ?? 0) <= (peaks[0] ?? 0) + 60, peaks.join());
  });
