/** The values that the proxies' configurations take from the settings. Whether their programs accept them: test/process. */
import assert from "node:assert/strict";
import test from "node:test";
import { DroverError } from "../../../src/base/errors.ts";
import { installed, textOf } from "./emitted.ts";

type Texts = Readonly<Record<string, string>>;
const text = (artefact: string, flags: Texts, options: Texts = {}): string =>
  textOf(artefact, options, { given: installed(flags) });
const refused =
  (...parts: string[]) =>
  (e: unknown) =>
    e instanceof DroverError &&
    e.code === "DROVER_E_USAGE" &&
    parts.every((part) => e.message.includes(part));

test("0.14: nginx and HAProxy take timeouts, addresses and limits from the settings", () => {
  const flags = {
    bind: "[::]:9000",
    drain_idle: "700ms",
    request_timeout: "45s",
    rate_limit: "90/h",
    trusted_proxies: "10.0.0.7",
    workers: "3",
    worker_connections: "500",
    app: "/srv/app.js",
    body_limit: "7m",
  };
  const front = text("nginx", flags, { "server-name": "www.example.net" });
  for (const part of [
    /^ {4}server \[::1\]:9000 /m,
    /keepalive_timeout 350ms;/,
    /proxy_read_timeout +55s;/,
    /rate=2r\/m;/, // 1.5 a minute, rounded up
    /limit_req zone=drover_writes burst=90 nodelay;/,
    /DROVER_TRUSTED_PROXIES \(10\.0\.0\.7\/32\)/,
    /client_max_body_size 7m;/,
    /live\/www\.example\.net\/fullchain\.pem/,
  ])
    assert.match(front, part);
  const balanced = text("haproxy", flags, { servers: "a:8080,b:8080" });
  for (const part of [
    /^ {4}balance leastconn$/m,
    /^ {4}server drover1 a:8080$/m,
    /^ {4}server drover2 b:8080$/m,
    /pool-purge-delay 350ms/,
    /timeout server +55s/,
    /maxconn 6000 /, // 2 servers of 3 workers, twice
    / maxconn 1500 /,
    /sc_http_req_rate\(0\) gt 90/,
    /content-length\) gt 7340032/,
  ])
    assert.match(balanced, part);
  assert.doesNotMatch(balanced, /__Host-drover/, "an application's sessions are its own");
  assert.match(text("haproxy", {}, { servers: "a:1,b:1" }), /cookie __Host-drover prefix/);
  assert.doesNotMatch(text("nginx", { rate_limit: "off" }), /limit_req/);
});

test("a value that another program would read otherwise is refused, with what was expected", () => {
  assert.throws(
    () => text("nginx", {}, { "server-name": "a b; }" }),
    refused("--server-name", "www.example.org"),
  );
  assert.throws(() => text("nginx", {}, { static: "../x" }), refused("--static", "absolute path"));
  assert.throws(() => text("nginx", {}, { static: "/srv/a;b" }), refused("--static"));
  assert.throws(() => text("nginx", {}, { cache: "500ms" }), refused("--cache", "10s"));
  assert.throws(
    () => text("nginx", { bind: "unix:/run/a b.sock" }),
    refused("bind", "/run/a b.sock"),
  );
  assert.throws(
    () => text("haproxy", {}, { servers: "a:8080,b" }),
    refused("--servers", "10.0.0.1:8080"),
  );
  assert.throws(() => text("haproxy", { probe_path: '/a"b' }), refused("probe_path", '/a"b'));
  assert.throws(() => text("haproxy", {}, { servers: "fd://3" }), refused("--servers"));
  for (const artefact of ["nginx", "haproxy", "caddy", "deploy"])
    assert.throws(() => text(artefact, { bind: "unix:/run/$(id).sock" }), refused("bind", "$(id)"));
  assert.throws(() => text("deploy", { probe_path: "/a'b" }), refused("probe_path", "/a'b"));
  assert.throws(
    () => text("deploy", { app: "/srv/a'b/current/app.mjs" }),
    refused("app", "/srv/a'b"),
  );
  for (const setting of ["tables", "app", "static_dir"])
    assert.throws(
      () => text("compose", { [setting]: "/srv/a: b/x" }),
      refused(setting, "/srv/a: b"),
    );
  assert.match(text("kubernetes", { probe_path: '/a"b' }), /path: "\/a\\"b"$/m);
});
