/** An application of another framework, unmodified: Express. What a supervisor does with it, and a ws server: foreign.full.ts. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { cleanEnv, ONE, ROOT, start } from "./harness.ts";
import { atEnd } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const EXPRESS = join(ROOT, "test/process/apps/express.mjs");
const NODE = join(ROOT, "node_modules/.bin/node");

const portOf = (url: string): number => Number(new URL(url).port);

/** Everything the server sends on one connection until it closes, but the time of day. */
function raw(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = net.connect(port, "127.0.0.1", () => socket.write(request));
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.on("end", () => resolve(text.replaceAll(/^Date: .*\r\n/gm, "")));
    socket.on("error", reject);
  });
}

/** The same script under Node alone. */
async function bare(t: TestContext): Promise<number> {
  const child = spawn(NODE, [EXPRESS], { env: cleanEnv({ APP_PORT: "0" }), stdio: ["ignore", "pipe", "ignore"] });
  const exited = once(child, "exit");
  atEnd(t, async () => {
    child.kill("SIGKILL");
    await exited;
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return await eventually("it listens", () => Number(/listening on (\d+)/.exec(text)?.[1]) || undefined);
}

test("an Express script, unmodified, is served byte for byte as Node alone serves it", async (t) => {
  const [daemon, alone] = await Promise.all([start(t, { args: [EXPRESS], env: ONE }), bare(t)]);
  const json = JSON.stringify({ a: [1, "é"] });
  const length = Buffer.byteLength(json);
  for (const request of [
    "GET /?name=drover HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "HEAD / HTTP/1.0\r\n\r\n",
    "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${json}`,
    `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1\r\nConnection: close\r\n\r\n{`,
    "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "NONSENSE\r\n\r\n",
  ])
    assert.equal(await raw(portOf(daemon.url), request), await raw(alone, request), request);
  await daemon.logged(/the application listens on \*:3000: it gets the daemon's sockets instead/);
});
