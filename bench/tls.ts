/**
 * What TLS costs: CPU-seconds of the whole tree for a request on a kept connection, for a connection with a full handshake, and for one
 * that resumes a session; beside the same without TLS. Daemons are up at once and take turns. ROUNDS=5 REQUESTS=4000 HANDSHAKES=400
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { drover, type Stack } from "./stacks.ts";
import { cpuSeconds } from "./tree.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 5);
const REQUESTS = Number(process.env["REQUESTS"] ?? 4_000);
const HANDSHAKES = Number(process.env["HANDSHAKES"] ?? 400);
const CONNECTIONS = 20;
const PATH = "/api/tables/players";

const dir = mkdtempSync(join(tmpdir(), "drover-bench-tls-"));
const made = (name: string, ...algorithm: string[]): NodeJS.ProcessEnv => {
  const [cert, key] = [join(dir, `${name}.pem`), join(dir, `${name}.key`)];
  const args = ["req", "-x509", "-newkey", ...algorithm, "-nodes", "-days", "9", "-subj", `/CN=${name}`, "-keyout", key, "-out", cert];
  execFileSync("openssl", args, { stdio: "pipe" });
  return { DROVER_TLS_CERT: cert, DROVER_TLS_KEY: key };
};

async function kept({ port }: Stack, secure: boolean): Promise<void> {
  const options = { keepAlive: true, maxSockets: CONNECTIONS };
  const agent = secure ? new https.Agent({ ...options, rejectUnauthorized: false }) : new http.Agent(options);
  const { request } = secure ? https : http;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      request({ host: "127.0.0.1", port, path: PATH, agent }, (res) => res.resume().on("end", () => resolve()))
        .on("error", reject)
        .end();
    });
  const loop = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) await one();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, () => loop(REQUESTS / CONNECTIONS)));
  agent.destroy();
}

/** One connection, one request, closed by the client's wish. @returns a session to resume. */
function single({ port }: Stack, secure: boolean, session?: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const agent = false;
    const common = { host: "127.0.0.1", port, path: "/api/tables/players?limit=1", agent, headers: { connection: "close" } };
    let found: Buffer | undefined;
    const req = secure
      ? https.request({ ...common, rejectUnauthorized: false, ...(session === undefined ? {} : { session }) })
      : http.request(common);
    req.on("socket", (socket) => {
      if (socket instanceof tls.TLSSocket) socket.on("session", (ticket: Buffer) => (found = ticket));
    });
    req.on("response", (res) => res.resume().on("end", () => resolve(found))).on("error", reject);
    req.end();
  });
}

async function singles(stack: Stack, secure: boolean, resumed: boolean): Promise<void> {
  let session = resumed ? await single(stack, secure) : undefined;
  for (let i = 0; i < HANDSHAKES; i += 1) {
    const next = await single(stack, secure, session);
    if (resumed) session = next ?? session;
  }
}

async function cost(stack: Stack, count: number, run: () => Promise<void>): Promise<number> {
  const before = cpuSeconds(stack.pid);
  await run();
  return ((cpuSeconds(stack.pid) - before) / count) * 1e6;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

const stacks = {
  plain: await drover(2, {}),
  "ECDSA P-256": await drover(2, made("ec", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")),
  "RSA 2048": await drover(2, made("rsa", "rsa:2048")),
};
const rows = new Map<string, number[]>();
const note = (name: string, value: number): void => void rows.set(name, [...(rows.get(name) ?? []), value]);
try {
  for (let round = 0; round <= ROUNDS; round += 1)
    for (const [name, stack] of Object.entries(stacks)) {
      const secure = name !== "plain";
      const measured: [string, number][] = [
        [`${name}, kept connection`, await cost(stack, REQUESTS, () => kept(stack, secure))],
        [`${name}, new connection`, await cost(stack, HANDSHAKES, () => singles(stack, secure, false))],
      ];
      if (secure) measured.push([`${name}, resumed session`, await cost(stack, HANDSHAKES, () => singles(stack, secure, true))]);
      if (round > 0) for (const [what, value] of measured) note(what, value); // the first warms up
    }
  console.log(`µs of CPU for a request, median of ${ROUNDS} rounds (min–max); 2 workers`);
  for (const [name, values] of rows)
    console.log(`${name.padEnd(32)} ${median(values).toFixed(0)} (${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)})`);
} finally {
  for (const stack of Object.values(stacks)) await stack.stop();
  rmSync(dir, { recursive: true, force: true });
}
