/** What drover emit haproxy writes, in the real HAProxy, before two servers. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import http, { type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { needs } from "../support/needs.ts";
import { installed, textOf } from "../tools/emit/emitted.ts";
import { certificate } from "./certificate.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";
import { freePort } from "../support/ports.ts";
import { accepts, ask } from "./nginx.ts";

const skip = needs("haproxy", "haproxy") || needs("openssl", "openssl");

interface Site {
  readonly file: string;
  readonly text: string;
  readonly port: number;
  readonly ca: string;
}

/** The artefact in a file, with ports, certificate and user of the test. */
async function site(
  t: TestContext,
  flags: Readonly<Record<string, string>>,
  options: Readonly<Record<string, string>> = {},
): Promise<Site> {
  const dir = folder(t);
  const [tls, plain] = [await freePort(), await freePort()];
  const made = certificate(dir, "localhost");
  const pem = join(dir, "site.pem");
  writeFileSync(pem, `${readFileSync(made.cert, "utf8")}${readFileSync(made.key, "utf8")}`, { mode: 0o600 });
  const replaced: readonly (readonly [RegExp, string])[] = [
    [/^ {4}bind :::\d.*\n/gm, ""],
    [/^( {4}bind ):80$/m, `$1127.0.0.1:${plain}`],
    [/^( {4}bind ):443 .*$/m, `$1127.0.0.1:${tls} ssl crt ${pem} alpn h2,http/1.1`],
    [/^ {4}(?:user|group) haproxy\n/gm, ""],
    [/\/dev\/log/, join(dir, "log")],
    [/maxconn \d+/g, "maxconn 100"],
  ];
  let text = textOf("haproxy", { "server-name": "localhost", ...options }, { given: installed(flags) });
  for (const [from, to] of replaced) {
    assert.match(text, from);
    text = text.replace(from, to);
  }
  const file = join(dir, "haproxy.cfg");
  writeFileSync(file, text);
  return { file, text, port: tls, ca: made.pem };
}

const judged = ({ file }: Site): { status: number | null; said: string } => {
  const { status, stdout, stderr } = spawnSync("haproxy", ["-c", "-f", file], { encoding: "utf8" });
  return { status, said: stdout + stderr };
};

/** A server that answers with the headers it got; its name leads the answer. */
async function stub(t: TestContext, name: string, asked: string[]): Promise<string> {
  const server = http.createServer((req: IncomingMessage, res) => {
    asked.push(`${name} ${req.method} ${req.url} ${req.headers.host}`);
    const cookie = req.url === "/api/login" ? { "set-cookie": "__Host-drover=sealed; Path=/; Secure; HttpOnly" } : {};
    res.writeHead(200, { ...cookie, "content-type": "application/json" }).end(JSON.stringify({ name, headers: req.headers }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("haproxy -c accepts every form: one server, a unix socket, TLS behind it, an application", { skip, timeout: 60_000 }, async (t) => {
  const tls = { tls_cert: "/etc/drover/tls.pem", tls_key: "/etc/drover/tls.key" };
  for (const flags of [
    {},
    { bind: "unix:/run/drover.sock", rate_limit: "off" },
    tls,
    { app: "/srv/app.js", body_limit: "7m", drain_idle: "0", rate_limit: "5000/h" },
  ]) {
    const made = await site(t, flags);
    const { status, said } = judged(made);
    assert.deepEqual([status, /\[(?:WARNING|ALERT)\]/.exec(said)?.[0]], [0, undefined], said);
    if ("app" in flags) assert.doesNotMatch(made.text, /httpchk/, "an application without a probe path is only connected to");
  }
});

test(
  "0.16: HAProxy checks /healthz, replaces forwarding headers, keeps sessions and stops a flood",
  { skip, timeout: 60_000 },
  async (t) => {
    const asked: string[] = [];
    const servers = [await stub(t, "one", asked), await stub(t, "two", asked)];
    const flags = { workers: "4", worker_connections: "1000", rate_limit: "3/h" };
    const made = await site(t, flags, { servers: servers.join(",") });
    const { status, said } = judged(made);
    assert.deepEqual([status, /\[(?:WARNING|ALERT)\]/.exec(said)?.[0]], [0, undefined], said);
    const child = spawn("haproxy", ["-db", "-f", made.file], { stdio: ["ignore", "ignore", "pipe"] });
    t.after(async () => {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      if (child.exitCode === null && child.kill("SIGKILL")) await gone;
    });
    await eventually("HAProxy listens", () => child.exitCode !== null || accepts(made.port));
    await eventually("both are checked", () => ["one", "two"].every((name) => asked.includes(`${name} GET /healthz localhost`)));

    const through = async (path: string, headers: OutgoingHttpHeaders = {}, method = "GET") => {
      const answer = await ask(`https://localhost:${made.port}${path}`, { ca: made.ca, method, headers });
      return { ...answer, echo: answer.status === 200 ? (JSON.parse(String(answer.body)) as Echo) : undefined };
    };
    interface Echo {
      readonly name: string;
      readonly headers: Readonly<Record<string, string>>;
    }
    const { echo, headers } = await through("/", { "x-forwarded-for": "6.6.6.6", forwarded: "for=7.7.7.7", "x-forwarded-proto": "http" });
    assert.deepEqual(
      [echo?.headers["x-forwarded-for"], echo?.headers["x-forwarded-proto"], echo?.headers["forwarded"], echo?.headers["x-real-ip"]],
      ["127.0.0.1", "https", undefined, "127.0.0.1"],
    );
    assert.match(String(headers["strict-transport-security"]), /^max-age=/);

    const login = await through("/api/login", {}, "POST");
    const [cookie = ""] = (login.headers["set-cookie"] ?? []).map((line) => line.split(";")[0]);
    assert.match(cookie, /^__Host-drover=drover[12]~sealed$/);
    for (let nr = 0; nr < 4; nr += 1) {
      const { echo: again } = await through("/api/me", { cookie });
      assert.deepEqual(
        [again?.name, again?.headers["cookie"]],
        [login.echo?.name, "__Host-drover=sealed"],
        "the session stays where it is",
      );
    }

    const statuses = [];
    for (let nr = 0; nr < 5; nr += 1) statuses.push((await through("/api/tables/actions", {}, "POST")).status);
    assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
    assert.equal((await through("/api/tables/actions", { cookie }, "POST")).status, 200, "signed-in users are drover's to count");
    assert.equal((await through("/api/tables/actions")).status, 200, "reads pass");
  },
);
