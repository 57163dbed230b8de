/** Who is loaded, and what of him: over TLS by an address too, and endpoints that thresholds name. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { LOAD_FLAGS, readLoadFlags } from "../../src/cli/load/flags.ts";
import { scenarioOf } from "../../src/cli/load/scenario.ts";
import { readClientOptions } from "../../src/cli/options.ts";
import { Client } from "../../src/tools/load/engine/client.ts";
import { discover } from "../../src/load/discover.ts";
import { findTarget, parseTarget } from "../../src/load/target.ts";
import type { Endpoint } from "../../src/load/traffic.ts";
import { certificate } from "../process/certificate.ts";

test("an https target may be an address; a certificate that nobody here signed is said with what to do about it", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "drover-load-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const { cert, key } = certificate(directory, "load");
  const server = https.createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (_, res) => res.end("hi")).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  for (const host of ["127.0.0.1", "localhost"]) {
    const target = await findTarget(parseTarget(`https://${host}:${(server.address() as AddressInfo).port}/`), false);
    if (target.address !== "127.0.0.1") continue;
    await assert.rejects(discover(target, [], { timeoutMs: 2_000 }), {
      code: "DROVER_E_TARGET",
      message: /not trusted here \(DEPTH_ZERO_SELF_SIGNED_CERT\): NODE_EXTRA_CA_CERTS=FILE/,
    });
    const client = new Client(target, 2_000);
    assert.deepEqual(await client.send({ method: "GET", path: "/" }), { outcome: "error", reason: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    client.close();
  }
});

test("https to a port that speaks plain HTTP is said so", async (t) => {
  const server = http.createServer((_, res) => res.end("hi")).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const target = await findTarget(parseTarget(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`), false);
  await assert.rejects(discover(target, [], { timeoutMs: 2_000 }), {
    code: "DROVER_E_TARGET",
    message: /it speaks no TLS there: http:\/\/ perhaps\?$/,
  });
});

test("this machine is this machine, also as IPv6 writes IPv4", async () => {
  for (const host of ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:2]"])
    assert.equal((await findTarget(parseTarget(`http://${host}:8080/`), false)).loopback, true, host);
  await assert.rejects(findTarget(parseTarget("http://[::ffff:192.0.2.1]/"), false), {
    code: "DROVER_E_USAGE",
    message: /\[::ffff:c000:201\] is 192\.0\.2\.1, not this machine/,
  });
});

const endpoints: readonly Endpoint[] = [{ name: "read players", class: "read", weight: 1, method: "GET", path: "/p" }];
const scenario = (...argv: string[]) => scenarioOf(readLoadFlags(readClientOptions(argv, LOAD_FLAGS).own), undefined, endpoints, []);

test("a threshold of an endpoint names one that is asked for, blanks and all", () => {
  const { thresholds } = scenario("--threshold", "http_req_duration{endpoint:read players}: p(95)<400");
  assert.equal(thresholds[0]?.endpoint, "read players");
  assert.throws(
    () => scenario("--threshold", "http_req_failed{endpoint:nope}: rate<0.1"),
    /no endpoint of that name is asked for: there are read players/,
  );
  assert.throws(() => scenario("--threshold", ""), /threshold "": expected METRIC/);
});
