/** The Caddy of this machine with what drover emit caddy writes: the test replaces only the two addresses. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { certificate } from "./certificate.ts";
import { installed, textOf } from "../tools/emit/emitted.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";
import { freePort } from "../support/ports.ts";
import { accepts } from "./nginx.ts";

const CONFIG = textOf("caddy", {}, { given: installed() });

export interface Caddy {
  readonly url: string;
  /** The certificate, to be trusted; empty without TLS. */
  readonly ca: string;
}

/** What Caddy itself says of a file as it is. */
export function judged(t: TestContext, text: string = CONFIG): { status: number | null; said: string } {
  const home = folder(t);
  const file = join(home, "Caddyfile");
  writeFileSync(file, text);
  const env = { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home };
  const ran = spawnSync("caddy", ["validate", "--config", file, "--adapter", "caddyfile"], { encoding: "utf8", env });
  return { status: ran.status, said: ran.stderr };
}

/** @param upstream host:port of what stands behind it. @param tls with a certificate of the test's own, else plain HTTP. */
export async function caddy(t: TestContext, upstream: string, tls: boolean): Promise<Caddy> {
  const home = folder(t);
  const port = await freePort();
  const made = tls ? certificate(home, "localhost") : undefined;
  const site =
    made === undefined ? `http://127.0.0.1:${port} {` : `https://localhost:${port} {\n\tbind 127.0.0.1\n\ttls ${made.cert} ${made.key}`;
  const replaced: readonly (readonly [string, string])[] = [
    ["\nexample.org {", `\n{\n\tadmin off\n\tauto_https disable_redirects\n}\n${site}`],
    ["127.0.0.1:8080 {", `${upstream} {`],
  ];
  let text = CONFIG;
  for (const [from, to] of replaced) {
    assert.ok(text.includes(from), `the Caddyfile has ${from}`);
    text = text.replace(from, to);
  }
  writeFileSync(join(home, "Caddyfile"), text);
  const env = { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home };
  const child = spawn("caddy", ["run", "--config", join(home, "Caddyfile")], { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  t.after(async () => {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.kill("SIGKILL")) await gone;
  });
  await eventually("Caddy listens", () => child.exitCode !== null || accepts(port));
  assert.equal(child.exitCode, null, said);
  return { url: made === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`, ca: made?.pem ?? "" };
}
