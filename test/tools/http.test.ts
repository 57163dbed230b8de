/** A tool's HTTP request: bounded in time and size, over TCP and TLS. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http, { type RequestListener } from "node:http";
import { createServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { ms, seconds } from "../../src/base/units.ts";
import { request } from "../../src/tools/http.ts";
import { certificate } from "../process/certificate.ts";
import { folder } from "../support/cleanup.ts";
import { needs } from "../support/needs.ts";

const OPTIONS = { timeout: seconds(60), agent: "drover-test" } as const;

async function serve(
  t: TestContext,
  answer: RequestListener,
  tls?: ServerOptions,
): Promise<string> {
  const server = tls === undefined ? http.createServer(answer) : createServer(tls, answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  const { port } = server.address() as AddressInfo;
  return `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}/`;
}

test("sends method, headers and a JSON body; returns status, headers and body", async (t) => {
  const url = await serve(t, (req, res) => {
    const { method, headers } = req;
    let body = "";
    req.on("data", (chunk: Buffer) => (body += chunk.toString()));
    req.on("end", () => {
      const seen = [
        method,
        headers["content-type"],
        headers["content-length"],
        headers["user-agent"],
      ];
      res.writeHead(201, { "x-seen": seen.join(" ") }).end(body);
    });
  });
  const reply = await request(url, { ...OPTIONS, method: "POST", body: '{"é":1}' });
  assert.deepEqual(
    [reply.status, reply.headers["x-seen"], reply.body],
    [201, "POST application/json 8 drover-test", '{"é":1}'],
  );
});

test("silence, an endless body and a broken answer are errors that name the URL or the cause", async (t) => {
  const silent = await serve(t, () => {});
  await assert.rejects(request(silent, { ...OPTIONS, timeout: ms(50) }), {
    message: `${silent}: no answer within 0.05 s`,
  });
  const endless = await serve(t, (_req, res) => {
    const more = (): void => {
      if (!res.closed) res.write(Buffer.alloc(65_536), () => setImmediate(more));
    };
    more();
  });
  await assert.rejects(request(endless, OPTIONS), {
    message: `${endless}: the answer is over 16777216 bytes`,
  });
  const broken = await serve(t, (req, res) => {
    res.writeHead(200, { "content-length": 10 }).write("half", () => req.socket.destroy());
  });
  await assert.rejects(request(broken, OPTIONS), { code: "ECONNRESET" });
});

test("a signal ends it", async (t) => {
  const controller = new AbortController();
  const url = await serve(t, () => controller.abort());
  await assert.rejects(request(url, { ...OPTIONS, signal: controller.signal }), {
    name: "AbortError",
  });
});

test(
  "a certificate is verified unless any is accepted",
  { skip: needs("openssl", "openssl") },
  async (t) => {
    const { key, cert } = certificate(folder(t), "example");
    const tls = { key: readFileSync(key), cert: readFileSync(cert) };
    const url = await serve(t, (_req, res) => void res.end("ok"), tls);
    await assert.rejects(request(url, OPTIONS), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    assert.equal((await request(url, { ...OPTIONS, anyCertificate: true })).body, "ok");
  },
);
