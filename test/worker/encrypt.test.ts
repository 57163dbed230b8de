/** TLS before every form of application: what the application sees, who is let in, and that the cap counts from the accept on. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import tls from "node:tls";
import { http } from "../../src/base/http.ts";
import { seconds } from "../../src/base/units.ts";
import type { TlsConfig } from "../../src/worker/config.ts";
import { needs } from "../support/needs.ts";
import { certificate, type Made } from "../process/certificate.ts";
import { eventually } from "../support/wait.ts";
import { startRig, type Rig } from "./rig.ts";

const skip = needs("openssl", "openssl");
const dir = mkdtempSync(join(tmpdir(), "drover-encrypt-"));
after(() => rmSync(dir, { recursive: true, force: true }));

let made: Made | undefined;
const pair = (): Made => (made ??= certificate(dir, "localhost"));
const config = (): TlsConfig => ({
  cert: pair().pem,
  key: readFileSync(pair().key, "utf8"),
  ticketKeys: Buffer.alloc(48, 7).toString("base64"),
});

const ECHO = `export default { fetch: async (r) => new Response(r.url + " " + (await r.text())) };`;
const LISTENER = `export default (req, res) => res.end(req.socket.encrypted + " " + req.socket.remoteAddress);`;
const SCRIPT = `import http from "node:http";
http.createServer((req, res) => res.end(String(req.socket.encrypted)))
  .on("upgrade", (req, socket) => { socket.write("HTTP/1.1 101 S\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n"); socket.pipe(socket); })
  .listen(3000);`;

let nr = 0;
function rigOf(source: string, more: Partial<Parameters<typeof startRig>[0] & object>["config"] = {}): Rig {
  const app = join(dir, `app-${(nr += 1)}.mjs`);
  writeFileSync(app, source);
  return startRig({ config: { app, tls: config(), ...more } });
}

function ask(rig: Rig, options: https.RequestOptions & { body?: string } = {}): Promise<{ text: string; socket: tls.TLSSocket }> {
  const { body, ...rest } = options;
  return new Promise((resolve, reject) => {
    const req = https.request({ host: "127.0.0.1", port: rig.port, ca: pair().pem, agent: false, timeout: 10_000, ...rest }, (res) => {
      const socket = res.socket as tls.TLSSocket;
      let text = "";
      res.on("data", (chunk: Buffer) => (text += chunk.toString()));
      res.on("end", () => resolve({ text, socket }));
    });
    req.on("error", reject);
    req.end(body);
  });
}

async function drained(rig: Rig): Promise<void> {
  rig.tell({ type: "drain", within: seconds(3) });
  assert.equal(await rig.exited, 0);
}

test("a large answer is encrypted in slices, whole and in order, by one write or many", { skip }, async () => {
  const rig = rigOf(`
    let most = 0;
    const body = Buffer.from(Array.from({ length: 4_000_000 }, (_, i) => i % 251));
    export default (req, res) => {
      if (req.url === "/most") return res.end(String(most));
      const handle = req.socket._handle;
      for (const name of ["writeBuffer", "writeLatin1String", "writeUtf8String"]) {
        const write = handle[name].bind(handle);
        handle[name] = (request, piece) => ((most = Math.max(most, piece.length)), write(request, piece));
      }
      const writev = handle.writev.bind(handle);
      handle.writev = (request, chunks, ...more) => {
        most = Math.max(most, chunks.reduce((n, chunk) => n + (typeof chunk === "string" || Buffer.isBuffer(chunk) ? chunk.length : 0), 0));
        return writev(request, chunks, ...more);
      };
      if (req.url === "/text") return res.end(body.toString("latin1"), "latin1");
      if (req.url === "/parts") for (let at = 0; at < body.length; at += 40_000) res.write(body.subarray(at, at + 40_000));
      res.end(req.url === "/parts" ? "" : body);
    };`);
  await rig.until("ready");
  const expected = Buffer.from(Array.from({ length: 4_000_000 }, (_, i) => i % 251));
  for (const path of ["/whole", "/text", "/parts"]) {
    const received = await new Promise<Buffer>((resolve, reject) => {
      const req = https.request({ host: "127.0.0.1", port: rig.port, ca: pair().pem, agent: false, path }, (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => void chunks.push(chunk)).on("end", () => resolve(Buffer.concat(chunks)));
      });
      req.on("error", reject).end();
    });
    assert.ok(received.equals(expected), path);
  }
  const { text } = await ask(rig, { path: "/most" });
  console.log(`the largest piece given to OpenSSL at once: ${text} bytes`);
  assert.ok(Number(text) <= 65_536, text);
  await drained(rig);
});

test("every form is served by TLS, and knows it", { skip }, async () => {
  for (const [source, options, expected] of [
    [LISTENER, {}, "true 127.0.0.1"],
    [
      ECHO,
      { path: "/x?y=1", method: "POST", body: "b".repeat(300_000), headers: { host: "example.org" }, servername: "localhost" },
      `https://example.org/x?y=1 ${"b".repeat(300_000)}`,
    ],
    [SCRIPT, {}, "true"],
  ] as const) {
    const rig = rigOf(source);
    await rig.until("ready");
    assert.equal((await ask(rig, options)).text, expected);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const first = await ask(rig, { ...options, agent });
    assert.equal((await ask(rig, { ...options, agent })).socket, first.socket, "the connection is kept");
    agent.destroy();
    await drained(rig);
  }
});

test("the handshake's terms: TLS 1.2 at least, http/1.1, sessions that any worker resumes", { skip }, async () => {
  const rigs = [rigOf(LISTENER), rigOf(LISTENER)] as const;
  await Promise.all(rigs.map((rig) => rig.until("ready")));
  const connect = (rig: Rig, options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> =>
    new Promise((resolve, reject) => {
      const socket = tls.connect({ host: "127.0.0.1", port: rig.port, ca: pair().pem, ALPNProtocols: ["h2", "http/1.1"], ...options });
      socket.once("secureConnect", () => resolve(socket)).once("error", reject);
    });
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const first = await connect(rigs[0], { maxVersion: version });
    first.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await new Promise((resolve) => first.once("data", resolve)); // TLS 1.3 sends its tickets after the handshake
    const again = await connect(rigs[1], { maxVersion: version, session: first.getSession() });
    assert.deepEqual(
      [first.getProtocol(), first.alpnProtocol, first.isSessionReused(), again.isSessionReused()],
      [version, "http/1.1", false, true],
    );
    first.destroy();
    again.destroy();
  }
  await assert.rejects(connect(rigs[0], { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }));
  for (const rig of rigs) await drained(rig);
});

test(
  "who speaks plain HTTP is told so; nonsense and silence are closed, and none of it is said more than once a minute",
  { skip },
  async () => {
    const rig = rigOf(LISTENER, { headersTimeout: seconds(1) });
    await rig.until("ready");
    const talk = (bytes: string): Promise<string> =>
      new Promise((resolve) => {
        let text = "";
        const socket = net.connect(rig.port, "127.0.0.1", () => void (bytes !== "" && socket.write(bytes)));
        socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
        socket.on("error", () => {}).on("close", () => resolve(text));
      });
    assert.match(await talk("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), /^HTTP\/1\.1 400 Bad Request\r\n[^]*ask by https:\/\/\n$/);
    for (const nonsense of ["", "\x16\x03\x01\x00\x05hello", "\0".repeat(100), "\x16\x03\x01"]) await talk(nonsense);
    assert.equal((await ask(rig)).text, "true 127.0.0.1", "and the others are served");
    const line = await eventually("it is in the log", () => rig.log.find(({ msg }) => /TLS handshakes? failed/.test(String(msg))));
    assert.match(String(line["last"]), /^ERR_/);
    assert.equal(rig.log.filter(({ msg }) => /TLS handshakes? failed/.test(String(msg))).length, 1);
    await drained(rig);
  },
);

test("a worker probes itself without TLS, and an upgraded connection is told of the drain", { skip }, async () => {
  const rig = rigOf(SCRIPT, { probePath: "/" });
  await rig.until("ready");
  rig.tell({ type: "probe", within: seconds(2) });
  assert.deepEqual(await rig.until("probed"), { type: "probed", ok: true, message: "GET / was answered with 200" });
  const upgraded = await new Promise<net.Socket>((resolve, reject) => {
    https
      .get({ host: "127.0.0.1", port: rig.port, ca: pair().pem, agent: false, headers: { connection: "Upgrade", upgrade: "echo" } })
      .on("upgrade", (_, socket) => resolve(socket))
      .on("error", reject);
  });
  const echo = new Promise((resolve) => upgraded.once("data", (chunk: Buffer) => resolve(chunk.toString())));
  upgraded.write("hello");
  assert.equal(await echo, "hello");
  upgraded.destroy();
  await drained(rig);
});

test("connections without a handshake count below the cap, and give way to those who ask", { skip }, async () => {
  const rig = rigOf(LISTENER, { connections: 8, headersTimeout: seconds(2) });
  await rig.until("ready");
  const silent = Array.from({ length: 20 }, () => net.connect(rig.port, "127.0.0.1").on("error", () => {}));
  await eventually("the worker is full", () => rig.said.some((m) => m.type === "beat" && m.connections >= 7));
  assert.equal((await ask(rig)).text, "true 127.0.0.1");
  assert.ok(
    rig.said.every((m) => m.type !== "beat" || m.connections <= 9),
    "never more than the cap, and one for whom room is made",
  );
  for (const socket of silent) socket.destroy();
  await eventually("all have gone", () => rig.said.findLast((m) => m.type === "beat")?.connections === 0);
  await drained(rig);
});

test("a drain finishes what it answers and closes what is idle", { skip }, async () => {
  const rig = rigOf(`export default (req, res) => setTimeout(() => res.end("slow"), 300);`);
  await rig.until("ready");
  const idle = tls.connect({ host: "127.0.0.1", port: rig.port, ca: pair().pem });
  await new Promise((resolve) => idle.once("secureConnect", resolve));
  const closed = new Promise((resolve) => idle.once("close", resolve));
  const slow = ask(rig);
  await eventually("it is being answered", () => rig.said.findLast((m) => m.type === "beat")?.inFlight === 1);
  const over = drained(rig);
  assert.equal((await slow).text, "slow");
  await closed;
  await over;
  assert.equal(http.STATUS_CODES[200], "OK");
});
