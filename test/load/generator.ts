/** The generator as it is, threads and all, and servers for it. */
import assert from "node:assert/strict";
import type { RequestListener, Server } from "node:http";
import net, { type AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { http } from "../../src/base/http.ts";
import { Conductor, type Orders } from "../../src/load/conductor.ts";
import type { Threshold } from "../../src/load/metrics.ts";
import type { StepResult } from "../../src/load/result.ts";
import type { Step } from "../../src/load/shape.ts";
import { findTarget, parseTarget, type Target } from "../../src/load/target.ts";
import { READS_ONLY, type Traffic } from "../../src/load/traffic.ts";

export const portOf = (server: net.Server): number => (server.address() as AddressInfo).port;
export const targetAt = (port: number): Promise<Target> => findTarget(parseTarget(`http://127.0.0.1:${port}`), false);

export async function serve(t: TestContext, handler: RequestListener): Promise<{ readonly server: Server; readonly target: Target }> {
  const server = http.createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return { server, target: await targetAt(portOf(server)) };
}

export interface Given {
  readonly thinkMs?: number;
  readonly threads?: number;
  readonly connections?: number;
  readonly server?: Orders["server"];
  readonly timeoutMs?: number;
  readonly limited?: boolean;
  readonly spread?: boolean;
  readonly thresholds?: readonly Threshold[];
  readonly traffic?: Partial<Traffic>;
  /** A second of a window has passed. */
  readonly moment?: () => void;
}

export function conductor(target: Target, given: Given = {}): Conductor {
  const {
    thinkMs = 0,
    threads = 1,
    connections = 20,
    server,
    timeoutMs = 10_000,
    limited = false,
    spread = false,
    thresholds = [],
  } = given;
  const endpoint = { name: "/", class: "read", weight: 1, method: "GET", path: "/" } as const;
  const actions = [{ name: "request", weight: 1, requests: 1, thinkMs }];
  const traffic = { endpoints: [endpoint], mix: READS_ONLY, actions, people: [], ...given.traffic };
  return new Conductor(
    { target, traffic, thresholds, server, timeoutMs, threads, connections, limited, spread, seed: 1, run: "t" },
    { begin() {}, moment: () => given.moment?.(), end() {} },
  );
}

export async function run(conductor: Conductor, steps: readonly Step[]): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const [i, step] of steps.entries()) {
    const result = await conductor.step(step, i + 1);
    assert.ok(result !== undefined);
    results.push(result);
  }
  await conductor.end();
  return results;
}
