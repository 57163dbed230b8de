/**
 * Connections that come and go: a connection for each request, on cached rows and on applications whose loop is held up, beside another checkout
 * (built) and bare servers. All are up at once and take turns. Asked by ab where it is installed.
 *
 *   npm run bench churn        [WORKERS=8] [ROUNDS=6] [REQUESTS=20000] [AGAINST=/path/to/another/checkout]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { bytes } from "../src/base/units.ts";
import { nodeFlags } from "../src/cli/child-env.ts";
import { bare, drover, type Stack } from "./stacks.ts";
import { cpuSecondsFine, sleepsOf } from "./tree.ts";
import { fetchAnswer, keepAnswer } from "./versus/answer.ts";
import { oneEach } from "./versus/generate.ts";
import { spread } from "./versus/pages/figures.ts";

const WORKERS = Number(process.env["WORKERS"] ?? 8);
const ROUNDS = Number(process.env["ROUNDS"] ?? 6);
const REQUESTS = Number(process.env["REQUESTS"] ?? 20_000);
const AGAINST = process.env["AGAINST"];
const WARM_UP = 5_000;
const ROWS = "/api/tables/players?limit=115";
const SLEEPER = new URL("apps/sleeper.mjs", import.meta.url).pathname;

async function compare(title: string, stacks: readonly Stack[], path: string, clients: number, requests: number): Promise<void> {
  const ask = (stack: Stack): ReturnType<typeof oneEach> => oneEach(stack.port, path, clients, requests);
  for (const stack of stacks) for (const end = performance.now() + WARM_UP; performance.now() < end;) await ask(stack);
  const rounds = new Map(
    stacks.map((stack) => [stack, [] as { rps: number; cpu: number; p99: number; switches: number; errors: number }[]]),
  );
  for (let round = 0; round < ROUNDS; round += 1)
    for (const stack of round % 2 === 0 ? stacks : stacks.toReversed()) {
      const [cpu, slept] = [cpuSecondsFine(stack.pid), sleepsOf(stack.pid)];
      const { p99, errors, requests: done, seconds } = await ask(stack);
      rounds.get(stack)?.push({
        rps: done / seconds,
        cpu: ((cpuSecondsFine(stack.pid) - cpu) / done) * 100_000,
        p99,
        switches: (sleepsOf(stack.pid) - slept) / done,
        errors,
      });
    }
  console.log(`\n${title}: ${requests} requests, ${clients} at a time, ${ROUNDS} rounds, ${WORKERS} workers`);
  console.log("| | requests/s | CPU-s for 100,000 | p99 ms | sleeps a request | errors |\n|---|---|---|---|---|---|");
  for (const [{ name }, all] of rounds) {
    const errors = all.reduce((sum, round) => sum + round.errors, 0);
    const shown = (["rps", "cpu", "p99", "switches"] as const).map((what) => spread(all.map((round) => round[what])));
    console.log(`| ${[name, ...shown, errors].join(" | ")} |`);
  }
}

async function together(starting: readonly (() => Promise<Stack>)[], use: (stacks: readonly Stack[]) => Promise<void>): Promise<void> {
  const stacks: Stack[] = [];
  try {
    for (const start of starting) stacks.push(await start());
    await use(stacks);
  } finally {
    for (const stack of stacks) await stack.stop();
  }
}

const roots = [undefined, ...(AGAINST === undefined ? [] : [`${AGAINST.replace(/\/$/, "")}/`])];
const droverAt = (env: NodeJS.ProcessEnv): (() => Promise<Stack>)[] => roots.map((root) => () => drover(WORKERS, env, root));

const dir = mkdtempSync(join(tmpdir(), "drover-bench-"));
try {
  const flags = nodeFlags("worker", { memory: bytes(totalmem()), workers: WORKERS, autopsy: false, ownCode: true });
  const bareOnes = (["held", "spread"] as const).map((mode) => () => bare(mode, WORKERS, join(dir, "answer.json"), flags));
  await together(
    droverAt({}).map((start) => async () => {
      const stack = await start();
      keepAnswer(dir, await fetchAnswer(stack.port, ROWS));
      return stack;
    }),
    (stacks) => together(bareOnes, (others) => compare("Cached rows", [...stacks, ...others], ROWS, 100, REQUESTS)),
  );
  for (const [name, env] of [
    ["asleep for 1 ms", { SLEEP_MS: "1" }],
    ["asleep for 5 ms", { SLEEP_MS: "5" }],
    ["computing for 5 ms", { COMPUTE_MS: "5" }],
  ] as const)
    await together(droverAt({ ...env, DROVER_APP: SLEEPER, DROVER_DEMO: "off" }), (stacks) =>
      compare(`An application, ${name} in each request`, stacks, "/", 50, Math.round(REQUESTS / 8)),
    );
} finally {
  rmSync(dir, { recursive: true, force: true });
}
