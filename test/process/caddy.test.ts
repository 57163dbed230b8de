/** config/Caddyfile in the real Caddy: it is accepted as it is, and, on a port of its own, passes on what it should. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { needs } from "../needs.ts";
import { folder, get, ROOT, until } from "./harness.ts";

const skip = needs("caddy", "caddy");
const CONFIG = join(ROOT, "config/Caddyfile");

test("Caddy takes config/Caddyfile, and passes on the true address and events as they come", { skip, timeout: 60_000 }, async (t) => {
  const home = folder(t);
  const env = { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home };
  const checked = spawnSync("caddy", ["validate", "--config", CONFIG, "--adapter", "caddyfile"], { encoding: "utf8", env });
  assert.equal(checked.status, 0, checked.stderr);
  assert.doesNotMatch(checked.stderr, /not formatted/);

  const held: http.ServerResponse[] = [];
  const server = http.createServer((req, res) => {
    if (req.url !== "/api/events") return void res.end(JSON.stringify(req.headers));
    res.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
    held.push(res);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const free = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => free.once("listening", resolve));
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  const text = readFileSync(CONFIG, "utf8")
    .replace(/^example\.org \{/m, `{\n\tadmin off\n}\nhttp://127.0.0.1:${port} {`)
    .replace("127.0.0.1:8080", `127.0.0.1:${(server.address() as AddressInfo).port}`);
  writeFileSync(join(home, "Caddyfile"), text);
  const caddy = spawn("caddy", ["run", "--config", join(home, "Caddyfile")], { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  caddy.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  t.after(async () => {
    const gone = new Promise((resolve) => caddy.once("exit", resolve));
    if (caddy.exitCode === null && caddy.kill("SIGKILL")) await gone;
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${port}`;
  const claims = { "x-forwarded-for": "6.6.6.6", forwarded: "for=7.7.7.7", "x-forwarded-proto": "https" };
  const answer = await until("Caddy answers", async () => {
    assert.equal(caddy.exitCode, null, said);
    return await get(`${url}/`, { headers: claims }).catch(() => undefined);
  });
  const headers = JSON.parse(answer.body) as http.IncomingHttpHeaders;
  assert.deepEqual(
    [headers["x-forwarded-for"], headers["x-forwarded-proto"], headers.forwarded, headers.host],
    ["127.0.0.1", "http", undefined, `127.0.0.1:${port}`],
  );
  const stream = await new Promise<http.IncomingMessage>((resolve) => http.get(`${url}/api/events`, { agent: false }, resolve));
  stream.on("error", () => {});
  const next = (): Promise<string> => new Promise((resolve) => stream.once("data", (chunk: Buffer) => resolve(chunk.toString())));
  assert.equal(await next(), "data: 1\n\n");
  held[0]?.write("data: 2\n\n");
  assert.equal(await next(), "data: 2\n\n");
  stream.destroy();
});
