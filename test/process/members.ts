/** The sample workbook's players at a daemon: their logins, and what they ask for by their cookies. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { http } from "../../src/base/http.ts";
import { ROOT, type Daemon } from "./harness.ts";

const players = readFileSync(join(ROOT, "config/sample/players.csv"), "utf8")
  .split("\n")
  .slice(1)
  .map((line) => line.split(","));

export interface Answer {
  readonly status: number;
  readonly cookie: string;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

interface Question {
  readonly cookie?: string;
  /** Makes it a POST. */
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export function ask(daemon: Daemon, path: string, { cookie = "", body, headers: more = {} }: Question = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { ...more, cookie, ...(body === undefined ? {} : { "content-type": "application/json" }) };
    const req = http.request(`${daemon.url}${path}`, { method: body === undefined ? "GET" : "POST", agent: false, headers }, (res) => {
      let text = "";
      res.on("data", (chunk: Buffer) => (text += chunk.toString()));
      res.on("end", () => {
        const set = (res.headers["set-cookie"] ?? []).map((line) => line.split(";")[0]).join("; ");
        resolve({ status: res.statusCode ?? 0, cookie: set, retryAfter: res.headers["retry-after"], body: text });
      });
    });
    req.on("error", reject);
    req.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** @param nr the sample workbook's players, in order. */
export async function login(daemon: Daemon, nr: number): Promise<Answer> {
  const [, name = "", , , , secret = ""] = players[nr] ?? [];
  return await ask(daemon, "/api/login", { body: { name, secret } });
}

export const whoami = async (daemon: Daemon, cookie: string): Promise<number> => (await ask(daemon, "/api/me", { cookie })).status;
