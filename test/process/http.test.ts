/** What clients see of a whole daemon when they are many, odd or hostile. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { get, ONE, start } from "./harness.ts";
import { atEnd, folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const portOf = (url: string): number => Number(new URL(url).port);

/** Everything that comes back for these bytes until the server closes, or `enough` is there. */
function exchange(port: number, bytes: string, enough: (text: string) => boolean = () => false): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes, "latin1")).setEncoding("latin1");
    socket.setTimeout(60_000, () => socket.destroy());
    socket.on("data", (chunk: string) => enough((text += chunk)) && socket.destroy());
    socket.on("error", (error) => (text += error.message)).on("close", () => resolve(text));
  });
}

const APP = `
import http from "node:http";
const server = http.createServer((req, res) => {
  const { url } = req;
  if (url === "/echo") {
    let body = "";
    req.setEncoding("latin1").on("data", (text) => (body += text));
    req.on("end", () => res.end(JSON.stringify({ method: req.method, raw: req.rawHeaders, body, trailers: req.trailers, version: req.httpVersion })));
  } else if (url === "/204") res.writeHead(204).end();
  else if (url === "/304") res.writeHead(304, { ETag: '"x"' }).end();
  else if (url === "/chunks") { res.write("a"); setImmediate(() => { res.write("bb"); res.end("ccc"); }); }
  else if (url === "/trailers" && req.httpVersion === "1.1" && req.method !== "HEAD") { res.writeHead(200, { Trailer: "X-T" }); res.write("x"); res.addTrailers({ "X-T": "v" }); res.end(); }
  else if (url === "/early") { res.writeEarlyHints({ link: "</a>; rel=preload" }); res.end("early"); }
  else if (url === "/odd") { res.sendDate = false; res.writeHead(299, "Odd Words", ["x-Y", "1", "X-y", "2"]); res.end("odd"); }
  else if (url === "/cut") { res.writeHead(200, { "Content-Length": 10 }); res.write("abc", () => res.destroy()); }
  else res.setHeader("Set-Cookie", ["a=1", "b=2"]).end("hello");
});
server.on("upgrade", (req, socket, head) => socket.end("HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: echo\\r\\nConnection: Upgrade\\r\\n\\r\\n" + head));
server.on("connect", (req, socket) => socket.end("HTTP/1.1 200 OK\\r\\n\\r\\n"));
server.on("checkContinue", (req, res) => { res.writeContinue(); server.emit("request", req, res); });
server.listen(0, "127.0.0.1", () => console.log("port=" + server.address().port));
`;

const H = "Host: x\r\n";
const CASES: readonly string[] = [
  ...["/", "/204", "/304", "/chunks", "/trailers", "/early", "/odd", "/cut", "/echo"].flatMap((path) =>
    ["GET", "HEAD", "POST"].flatMap((method) =>
      ["1.0", "1.1"].map((version) => {
        const body = method === "POST" ? "abc" : "";
        return `${method} ${path} HTTP/${version}\r\n${H}${body === "" ? "" : "Content-Length: 3\r\n"}Connection: close\r\n\r\n${body}`;
      }),
    ),
  ),
  `POST /echo HTTP/1.1\r\n${H}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: v\r\n\r\n`,
  `POST /echo HTTP/1.1\r\n${H}Connection: close\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc`,
  `GET / HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: echo\r\n\r\nahead`,
  `CONNECT a:1 HTTP/1.1\r\n${H}\r\n`,
  `GET / HTTP/1.1\r\n${H}\r\nGET /chunks HTTP/1.1\r\n${H}\r\nGET /204 HTTP/1.1\r\n${H}Connection: close\r\n\r\n`,
  `GET /echo HTTP/1.1\r\n${H}Host: y\r\n__proto__: z\r\nConnection: close\r\n\r\n`,
  `POST /echo HTTP/1.1\r\n${H}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  "nonsense\r\n\r\n",
  `GET / HTTP/1.1\r\n${H}X: ${"a".repeat(20_000)}\r\n\r\n`,
];

async function bare(t: TestContext, file: string): Promise<number> {
  const child = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  atEnd(t, async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return Number(/port=(\d+)/.exec(line.toString())?.[1]);
}

test("a foreign application's bytes are those it sends without drover", async (t) => {
  const dir = folder(t);
  const file = join(dir, "app.mjs");
  writeFileSync(file, APP);
  const [alone, daemon] = await Promise.all([bare(t, file), start(t, { cwd: dir, args: [file], env: ONE })]);
  const undated = (text: string): string => text.replaceAll(/\r\nDate: [^\r]*/g, "");
  for (const bytes of CASES) {
    const [expected, seen] = await Promise.all([exchange(alone, bytes), exchange(portOf(daemon.url), bytes)]);
    assert.equal(undated(seen), undated(expected), bytes.slice(0, 120));
  }
  await daemon.stop();
});

test("1,000 requests, pipelined 50 at a time, hits and misses mixed, are answered in order", async (t) => {
  const daemon = await start(t, { env: ONE });
  const port = portOf(daemon.url);
  await eventually("rows are there", async () => (await get(`${daemon.url}/api/tables/players?limit=1`)).status === 200);
  const targets = [
    (nr: number) => `/api/tables/players?limit=${1 + (nr % 40)}&sort=id`,
    () => "/api/tables/players?limit=1",
    () => "/healthz",
    (nr: number) => `/nothing/${nr}`,
    (nr: number) => `/api/tables/players/p${nr}`,
  ];
  const requests = Array.from({ length: 1_000 }, (_, nr) => {
    const end = nr === 999 ? "Connection: close\r\n" : "";
    return `GET ${targets[nr % targets.length]?.(nr)} HTTP/1.1\r\nHost: x\r\nX-Request-Id: r${nr}\r\n${end}\r\n`;
  });
  const client = connect(port, "127.0.0.1").setEncoding("latin1");
  let text = "";
  client.on("data", (chunk: string) => (text += chunk));
  const answered = (): number[] => [...text.matchAll(/\r\nx-request-id: r(\d+)\r\n/gi)].map(([, nr]) => Number(nr));
  for (let sent = 0; sent < requests.length; sent += 50) {
    client.write(requests.slice(sent, sent + 50).join(""));
    await eventually(`${sent + 50} are answered`, () => client.destroyed || answered().length >= sent + 50);
  }
  const ids = answered();
  assert.deepEqual(
    ids,
    Array.from({ length: 1_000 }, (_, nr) => nr),
  );
  assert.deepEqual(
    daemon.log().filter(({ msg }) => /MaxListeners/.test(String(msg))),
    [],
  );
  await daemon.stop();
});
