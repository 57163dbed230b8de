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
