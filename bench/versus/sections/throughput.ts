/** Cached reads of 10 KB: everyone up at once, in turns, the order reversed every other round. */
import { warmUp, withStacks, type Context } from "../context.ts";
import { keepAlive, oneEach } from "../generate.ts";
import { measure, type Load, type Round } from "../measure.ts";
import type { Results, Scenario } from "../results.ts";
import type { Running, StackName } from "../stack.ts";
import { pssMiB } from "../../tree.ts";
import { CPUS } from "../start-drover.ts";

/** Each worker may hold so many: 10,000 in all fit, and stay below the limit of open files. */
const PER_WORKER = 2_000;

/** Opening so many takes a good part of a second, more where the kernel's queue overflows and handshakes are sent again. */
const MANY = 2_000;

interface Wanted extends Load {
  readonly key: string;
  readonly rounds: number;
  readonly stacks: readonly StackName[];
}

export async function throughput(context: Context): Promise<Scenario[]> {
  const { sizes, workers, answerFile } = context;
  const wishes = sizes.stacks
    .filter((name) => context.can(name))
    .map((name) => ({ name, wish: { workers, answerFile, connections: PER_WORKER } }));
  const wanted: readonly Wanted[] = [
    { key: "keep-alive 100", connections: 100, seconds: sizes.seconds, rounds: sizes.rounds100, stacks: sizes.stacks },
    { key: "ab 100", connections: 100, requests: sizes.abRequests, rounds: sizes.rounds100, stacks: sizes.stacks },
    ...sizes.connections.map((connections) => ({
      key: `keep-alive ${connections}`,
      connections,
      seconds: connections < MANY ? sizes.seconds : sizes.secondsMany,
      rounds: connections < MANY ? sizes.rounds : sizes.roundsMany,
      stacks: sizes.wide,
    })),
  ];
  return withStacks(wishes, async (running) => {
    await warmUp(running, sizes.warmUpSeconds, ({ port, path }, seconds) => keepAlive(port, path, 100, seconds));
    const scenarios: Scenario[] = [];
    for (const one of wanted) {
      context.say(`  ${one.key}`);
      if (one.requests !== undefined) await warmUp(running, sizes.warmUpSeconds, fresh(one.requests)); // another path through each server
      scenarios.push({
        key: one.key,
        connections: one.connections,
        keepAlive: one.seconds !== undefined,
        rounds: await inTurns(
          context,
          running.filter(({ name }) => one.stacks.includes(name)),
          one,
        ),
      });
    }
    return scenarios;
  });
}

/** A connection for every request, again and again. */
const fresh =
  (requests: number) =>
  async ({ port, path }: Running, seconds: number): Promise<void> => {
    const end = performance.now() + seconds * 1_000;
    while (performance.now() < end) await oneEach(port, path, 100, requests);
  };

/** Who can't be measured is out of this scenario: a round that is missing would pair the others wrongly. */
async function inTurns(context: Context, running: readonly Running[], load: Wanted): Promise<Scenario["rounds"]> {
  const all = new Map(running.map((one) => [one, [] as Round[]]));
  for (let round = 0; round < load.rounds; round += 1)
    for (const one of (round % 2 === 0 ? running : running.toReversed()).filter((some) => all.has(some)))
      try {
        all.get(one)?.push(await measure(one, load));
      } catch (error) {
        context.fail(`${load.key}, ${one.name}`, error);
        all.delete(one);
      }
  return Object.fromEntries([...all].map(([{ name }, rounds]) => [name, rounds]));
}

/** drover with as many workers as CPUs, beside four times as many. */
export async function workersBesideCpus(context: Context): Promise<Results["workersBesideCpus"]> {
  const { sizes, answerFile } = context;
  const counts = [CPUS, CPUS * 4];
  const wishes = counts.map((workers) => ({ name: "drover" as const, wish: { workers, answerFile } }));
  return withStacks(wishes, async (running) => {
    const idle = running.map(({ root }) => pssMiB(root));
    await warmUp(running, sizes.warmUpSeconds, ({ port, path }, seconds) => keepAlive(port, path, 100, seconds));
    const rounds = running.map(() => ({ keepAlive: [] as Round[], fresh: [] as Round[] }));
    for (let round = 0; round < sizes.rounds; round += 1)
      for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const one = running[i] as Running;
        rounds[i]?.keepAlive.push(await measure(one, { connections: 100, seconds: sizes.seconds }));
        rounds[i]?.fresh.push(await measure(one, { connections: 100, requests: sizes.abRequests }));
      }
    return rounds.map((of, i) => ({
      workers: counts[i] ?? 0,
      idle: Math.round(idle[i] ?? 0),
      loaded: Math.round(pssMiB(running[i]?.root ?? 0)),
      ...of,
    }));
  });
}
