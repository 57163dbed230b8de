/**
 * The source documents' own tests: their `ab` runs, 10, 100 and 500 users on the system before, after, and on drover, their ladder with its
 * margin of 200, and the campaign of 300 with its time compressed. Users are those of `drover load`.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRun } from "../../../src/tools/plan/run/run.ts";
import { fetchAnswer } from "../answer.ts";
import type { Context } from "../context.ts";
import { measure } from "../measure.ts";
import type { Question, Sources } from "../results.ts";
import type { Running, StackName } from "../stack.ts";
import { DROVER } from "../start-drover.ts";
import { start } from "../start.ts";
import { upstream } from "../upstream.ts";

/** `ab -n 1000 -c 10`, `-n 5000 -c 50`, `-n 10000 -c 100`. */
const AB = [
  [1_000, 10],
  [5_000, 50],
  [10_000, 100],
] as const;
/** What the documents measured of Google: 500 to 2,000 ms. */
const GOOGLE_MS = 1_000;
/** The documents' users look once in ten seconds; here ten times as often, so that a short step shows what a long one would. */
const THINK_MS = 1_000;

interface System {
  readonly system: string;
  readonly stack: StackName;
  readonly workers: number;
  readonly ttlSeconds: number;
}
const SYSTEMS: readonly System[] = [
  { system: "as reckoned: 9 sync workers, every request asks Google", stack: "gunicorn-sync", workers: 9, ttlSeconds: 0 },
  { system: "before: 9 sync workers, cache of 5 s in each", stack: "gunicorn-sync", workers: 9, ttlSeconds: 5 },
  { system: "after: 16 gevent workers, cache of 30 s in each", stack: "gunicorn", workers: 16, ttlSeconds: 30 },
  { system: "drover: 16 workers, one cache of 30 s", stack: "drover", workers: 16, ttlSeconds: 30 },
];
/** The campaign's profile as the documents have it. */
const PROFILE = {
  users: { total: 10_000, simultaneous: 300, distribution: { pme: 60, marketing: 40 } },
  actions: {
    create_client: { duration: "2min", requests: 5, frequency: "100/h" },
    view_data: { duration: "1min", requests: 3, frequency: "200/h" },
  },
  distribution: { read: 60, write: 30, export: 10 },
};

export async function sources(context: Context): Promise<Sources> {
  const questions: Question[] = [];
  for (const one of SYSTEMS.slice(-context.sizes.systems).filter(({ stack }) => context.can(stack))) {
    context.say(`  ${one.system}`);
    try {
      questions.push(
        await asked(context, one, ["--ladder", context.sizes.users, "--hold", `${context.sizes.holdSystems}s`, "--think", `${THINK_MS}ms`]),
      );
    } catch (error) {
      context.fail(one.system, error);
    }
  }
  context.say("  drover alone: ab, the ladder, the campaign");
  return { questions, ...(await alone(context)) };
}

async function asked(context: Context, { system, stack, workers, ttlSeconds }: System, flags: readonly string[]): Promise<Question> {
  const google = await upstream(context.body, GOOGLE_MS);
  const running = await start(stack, { workers, answerFile: context.answerFile, upstream: google, ttlSeconds });
  try {
    const before = await running.upstreamCalls();
    const { steps, verdict } = await load(running, flags);
    const upstreamCalls = (await running.upstreamCalls()) - before;
    return { system, stack, workers, ttlSeconds, upstreamMs: GOOGLE_MS, thinkMs: THINK_MS, upstreamCalls, steps, verdict };
  } finally {
    await running.stop();
    await google.stop();
  }
}

async function alone({ sizes, workers, answerFile, body }: Context): Promise<Pick<Sources, "ab" | "ladder" | "campaign">> {
  const google = await upstream(body, GOOGLE_MS);
  const running = await start("drover", { workers, answerFile, upstream: google, ttlSeconds: 30, writes: true });
  const about = { stack: "drover" as const, workers, ttlSeconds: 30, upstreamMs: GOOGLE_MS };
  try {
    await fetchAnswer(running.port, running.path); // else the first of ab's waits for the spreadsheet, and its longest says nothing of the server
    const ab: Sources["ab"][number][] = [];
    for (const [requests, connections] of AB) ab.push({ connections, round: await measure(running, { requests, connections }) });
    const calls = [await running.upstreamCalls()];
    const ladder = await load(running, ["--ladder", sizes.ladder, "--hold", `${sizes.hold}s`]);
    calls.push(await running.upstreamCalls());
    // 10 minutes up, 30 at 300, 5 down: a thirtieth of the time at the full size of `hold`.
    const [up, flat, down] = [sizes.hold * 3, sizes.hold * 4, sizes.hold * 2];
    const stages = `${up}s:300,${flat}s:300,${down}s:0`;
    const campaign = await load(running, ["--stages", stages, "--think", `${THINK_MS}ms`], PROFILE);
    calls.push(await running.upstreamCalls());
    const compressed = `10, 30 and 5 minutes in ${up}, ${flat} and ${down} seconds`;
    const between = (i: number): number => (calls[i + 1] ?? 0) - (calls[i] ?? 0);
    return {
      ab,
      ladder: { system: "drover", ...about, thinkMs: THINK_MS, upstreamCalls: between(0), ...ladder },
      campaign: { system: "drover", ...about, thinkMs: THINK_MS, upstreamCalls: between(1), ...campaign, compressed },
    };
  } finally {
    await running.stop();
    await google.stop();
  }
}

interface Ran {
  readonly steps: Question["steps"];
  readonly verdict: string;
}

/** What the campaign's users do; they write for good, into the emulator. */
const endpoints = (path: string): object => ({
  read: [`GET ${path}`],
  write: [{ method: "POST", path: "/api/tables/actions", body: { player: "p{n}", kind: "move" } }],
  export: [`GET ${path.split("?")[0]}?limit=1000`],
});

/** It runs in the server's folder, where the daemon's own figures are. */
async function load({ port, path, dir }: Running, flags: readonly string[], profile?: object): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), "drover-bench-"));
  const json = join(folder, "run.json");
  try {
    if (profile !== undefined) writeFileSync(join(folder, "profile.json"), JSON.stringify({ ...profile, endpoints: endpoints(path) }));
    const extra = profile === undefined ? [] : ["--profile", join(folder, "profile.json")];
    const url = `http://127.0.0.1:${port}${profile === undefined ? path : "/"}`;
    const { code, out } = await drover(["load", url, ...flags, ...extra, "--json", json], dir);
    if (code !== 0 && code !== 99 && code !== 4) throw new Error(`drover load ended with ${code}:\n${out}`);
    return { steps: readRun(readFileSync(json, "utf8"), json).steps, verdict: /^(PASS|FAIL|INVALID)\b/m.exec(out)?.[1] ?? "INVALID" };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const drover = (args: readonly string[], cwd: string): Promise<{ readonly code: number; readonly out: string }> =>
  new Promise((resolve) => {
    execFile(DROVER, args, { cwd, maxBuffer: 1e7 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out: stdout + stderr }),
    );
  });
