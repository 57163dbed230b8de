/** The nginx of this machine with what `drover emit nginx` writes: the test replaces only ports and paths. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import https from "node:https";
import type { IncomingHttpHeaders, RequestOptions } from "node:http";
import net from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { installed, textOf } from "../tools/emit/emitted.ts";
import { certificate } from "./certificate.ts";
import { alive, descendants } from "./harness.ts";
import { atEnd, folder } from "../support/cleanup.ts";
import { freePort } from "../support/ports.ts";
import { eventually } from "../support/wait.ts";

export interface Front {
  /** https://localhost:PORT */
  readonly url: string;
  readonly plainUrl: string;
  /** The certificate, to be trusted. */
  readonly ca: string;
  readonly cache: string;
  readonly pid: number;
  /** What `nginx -t` said. */
  readonly tested: { readonly status: number | null; readonly stderr: string };
  /** Reads its configuration again, as `nginx -s reload` does, and waits until the old workers have gone. */
  reload(): Promise<void>;
  errors(): string;
}

/** Flags of settings, and the artefact's options. */
export interface Emitted {
  readonly flags?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
}

/** @param upstream the server behind it, as DROVER_BIND has it. */
export async function nginx(t: TestContext, upstream: string, { flags = {}, options = {} }: Emitted = {}): Promise<Front> {
  const dir = folder(t);
  chmodSync(dir, 0o755);
  const [tls, plain] = [await freePort(), await freePort()];
  const made = certificate(dir, "localhost");
  const cache = join(dir, "cache");
  const replaced: readonly (readonly [string, string])[] = [
    ["    listen 80;", `    listen 127.0.0.1:${plain};`],
    ["    listen [::]:80;\n", ""],
    ["    listen 443 ssl http2;", `    listen 127.0.0.1:${tls} ssl http2;`],
    ["    listen [::]:443 ssl http2;\n", ""],
    ["/etc/letsencrypt/live/localhost/fullchain.pem", made.cert],
    ["/etc/letsencrypt/live/localhost/privkey.pem", made.key],
    ["/var/cache/nginx-drover", cache],
  ];
  const given = installed({ bind: upstream, ...flags });
  let site = textOf("nginx", { "server-name": "localhost", ...options }, { given });
  for (const [from, to] of replaced) {
    assert.ok(site.includes(from), `drover.conf has ${from}`);
    site = site.replaceAll(from, to);
  }
  writeFileSync(join(dir, "drover.conf"), site);
  for (const name of ["body", "proxy", "fastcgi", "uwsgi", "scgi"]) mkdirSync(join(dir, name));
  const temporary = ["client_body_temp_path body", "proxy_temp_path proxy", "fastcgi_temp_path fastcgi", "uwsgi_temp_path uwsgi"];
  writeFileSync(
    join(dir, "nginx.conf"),
    [
      ...(process.getuid?.() === 0 ? ["user root;"] : []),
      `daemon off; worker_processes 2; pid nginx.pid; error_log ${dir}/error.log notice;`,
      "events { worker_connections 512; }",
      `http { access_log off; types { text/javascript js; text/html html; } ${[...temporary, "scgi_temp_path scgi"].join("; ")}; include drover.conf; }`,
    ].join("\n"),
  );
  const args = ["-p", dir, "-e", join(dir, "error.log"), "-c", join(dir, "nginx.conf")];
  const tested = spawnSync("nginx", ["-t", ...args], { encoding: "utf8" });
  const child = spawn("nginx", args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = tested.stderr;
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  atEnd(t, () => end(child));
  await eventually("nginx listens", async () => child.exitCode !== null || (await accepts(tls)));
  assert.equal(child.exitCode, null, said);
  const pid = child.pid ?? 0;
  return {
    url: `https://localhost:${tls}`,
    plainUrl: `http://localhost:${plain}`,
    ca: made.pem,
    cache,
    pid,
    tested,
    errors: () => readFileSync(join(dir, "error.log"), "utf8").replaceAll(/^.*\[notice\].*\n/gm, ""),
    async reload() {
      const before = descendants(pid);
      process.kill(pid, "SIGHUP");
      await eventually("nginx's old workers have gone", () => before.every((old) => !alive(old)) && descendants(pid).length > 0);
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}

export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => (socket.destroy(), resolve(true))).once("error", () => resolve(false));
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One request over TLS; the connection is its own unless an agent is given. */
export function ask(url: string, options: https.RequestOptions & { readonly body?: string } = {}): Promise<Answer> {
  const { body, ...rest } = options;
  return new Promise((resolve, reject) => {
    const req = https.request(url, { agent: false, family: 4, timeout: 60_000, ...rest } satisfies RequestOptions, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.on("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }));
      res.on("error", reject);
    });
    req.on("timeout", () => req.destroy(new Error(`no answer from ${url}`)));
    req.on("error", (error) => reject(Object.assign(error, { reused: req.reusedSocket })));
    req.end(body);
  });
}

/** Everything that lies in nginx's cache, as one text. */
export const kept = (front: Front): string =>
  readdirSync(front.cache, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
