/** A webhook that can refuse or stay silent, and the metrics of a daemon. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { cleanEnv, DROVER, get, type Daemon } from "./harness.ts";

const run = promisify(execFile);
export const SECRET = "a-secret-of-some-length";

export interface Delivery {
  readonly body: Record<string, unknown>;
  readonly text: string;
  readonly headers: http.IncomingHttpHeaders;
}

/** A webhook: it refuses the first delivery, as a busy one may. */
export async function webhook(t: TestContext): Promise<{ url: string; got: Delivery[]; refused: () => number; silent(): void }> {
  const got: Delivery[] = [];
  let [asked, silent] = [0, false];
  const server = http.createServer((req, res) => {
    let text = "";
    req.on("data", (chunk: Buffer) => (text += chunk.toString()));
    req.on("end", () => {
      if (silent) return;
      if ((asked += 1) === 1) return void res.writeHead(503).end("not yet");
      got.push({ body: JSON.parse(text) as Record<string, unknown>, text, headers: req.headers });
      res.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=hidden`;
  return { url, got, refused: () => asked, silent: () => void (silent = true) };
}

export async function metrics(daemon: Daemon): Promise<{ text: string; took: number; value(line: string): number }> {
  const from = performance.now();
  const { body, status, headers } = await get("http://localhost/metrics", { socketPath: join(daemon.dir, "var/run/control.sock") });
  const took = performance.now() - from;
  assert.equal(status, 200);
  assert.match(headers["content-type"] ?? "", /^text\/plain; version=0\.0\.4/);
  return {
    text: body,
    took,
    value: (line) =>
      Number(
        body
          .split("\n")
          .find((l) => l.startsWith(`${line} `))
          ?.slice(line.length + 1) ?? Number.NaN,
      ),
  };
}

export const drover = (daemon: Daemon, ...args: string[]) => run(DROVER, args, { cwd: daemon.dir, env: cleanEnv() });
