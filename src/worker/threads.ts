import { Piscina } from "piscina";
import type { Threads } from "./app.ts";

/** One more thread a worker: with CPU × 4 workers there is no core left for a second. */
const MAX_THREADS = 1;
const MAX_QUEUE = 16;
const IDLE = 30_000;

/** The `threads` service: the pool starts at its first task, and a thread that has been idle for 30 s goes. */
export function createThreads(): Threads {
  let pool: Piscina | undefined;
  return {
    async run(module, task, { signal, name } = {}) {
      pool ??= new Piscina({
        minThreads: 0,
        maxThreads: MAX_THREADS,
        idleTimeout: IDLE,
        maxQueue: MAX_QUEUE,
        atomics: "disabled", // a thread that waits in Atomics.wait() answers no exit and no inspector
        recordTiming: false,
      });
      if (pool.queueSize >= MAX_QUEUE)
        throw Object.assign(new Error(`${MAX_QUEUE} tasks wait for this worker's thread already`), { code: "THREADS_BUSY" });
      return await pool.run(task, { filename: module.href, signal: signal ?? null, ...(name === undefined ? {} : { name }) });
    },
  };
}
