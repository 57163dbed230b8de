/** What every part of the run gets. */
import type { Sizes } from "./sizes.ts";
import type { Running, StackName, Wish } from "./stack.ts";
import { start } from "./start.ts";

export interface Context {
  readonly sizes: Sizes;
  /** CPU × 4, drover's own default. */
  readonly workers: number;
  readonly answerFile: string;
  readonly body: Buffer;
  /** Whether what it needs is installed. */
  can(stack: StackName): boolean;
  /** Something could not be measured; the rest goes on. */
  fail(what: string, error: unknown): void;
  say(text: string): void;
}

/** Runs `work` with stacks that are up at once, and ends them whatever happens. */
export async function withStacks<T>(
  wishes: readonly { readonly name: StackName; readonly wish: Wish }[],
  work: (running: readonly Running[]) => Promise<T>,
): Promise<T> {
  const running: Running[] = [];
  try {
    for (const { name, wish } of wishes) running.push(await start(name, wish));
    return await work(running);
  } finally {
    await Promise.all(running.map((one) => one.stop()));
  }
}

/** Until V8 has compiled what is hot in every worker. */
export async function warmUp(
  running: readonly Running[],
  seconds: number,
  load: (one: Running, seconds: number) => Promise<unknown>,
): Promise<void> {
  for (const one of running) await load(one, seconds);
}

/** One after the other, those that are installed; who fails is noted and left out. */
export async function each<T>(context: Context, stacks: readonly StackName[], work: (stack: StackName) => Promise<T>): Promise<T[]> {
  const found: T[] = [];
  for (const stack of stacks.filter((name) => context.can(name))) {
    context.say(`  ${stack}`);
    try {
      found.push(await work(stack));
    } catch (error) {
      context.fail(stack, error);
    }
  }
  return found;
}

/** Starts one, and ends it whatever happens. */
export async function withOne<T>(name: StackName, wish: Wish, work: (running: Running) => Promise<T>): Promise<T> {
  const running = await start(name, wish);
  try {
    return await work(running);
  } finally {
    await running.stop();
  }
}
