/** Ports for programs that can't ask the kernel for one. */
import { createServer } from "node:net";

/** Above the well-known ports of programs, below the ephemeral ports (32768 and up), from which every connection takes one. */
const FIRST = 20_000;
const LAST = 32_000;
/** Test files run at the same time: each process begins at another place. */
let next = FIRST + ((process.pid * 37) % (LAST - FIRST));

const bindable = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });

/** @returns a port of 127.0.0.1 that no socket uses now. No connection takes it as its own later, and no second call returns it. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < LAST - FIRST; tries += 1) {
    const port = next;
    next = port + 1 < LAST ? port + 1 : FIRST;
    if (await bindable(port)) return port;
  }
  throw new Error(`no free port from ${FIRST} to ${LAST} on 127.0.0.1`);
}
