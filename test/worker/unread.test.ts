import assert from "node:assert/strict";
import { connect } from "node:net";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AT_ONCE } from "../../src/worker/gate/pipeline.ts";
import { until } from "../process/harness.ts";
import { startRig } from "./rig.ts";

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
    await until("the first ones are made", () => made >= AT_ONCE);
    await sleep(300);
    assert.equal(made, AT_ONCE, "answers that wait for the client");
    let text = "";
    client.on("data", (chunk: string) => (text += chunk.replaceAll(/x{2,}/g, "")));
    client.resume();
    await until("all are answered", () => made === 5 && text.endsWith("\r\n\r\n4 "));
    assert.deepEqual([...text.matchAll(/\r\n\r\n(\d) /g)].map(([, nr]) => nr), ["0", "1", "2", "3", "4"]); // prettier-ignore
    client.destroy();
  } finally {
    rig.tell({ type: "drain", within: 500 as never });
    await rig.exited;
  }
});
