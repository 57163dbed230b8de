/** Rolling reloads under load: kept connections and new ones side by side, every failure counted. */
import { setTimeout as sleep } from "node:timers/promises";
import { each, withOne, type Context } from "../context.ts";
import { again, keepAliveUntil, oneEach, type Sent } from "../generate.ts";
import { rounded } from "../measure.ts";
import type { Reload } from "../results.ts";
import type { Running } from "../stack.ts";

/** Of each kind. */
const CONNECTIONS = 50;
const PATIENCE_MS = 60_000;

export function reload(context: Context): Promise<Reload[]> {
  const { sizes, workers, answerFile } = context;
  return each(context, sizes.reload, (stack) =>
    withOne(stack, { workers, answerFile }, (running) => under(running, sizes.reloads, workers)),
  );
}

async function under(running: Running, times: number, workers: number): Promise<Reload> {
  const { port, path, name } = running;
  const replaced = rollings(running, times, workers);
  const [kept, fresh, took] = await Promise.all([
    keepAliveUntil(port, path, CONNECTIONS, replaced),
    // In pieces, because `ab` takes a number and not a time.
    again(() => oneEach(port, path, CONNECTIONS, 500), replaced),
    replaced,
  ]);
  return {
    stack: name,
    reloads: times,
    reloadSeconds: name === "nginx" ? null : rounded(Math.max(...took)),
    keepAlive: counts(kept),
    fresh: counts(fresh),
  };
}

const counts = ({ requests, errors, max }: Sent): Reload["fresh"] => ({ requests, errors, max });

/** A second of load, the reloads, a second of load. @returns how long each took, in seconds. */
async function rollings(running: Running, times: number, workers: number): Promise<number[]> {
  const took: number[] = [];
  await sleep(1_000);
  for (let nr = 0; nr < times; nr += 1) {
    const begin = performance.now();
    const had = running.workers().length;
    await running.reload?.();
    await replacedAll(running, had + workers);
    took.push((performance.now() - begin) / 1_000);
    await sleep(1_000);
  }
  return took;
}

/** Until as many new workers have served as there are. drover's command has waited for that itself, and nginx tells nothing. */
async function replacedAll({ name, workers }: Running, wanted: number): Promise<void> {
  if (name === "drover") return;
  if (name === "nginx") return sleep(2_000);
  const end = performance.now() + PATIENCE_MS;
  while (workers().length < wanted) {
    if (performance.now() > end) throw new Error(`${name} had not replaced its workers after ${PATIENCE_MS / 1_000} s`);
    await sleep(50);
  }
}
