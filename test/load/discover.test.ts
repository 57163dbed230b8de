/** The first look and the priming, at servers that answer as servers should not. */
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import net, { type AddressInfo, type Socket } from "node:net";
import test, { type TestContext } from "node:test";
import { http } from "../../src/base/http.ts";
import { discover, prime } from "../../src/load/discover.ts";
import { findTarget, parseTarget, type Target } from "../../src/load/target.ts";
import type { Endpoint } from "../../src/load/traffic.ts";

const targetAt = (server: net.Server, path = "/x"): Promise<Target> =>
  findTarget(parseTarget(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`), false);

async function serve(t: TestContext, handler: RequestListener): Promise<Target> {
  const server = http.createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return await targetAt(server);
}

/** Whatever is asked, this is sent. */
async function saying(t: TestContext, words: string): Promise<Target> {
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("data", () => socket.write(words));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (sockets.forEach((socket) => socket.destroy()), server.close()));
  return await targetAt(server);
}

const read = (path: string, headers?: Record<string, string>): Endpoint => ({
  name: path,
  class: "read",
  weight: 1,
  method: "GET",
  path,
  ...(headers === undefined ? {} : { headers }),
});
const TWENTY = Array.from({ length: 20 }, (_, i) => read(`/${i}`));
/** Longer than a test may take: an answer that waits for it fails the test. */
const PATIENT = { timeoutMs: 600_000 };

for (const [name, lines] of [
  ["to another protocol", "Upgrade: websocket\r\nConnection: Upgrade\r\n"],
  ["to nothing", ""],
] as const)
  test(`a server that switches protocols, ${name}, is no target`, async (t) => {
    const target = await saying(t, `HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`);
    await assert.rejects(discover(target, [], PATIENT), { code: "DROVER_E_TARGET", message: /answers (?:HTTP )?101/ });
  });

test("nothing at all is told from an answer that does not end", async (t) => {
  const silent = await saying(t, "");
  await assert.rejects(discover(silent, [], { timeoutMs: 200 }), { code: "DROVER_E_TARGET", message: /nothing came within 0\.2 s$/ });
  const endless = await saying(t, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  await assert.rejects(discover(endless, [], { timeoutMs: 200 }), { message: /no whole answer within 0\.2 s \(a stream that never ends/ });
});

test("who fails at the first look may answer later: only what is refused is a mistake of the command line", async (t) => {
  let status = 500;
  const target = await serve(t, (_req, res) => res.writeHead(status).end());
  for (const [code, of] of [
    ["DROVER_E_TARGET", [500, 503, 429]],
    ["DROVER_E_USAGE", [400, 401, 404]],
  ] as const)
    // prettier-ignore
    for (const one of of) {
      status = one;
      await assert.rejects(discover(target, [], PATIENT), { code, message: new RegExp(`/x answers HTTP ${one}: `) });
      assert.deepEqual((await discover(target, [read("/y")], PATIENT)).notes, []);
    }
});

test("a path that is no relative URL is asked, and named as this server's", async (t) => {
  const target = await serve(t, (req, res) => (req.url === "//10.0.0.1/x" ? res.writeHead(302).end() : res.end("ok")));
  for (const path of ["//", "//["]) assert.equal((await discover(target, [read(path)], PATIENT)).endpoints.length, 1);
  await assert.rejects(discover(target, [read("//10.0.0.1/x")], PATIENT), {
    code: "DROVER_E_USAGE",
    message: `http://127.0.0.1:${target.port}//10.0.0.1/x answers 302 and sends to nowhere: load that`,
  });
});

test("the first look and the priming have the endpoint's headers", async (t) => {
  const asked: string[] = [];
  const target = await serve(t, (req, res) => {
    const key = req.headers.authorization;
    asked.push(`${req.url} ${key}`);
    res.writeHead(key === undefined ? 302 : 200, { location: "/login" }).end();
  });
  const endpoints = [read("/a", { authorization: "A" }), read("/a", { authorization: "B" }), read("/a", { authorization: "A" })];
  assert.deepEqual((await discover(target, endpoints, PATIENT)).notes, []);
  await prime(target, endpoints, PATIENT);
  assert.deepEqual(asked, ["/a A", "/a A", "/a B"]);
});

test("where users sign in, a stranger's answer is a note and no refusal", async (t) => {
  const target = await serve(t, (req, res) =>
    req.url === "/gone" ? res.writeHead(404).end() : res.writeHead(req.url === "/401" ? 401 : 302, { location: "/login" }).end(),
  );
  const place = `http://127.0.0.1:${target.port}`;
  for (const named of [[read("/private")], []]) {
    await assert.rejects(discover(target, named, PATIENT), { code: "DROVER_E_USAGE", message: /302 and sends to \/login: load that/ });
    const { endpoints, notes } = await discover(target, named, { ...PATIENT, signIn: true });
    const path = endpoints[0]?.path;
    assert.deepEqual(notes, [`${place}${path} answers 302 and sends to /login: so a stranger is answered; users sign in first`]);
  }
  assert.match((await discover(target, [read("/401")], { ...PATIENT, signIn: true })).notes.join("\n"), /\/401 answers 401: /);
  const gone = { ...target, path: "/gone" };
  await assert.rejects(discover(gone, [], { ...PATIENT, signIn: true }), { code: "DROVER_E_USAGE", message: /answers HTTP 404/ });
});

test("priming takes one timeout in all: at a server that never answers, one request is sent", async (t) => {
  let asked = 0;
  const target = await serve(t, () => void (asked += 1));
  await prime(target, TWENTY, { timeoutMs: 300 });
  assert.equal(asked, 1);
});

test("an abort ends priming during a request, long before its timeout", async (t) => {
  const abort = new AbortController();
  let asked = 0;
  const target = await serve(t, () => ((asked += 1), abort.abort()));
  await prime(target, TWENTY, { ...PATIENT, signal: abort.signal });
  assert.equal(asked, 1);
});
