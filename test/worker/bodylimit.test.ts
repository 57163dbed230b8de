import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { bytes } from "../../src/base/units.ts";
import { Client } from "./http.ts";
import { startRig, type Rig } from "./rig.ts";

const UPLOAD = fileURLToPath(new URL("apps/upload.mjs", import.meta.url));
const cut = (): number => (globalThis as { uploadsCut?: number }).uploadsCut ?? 0;

async function limited(use: (rig: Rig) => Promise<void>, limit = 1_000): Promise<void> {
  const rig = startRig({ config: { app: UPLOAD, bodyLimit: bytes(limit), accessLog: 1 } });
  await rig.until("ready");
  try {
    await use(rig);
  } finally {
    rig.tell({ type: "drain", within: 2_000 as never });
    assert.equal(await rig.exited, 0);
  }
}

const post = (path: string, head: string, body: string): string => `POST ${path} HTTP/1.1\r\nHost: t\r\n${head}\r\n\r\n${body}`;
const chunk = (size: number): string => `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`;

test("bodies up to the limit come whole, by length and in chunks; larger ones are 413 and the application sees a client that left", async () => {
  await limited(async (rig) => {
    const before = cut();
    const client = new Client(rig.port);
    client.write(post("/", "Content-Length: 1000", "x".repeat(1_000)));
    assert.equal((await client.response()).body, "1000");
    client.write(post("/", "Transfer-Encoding: chunked", `${chunk(600)}${chunk(400)}0\r\n\r\n`));
    assert.equal((await client.response()).body, "1000");
    client.write(post("/", "Content-Length: 1001", "x".repeat(1_001)));
    const refused = await client.response();
    assert.deepEqual(
      [refused.status, refused.headers["connection"], JSON.parse(refused.body).detail],
      [413, "close", "the body is larger than 1000 bytes"],
    );
    await client.until(() => client.closed);
    const chunked = new Client(rig.port);
    chunked.write(post("/", "Transfer-Encoding: chunked", `${chunk(600)}${chunk(401)}`));
    assert.equal((await chunked.response()).status, 413);
    await chunked.until(() => chunked.closed);
    while (cut() < before + 2) await new Promise(setImmediate);
    await rig.next("beat");
    const counts = rig.said.findLast((message) => message.type === "beat");
    assert.equal(counts?.type === "beat" ? counts.inFlight : -1, 0, "nothing is left in flight");
  });
});

test("an application that answers without reading gets no word in: the client hears 413 all the same", async () => {
  await limited(async (rig) => {
    const client = new Client(rig.port);
    client.write(post("/early", "Content-Length: 5000000", "x".repeat(100_000)));
    assert.equal((await client.response()).status, 413);
    await client.end();
  });
});

test("0 is no limit", async () => {
  await limited(async (rig) => {
    const client = new Client(rig.port);
    client.write(post("/", "Content-Length: 300000", "x".repeat(300_000)));
    assert.equal((await client.response()).body, "300000");
    await client.end();
  }, 0);
});
