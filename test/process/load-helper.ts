/** What the tests of `drover load` share: the command as it is typed, and a small server for it. */
import { spawn } from "node:child_process";
import type { RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { http } from "../../src/base/http.ts";
import { cleanEnv, DROVER } from "./harness.ts";

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** @param onLine gets what was printed so far, and the process. @param output a file to print into. */
export function load(
  cwd: string,
  args: readonly string[],
  onLine?: (out: string, pid: number) => void,
  output: "pipe" | number = "pipe",
): Promise<Ran> {
  const child = spawn(DROVER, ["load", ...args], { cwd, stdio: ["ignore", output, "pipe"], env: cleanEnv() });
  let [out, err] = ["", ""];
  child.stdout?.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    onLine?.(out, child.pid ?? 0);
  });
  child.stderr?.on("data", (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out, err })));
}

export async function serve(t: TestContext, handler: RequestListener): Promise<{ readonly url: string; readonly server: Server }> {
  const server = http.createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

/** What a busy test machine does to the generator's timing is no subject here. */
export const CALM = ["--threshold", "http_req_duration: p(95)<9000"];
