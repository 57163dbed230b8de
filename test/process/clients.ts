/** Clients of every habit that ask a daemon without pause, and what they met. */
import type { RequestOptions } from "node:http";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { http } from "../../src/base/http.ts";
import { get } from "./harness.ts";

/** kept: one connection for all its requests. fresh: one for each. late: it connects, does nothing for a while, and then asks. */
export type Habit = "kept" | "fresh" | "late";

export interface Clients {
  readonly served: Readonly<Record<Habit, number>>;
  /** "kept: ECONNRESET", "fresh: 502", … */
  readonly failed: readonly string[];
  /** The longest answer took, in milliseconds. */
  readonly slowest: () => number;
  total(): number;
  /** Ends once every request under way is answered. */
  stop(): Promise<void>;
}

/** How long a late client says nothing on its connection, in milliseconds: less than DROVER_DRAIN_IDLE, after which a drain may close it. */
const LATE = 300;

/** @param url asked by each; a function is called for every request. */
export function clients(url: string | (() => string), numbers: Readonly<Partial<Record<Habit, number>>>): Clients {
  const served = { kept: 0, fresh: 0, late: 0 };
  const failed: string[] = [];
  let slowest = 0;
  const state = { on: true };
  const next = typeof url === "string" ? (): string => url : url;

  const ask = async (habit: Habit, options: RequestOptions): Promise<void> => {
    const began = performance.now();
    await get(next(), { timeout: 30_000, ...options }).then(
      ({ status }) => (status < 300 ? (served[habit] += 1) : failed.push(`${habit}: ${status}`)),
      (error: Error) => failed.push(`${habit}: ${error.message}`),
    );
    slowest = Math.max(slowest, performance.now() - began);
  };

  const habits: Record<Habit, () => Promise<void>> = {
    kept: async () => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      while (state.on) await ask("kept", { agent });
      agent.destroy();
    },
    fresh: async () => {
      while (state.on) await ask("fresh", {});
    },
    late: async () => {
      for (let i = 0; state.on; i += 1) {
        const socket = await connect(next()).catch((error: Error) => void failed.push(`late: ${error.message}`));
        if (socket === undefined) continue;
        await sleep((i * 37) % LATE);
        await ask("late", { createConnection: () => socket });
      }
    },
  };

  const running = Object.entries(numbers).flatMap(([habit, n]) => Array.from({ length: n }, habits[habit as Habit]));
  return {
    served,
    failed,
    slowest: () => slowest,
    total: () => served.kept + served.fresh + served.late,
    async stop() {
      state.on = false;
      await Promise.all(running);
    },
  };
}

function connect(url: string): Promise<net.Socket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname, () => resolve(socket));
    socket.once("error", reject);
  });
}
