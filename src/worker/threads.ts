import type { Piscina } from "piscina";
import type { Threads } from "./app.ts";

/** One more thread a worker: with CPU × 4 workers there is no core left for a second. */
const MAX_THREADS = 1;
const MAX_QUEUE = 16;
const IDLE = 30_000;

/** The `threads` service: the pool starts at its first task, and a thread that has been idle for 30 s goes. */
export function createThreads(): Threads {
  let opening: Promise<Piscina> | undefined;
  return {
    async run(module, task, { signal, name } = {}) {
      const pool = await (opening ??= openPool().catch((error: unknown) => {
        opening = undefined; // no descriptor was left to read it with: the next task may find one
        throw error;
      }));
      if (pool.queueSize >= MAX_QUEUE)
        throw Object.assign(new Error(`${MAX_QUEUE} tasks wait for this worker's thread already`), { code: "THREADS_BUSY" });
      return await pool.run(task, { filename: module.href, signal: signal ?? null, ...(name === undefined ? {} : { name }) });
    },
  };
}

/** Most workers never need a thread: the library is read by those who do. */
async function openPool(): Promise<Piscina> {
  const { Piscina } = await import("piscina");
  return new Piscina({
    minThreads: 0,
    maxThreads: MAX_THREADS,
    idleTimeout: IDLE,
    maxQueue: MAX_QUEUE,
    atomics: "disabled", // a thread that waits in Atomics.wait() answers no exit and no inspector
    recordTiming: false,
  });
}
