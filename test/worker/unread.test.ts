import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { connect } from "node:net";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AT_ONCE } from "../../src/worker/gate/pipeline.ts";
import { eventually } from "../support/wait.ts";
import { startRig } from "./rig.ts";

/** Serves `/hang`, which never answers, and counts the requests that node:http has parsed. */
async function hanging(use: (port: number, parsed: () => number) => Promise<void>): Promise<void> {
  let count = 0;
  const started = (): void => void (count += 1);
  subscribe("http.server.request.start", started);
  const builtIn = {
    default: (fastify: { get(path: string, handler: () => Promise<unknown>): void }) => {
      fastify.get("/hang", () => new Promise(() => {}));
      fastify.get("/", () => Promise.resolve("x"));
    },
  };
  const rig = startRig({ builtIn });
  try {
    await rig.until("ready");
    await use(rig.port, () => count);
  } finally {
    unsubscribe("http.server.request.start", started);
    rig.tell({ type: "drain", within: 0 as never });
    await rig.exited;
  }
}

test("behind an answer that does not come only a few requests of a connection are read", async () => {
  await hanging(async (port, parsed) => {
    const client = connect(port, "127.0.0.1");
    const head = `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${"x".repeat(13_000)}\r\n\r\n`;
    client.write(`GET /hang HTTP/1.1\r\nHost: a\r\n\r\n${head.repeat(230)}`);
    await eventually("some are parsed", () => parsed() > 8);
    await sleep(300);
    assert.ok(parsed() < 30, `${parsed()} of 231 requests were parsed`);
    client.destroy();
  });
});

const MIB = 1_048_576;
/** More than the kernel takes for one connection. */
const LARGE = 12 * MIB;

test("of requests pipelined by a client that reads nothing only a few are worked on; once it reads, all are answered in order", async () => {
  let made = 0;
  const builtIn = {
    default: async (fastify: { get(path: string, handler: (request: { query: { nr: string } }) => Promise<string>): void }) => {
      fastify.get("/", async ({ query }) => ((made += 1), await Promise.resolve(), `${query.nr} ${"x".repeat(LARGE)}`));
    },
  };
  const rig = startRig({ builtIn });
  try {
    await rig.until("ready");
    const client = connect(rig.port, "127.0.0.1").setEncoding("latin1").pause();
    client.write(Array.from({ length: 5 }, (_, nr) => `GET /?nr=${nr} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""));
    await eventually("the first ones are made", () => made >= AT_ONCE);
    await sleep(300);
    assert.equal(made, AT_ONCE, "answers that wait for the client");
    let text = "";
    client.on("data", (chunk: string) => (text += chunk.replaceAll(/x{2,}/g, "")));
    client.resume();
    await eventually("all are answered", () => made === 5 && text.endsWith("\r\n\r\n4 "));
    assert.deepEqual([...text.matchAll(/\r\n\r\n(\d) /g)].map(([, nr]) => nr), ["0", "1", "2", "3", "4"]); // prettier-ignore
    client.destroy();
  } finally {
    rig.tell({ type: "drain", within: 500 as never });
    await rig.exited;
  }
});
