/** Start-up and memory, one tree at a time. */
import { setTimeout as sleep } from "node:timers/promises";
import { cpuSeconds, pssMiB } from "../../tree.ts";
import { each, withOne, type Context } from "../context.ts";
import { keepAlive, oneEach } from "../generate.ts";
import { rounded } from "../measure.ts";
import type { Footprint } from "../results.ts";
import type { Running, StackName } from "../stack.ts";

export async function footprint(context: Context): Promise<Footprint[]> {
  const found: Footprint[] = [];
  for (const [count, stacks] of context.sizes.footprint.of) {
    context.say(`  ${count} workers`);
    found.push(...(await each(context, stacks, (stack) => one(context, stack, count))));
  }
  return found;
}

async function one({ sizes, answerFile }: Context, stack: StackName, workers: number): Promise<Footprint> {
  const startSeconds: number[] = [];
  const startCpuSeconds: number[] = [];
  let memory = { idle: 0, loaded: 0 };
  for (let nr = 1; nr <= sizes.footprint.starts; nr += 1)
    await withOne(stack, { workers, answerFile }, async (running) => {
      startSeconds.push(rounded(running.startSeconds));
      startCpuSeconds.push(rounded(cpuSeconds(running.root)));
      if (nr === sizes.footprint.starts) memory = await memoryOf(running, sizes.seconds, sizes.abRequests);
    });
  return { stack, workers, startSeconds, startCpuSeconds, ...memory };
}

/** Idle ten seconds after the start, when whatever a start leaves behind is done; and after what a service meets: kept connections, new ones, and many at once. */
async function memoryOf({ root, port, path }: Running, seconds: number, requests: number): Promise<{ idle: number; loaded: number }> {
  await sleep(10_000);
  const idle = Math.round(pssMiB(root));
  await keepAlive(port, path, 100, seconds);
  await oneEach(port, path, 100, requests);
  await keepAlive(port, path, 2_000, seconds);
  return { idle, loaded: Math.round(pssMiB(root)) };
}
