/** What stands for Google for those who are not drover: the same rows after the same delay, and a count of who asked. */
import http from "node:http";
import type { AddressInfo } from "node:net";

export interface Upstream {
  readonly url: string;
  readonly delayMs: number;
  calls(): number;
  stop(): Promise<void>;
}

export async function upstream(body: Buffer, delayMs: number): Promise<Upstream> {
  let calls = 0;
  const server = http.createServer((_req, res) => {
    calls += 1;
    setTimeout(() => res.writeHead(200, { "content-type": "application/json" }).end(body), delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/rows`,
    delayMs,
    calls: () => calls,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
