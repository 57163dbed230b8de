/** People with accounts, as browsers are: one kept connection and one cookie each. */
import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { join } from "node:path";
import { http } from "../../src/base/http.ts";
import { ROOT } from "./harness.ts";

export interface Account {
  readonly name: string;
  readonly secret: string;
}

/** Names and codes of the sample's 500 players. */
export const PLAYERS: readonly Account[] = readFileSync(join(ROOT, "config/sample/players.csv"), "utf8")
  .trimEnd()
  .split("\n")
  .slice(1)
  .map((line) => line.split(","))
  .map(([, name = "", , , , secret = ""]) => ({ name, secret }));

export interface Heard {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Milliseconds from the request to the end of its answer. */
  readonly took: number;
}

export class Visitor {
  cookie = "";
  readonly #url: string;
  readonly #headers: OutgoingHttpHeaders;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

  /** @param headers sent with every request. */
  constructor(url: string, headers: OutgoingHttpHeaders = {}) {
    this.#url = url;
    this.#headers = headers;
  }

  ask(method: string, path: string, body?: unknown): Promise<Heard> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      ...this.#headers,
      ...(this.cookie === "" ? {} : { Cookie: this.cookie }),
      ...(text === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) }),
    };
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const req = http.request(this.#url + path, { method, headers, agent: this.#agent, timeout: 300_000 }, (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("error", reject);
        res.on("end", () => {
          const [given] = res.headers["set-cookie"] ?? [];
          if (given !== undefined) this.cookie = given.includes("Max-Age=0") ? "" : (given.split(";")[0] ?? "");
          const took = performance.now() - began;
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks).toString(), took });
        });
      });
      req.on("timeout", () => req.destroy(new Error(`no answer to ${method} ${path}`)));
      req.on("error", reject);
      req.end(text);
    });
  }

  login(account: Account): Promise<Heard> {
    return this.ask("POST", "/api/login", account);
  }

  leave(): void {
    this.#agent.destroy();
  }
}

/** How often each status came, and why it was refused where it was. */
export function statuses(heard: readonly Heard[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, headers } of heard) {
    const refused = headers["x-drover-refused"];
    const what = refused === undefined ? String(status) : `${status} ${String(refused)}`;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}

/** @param share 0.95: what 95 of 100 took at most, in milliseconds. */
export function quantile(took: readonly number[], share: number): number {
  const sorted = took.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function spread(heard: readonly Heard[]): string {
  const took = heard.map((one) => one.took);
  const [half, most, all] = [0.5, 0.95, 1].map((share) => quantile(took, share).toFixed(0));
  return `${heard.length}, p50 ${half} ms, p95 ${most} ms, max ${all} ms`;
}
