/** `drover emulator` as a process, with its control routes. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { SAMPLE_ID } from "../../../src/cli/plan.ts";
import type { Delivered } from "../../../src/tools/emulator/faults/fault-queue.ts";
import type { Requests } from "../../../src/tools/emulator/request-counters.ts";
import { folder, request, type Reply } from "./world.ts";

export const DROVER = fileURLToPath(new URL("../../../bin/drover", import.meta.url));

export interface Standalone {
  readonly url: string;
  readonly pid: number;
  /** Its output until it was ready. */
  readonly said: string;
  /** Makes a daemon use it: address, spreadsheet and key. */
  readonly env: Readonly<Record<string, string>>;
  /** A request to a control route. @param token default: its own. */
  admin(method: string, path: string, body?: string, token?: string): Promise<Reply>;
  /** Queues faults. */
  order(specs: string): Promise<void>;
  clear(): Promise<void>;
  delivered(): Promise<Delivered>;
  /** A person edits: specs such as `sort=players,column=B`. */
  edit(specs: string): Promise<void>;
  rows(tab: string): Promise<readonly (readonly unknown[])[]>;
  metadata(): Promise<readonly unknown[]>;
  requests(): Promise<Requests>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Starts it without latency and quota, unless the arguments say otherwise. @param dir of the state; the same again continues. */
export async function standalone(
  t: TestContext,
  args: readonly string[] = [],
  dir?: string,
): Promise<Standalone> {
  const home = dir ?? folder();
  const quiet = ["--emulator-latency", "none", "--emulator-quota", "off"];
  const child = spawn(DROVER, ["emulator", "--port", "0", "--dir", home, ...quiet, ...args], {
    cwd: home,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  };
  t.after(() => kill("SIGTERM"));
  let said = "";
  for await (const piece of child.stdout as AsyncIterable<Buffer>) {
    said += piece.toString();
    if (said.endsWith("drover serve\n")) break;
  }
  const url =
    /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] ??
    assert.fail(`the emulator did not start: ${said}`);
  return {
    url,
    pid: child.pid ?? 0,
    said,
    env: environment(url, home),
    kill,
    ...routes(url, /Bearer (\w+)\n/.exec(said)?.[1] ?? ""),
  };
}

const environment = (url: string, home: string): Readonly<Record<string, string>> => ({
  DROVER_SHEETS_ENDPOINT: `${url}/`,
  DROVER_OAUTH_ENDPOINT: `${url}/`,
  DROVER_SPREADSHEET_ID: SAMPLE_ID,
  GOOGLE_APPLICATION_CREDENTIALS: join(home, "key.json"),
});

function routes(
  url: string,
  own: string,
): Omit<Standalone, "url" | "pid" | "said" | "env" | "kill"> {
  const admin: Standalone["admin"] = (method, path, body, token = own) =>
    request(
      `${url}/emulator/${path}`,
      method,
      { authorization: `Bearer ${token}`, "content-type": "text/plain" },
      body,
    );
  const done = async (answer: Promise<Reply>): Promise<Reply> => {
    const { status, body } = await answer;
    assert.ok(status === 200 || status === 201, body.toString());
    return answer;
  };
  const book = `spreadsheet=${SAMPLE_ID}`;
  return {
    admin,
    order: async (specs) => void (await done(admin("POST", "faults", specs))),
    clear: async () => void (await done(admin("DELETE", "faults"))),
    delivered: async () => (await done(admin("GET", "faults"))).json().delivered as Delivered,
    edit: async (specs) => void (await done(admin("POST", `edits?${book}`, specs))),
    rows: async (tab) =>
      (
        await done(admin("GET", `rows?${book}&tab=${encodeURIComponent(tab)}`))
      ).json() as unknown[][],
    metadata: async () => (await done(admin("GET", `metadata?${book}`))).json() as unknown[],
    requests: async () => (await done(admin("GET", "requests"))).json() as Requests,
  };
}
