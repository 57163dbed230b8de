import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import net from "node:net";
import test, { type TestContext } from "node:test";
import { http } from "../../../src/base/http.ts";
import { post } from "../../../src/admin/alerts/post.ts";
import { ms } from "../../../src/base/units.ts";

async function hook(t: TestContext, listener: RequestListener): Promise<string> {
  const server = http.createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T0/secret-path?key=secret-query`;
}
const one = (url: string, within = 2_000) => post({ url, headers: { "x-test": "1" }, body: '{"text":"é"}', within: ms(within) });

test("the body, the headers and the whole address arrive; a 2xx is all there is to tell", async (t) => {
  let got = "";
  const url = await hook(t, (req, res) => {
    got = `${req.method} ${req.url} ${String(req.headers["x-test"])} ${req.headers["content-length"]} `;
    req.on("data", (chunk: Buffer) => (got += chunk.toString()));
    req.on("end", () => res.writeHead(204).end());
  });
  assert.deepEqual(await one(url), { status: 204, why: "" });
  assert.equal(got, 'POST /services/T0/secret-path?key=secret-query 1 13 {"text":"é"}');
});

test("a refusal is told with its first words, in one line; a redirect is not followed", async (t) => {
  const refused = await hook(t, (_, res) => res.writeHead(410).end(`gone\u001b[2J\nfor ever ${"x".repeat(9_000)}`));
  const { status, why } = await one(refused);
  assert.equal(status, 410);
  assert.match(why, /^gone \[2J for ever x+$/);
  assert.ok(why.length <= 200);
  let asked = 0;
  const elsewhere = await hook(t, (_, res) => ((asked += 1), res.end()));
  const redirect = await hook(t, (_, res) => res.writeHead(307, { location: elsewhere }).end());
  assert.equal((await one(redirect)).status, 307);
  assert.equal(asked, 0);
});

test("silence, an endless answer, no HTTP, nobody there: within its time, never thrown, without the address's secrets", async (t) => {
  const silent = await hook(t, () => {});
  assert.deepEqual(await one(silent, 200), { status: 0, why: "no answer within 200 ms" });
  const endless = await hook(t, (_, res) => {
    res.writeHead(500);
    const more = setInterval(() => res.write("x".repeat(65_536)), 1);
    res.on("close", () => clearInterval(more));
  });
  assert.equal((await one(endless)).status, 500);
  const slow = await hook(t, (_, res) => void res.writeHead(500).write("x"));
  assert.equal((await one(slow, 200)).status, 0);
  const server = net.createServer((socket) => socket.end("220 smtp ready\r\n"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const none = await one(`http://127.0.0.1:${port}/secret-path`);
  server.close();
  const nobody = await one(`http://127.0.0.1:${port}/secret-path`);
  for (const { status, why } of [none, nobody]) {
    assert.equal(status, 0);
    assert.notEqual(why, "");
    assert.doesNotMatch(why, /secret/);
  }
});
