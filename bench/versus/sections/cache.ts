/** What expiry costs: calls to the upstream, the latency of those who come when rows are old, and a herd at a cold cache. */
import http from "node:http";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { each, withOne, withStacks, type Context } from "../context.ts";
import { keepAlive } from "../generate.ts";
import { measure, rounded, type Round } from "../measure.ts";
import type { Expiry, Herd, UpstreamCalls } from "../results.ts";
import type { Running, StackName } from "../stack.ts";
import { upstream } from "../upstream.ts";

const [TTL_SECONDS, SHORT_TTL, GOOGLE_MS, SLOW_MS] = [30, 5, 300, 1_000];
const READERS = 24;
/** The daemon's counters come with its processes' beats. */
const BEATS_MS = 1_500;

const asked = ({ sizes, can }: Context): StackName[] => sizes.cache.filter((name) => can(name));

/** Everyone at once, since hardly any CPU is needed: readers at random phases, and how often the upstream was asked. */
export async function upstreamCalls(context: Context): Promise<UpstreamCalls[]> {
  const { workers, answerFile, body, sizes } = context;
  const names = asked(context);
  const upstreams = await Promise.all(names.map(() => upstream(body, GOOGLE_MS)));
  const wishes = names.map((name, i) => ({ name, wish: { workers, answerFile, upstream: upstreams[i], ttlSeconds: TTL_SECONDS } }));
  try {
    return await withStacks(wishes, (running) => Promise.all(running.map((one) => readFor(one, sizes.upstreamSeconds))));
  } finally {
    await Promise.all(upstreams.map((one) => one.stop()));
  }
}

async function readFor(running: Running, seconds: number): Promise<UpstreamCalls> {
  const before = await running.upstreamCalls();
  const end = performance.now() + seconds * 1_000;
  const sum = { reads: 0, failed: 0 };
  const reader = async (): Promise<void> => {
    while (performance.now() < end) {
      await sleep(Math.random() * 400);
      sum.reads += 1;
      if ((await status(running)) !== 200) sum.failed += 1;
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  await sleep(BEATS_MS);
  return { stack: running.name, ttlSeconds: TTL_SECONDS, seconds, calls: (await running.upstreamCalls()) - before, ...sum };
}

const status = ({ port, path }: Running): Promise<number> =>
  new Promise((resolve) => {
    const req = http.get({ host: "127.0.0.1", port, path, agent: false }, (res) => {
      res.resume();
      res.once("end", () => resolve(res.statusCode ?? 0));
    });
    req.once("error", () => resolve(0));
  });

/** Rows that age every 5 s and take a second to fetch, beside rows that never do: the same program, in turns. */
export const expiry = (context: Context): Promise<Expiry[]> => each(context, asked(context), (name) => aging(context, name));

async function aging({ workers, answerFile, body, sizes }: Context, name: StackName): Promise<Expiry> {
  const slow = await upstream(body, SLOW_MS);
  const wish = { workers, answerFile };
  const rounds = { expiring: [] as Round[], hot: [] as Round[] };
  try {
    await withStacks(
      [
        { name, wish: { ...wish, upstream: slow, ttlSeconds: SHORT_TTL } },
        { name, wish },
      ],
      async (running) => {
        const [expiring, hot] = running as [Running, Running];
        for (const one of running) await keepAlive(one.port, one.path, 100, sizes.warmUpSeconds);
        const both = [
          { one: expiring, into: rounds.expiring },
          { one: hot, into: rounds.hot },
        ];
        const { seconds, others, rounds: own } = sizes.expiry;
        for (let round = 0; round < (name === "drover" ? own : others); round += 1)
          for (const { one, into } of round % 2 === 0 ? both : both.toReversed())
            into.push(await measure(one, { connections: 100, seconds }));
      },
    );
  } finally {
    await slow.stop();
  }
  return { stack: name, ttlSeconds: SHORT_TTL, upstreamMs: SLOW_MS, ...rounds };
}

/** Nothing has ever been fetched, and everybody wants it. */
export const herd = (context: Context): Promise<Herd[]> => each(context, asked(context), (name) => cold(context, name));

async function cold({ workers, answerFile, body, sizes }: Context, name: StackName): Promise<Herd> {
  const slow = await upstream(body, SLOW_MS);
  try {
    return await withOne(name, { workers, answerFile, upstream: slow, ttlSeconds: TTL_SECONDS, connections: 2_000 }, async (running) => {
      const came = await stampede(running, sizes.herd);
      await sleep(BEATS_MS);
      return { stack: name, clients: sizes.herd, upstreamMs: SLOW_MS, ...came, calls: await running.upstreamCalls() };
    });
  } finally {
    await slow.stop();
  }
}

async function stampede({ port, path }: Running, clients: number): Promise<Omit<Herd, "stack" | "clients" | "upstreamMs" | "calls">> {
  const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`;
  const begin = performance.now();
  const times = (await Promise.all(Array.from({ length: clients }, () => comes(port, request)))).filter((time) => time !== undefined);
  const sorted = times.sort((a, b) => a - b);
  const at = (q: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0);
  return {
    answered: times.length,
    failed: clients - times.length,
    p50: at(0.5),
    p99: at(0.99),
    seconds: rounded((performance.now() - begin) / 1_000),
  };
}

/** @returns milliseconds until the whole answer was there, or undefined. */
function comes(port: number, request: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const begin = performance.now();
    let [head, failed] = ["", false];
    const socket = net.connect({ port, host: "127.0.0.1", timeout: 60_000 }, () => socket.write(request));
    socket.on("data", (chunk: Buffer) => {
      if (head.length < 12) head += chunk.toString("latin1", 0, 12);
    });
    socket.on("error", () => (failed = true));
    socket.on("timeout", () => socket.destroy(new Error("no answer for a minute")));
    socket.on("close", () => resolve(failed || !head.startsWith("HTTP/1.1 200") ? undefined : performance.now() - begin));
  });
}
