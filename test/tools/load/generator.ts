/** The load generator as it is, and servers for it. */
import assert from "node:assert/strict";
import type { RequestListener, Server } from "node:http";
import net, { type AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { http } from "../../../src/base/http.ts";
import type { StepResult } from "../../../src/tools/load/verdict.ts";
import type { Step } from "../../../src/load/shape.ts";
import { findTarget, parseTarget, type Target } from "../../../src/load/target.ts";
import { READS_ONLY, type Traffic } from "../../../src/load/traffic.ts";
import { Runner, type RunOptions, type Watcher } from "../../../src/tools/load/runner.ts";

export const portOf = (server: net.Server): number => (server.address() as AddressInfo).port;
export const targetAt = (port: number): Promise<Target> =>
  findTarget(parseTarget(`http://127.0.0.1:${port}`), false);

export async function serve(
  t: TestContext,
  handler: RequestListener,
): Promise<{ readonly server: Server; readonly target: Target }> {
  const server = http.createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return { server, target: await targetAt(portOf(server)) };
}

export interface Given extends Partial<Omit<RunOptions, "traffic">> {
  readonly thinkMs?: number;
  readonly traffic?: Partial<Traffic>;
  readonly watcher?: Watcher;
}

export function runner(target: Target, given: Given = {}): Runner {
  const { thinkMs = 0, traffic, watcher, ...options } = given;
  const endpoint = { name: "/", class: "read", weight: 1, method: "GET", path: "/" } as const;
  const actions = [{ name: "request", weight: 1, requests: 1, thinkMs }];
  return new Runner(
    {
      target,
      traffic: { endpoints: [endpoint], mix: READS_ONLY, actions, people: [], ...traffic },
      thresholds: [],
      server: undefined,
      timeoutMs: 10_000,
      connections: 20,
      limited: false,
      spread: false,
      seed: 1,
      run: "t",
      ...options,
    },
    watcher,
  );
}

export async function run(of: Runner, steps: readonly Step[]): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const [i, step] of steps.entries()) {
    const result = await of.step(step, i + 1);
    assert.ok(result !== undefined);
    results.push(result);
  }
  await of.end();
  return results;
}
