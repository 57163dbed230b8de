/** The command line's side of the control socket. */
import http from "node:http";
import { DroverError, errnoOf, messageOf } from "../base/errors.ts";
import type { ControlAnswer, ControlVerb } from "../master/shell/control.ts";
import type { Settings } from "../settings/table.ts";
import { controlSocket } from "./places.ts";

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const TIMEOUT = 5_000;

/** @throws DroverError DROVER_E_NO_DAEMON when nobody answers at the run directory's socket. */
export function ask(settings: Settings, method: "GET" | "POST", path: string, body?: unknown): Promise<Answer> {
  const socketPath = controlSocket(settings.run_dir);
  return new Promise((resolve, reject) => {
    const req = http.request({ socketPath, method, path, timeout: TIMEOUT, headers: { "content-type": "application/json" } }, (res) => {
      let text = "";
      res.setEncoding("utf8");
      res.on("data", (chunk: string) => (text += chunk));
      res.on("error", reject);
      res.on("end", () => {
        try {
          resolve({ status: res.statusCode ?? 0, body: JSON.parse(text) });
        } catch (error) {
          reject(
            new DroverError("DROVER_E_NO_DAEMON", `what answers on ${socketPath} is no drover: ${messageOf(error)}`, { cause: error }),
          );
        }
      });
    });
    req.on("timeout", () => req.destroy(new Error(`no answer within ${TIMEOUT / 1_000} s`)));
    req.on("error", (error) => reject(noDaemon(socketPath, error)));
    req.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function noDaemon(socketPath: string, error: Error): DroverError {
  const errno = errnoOf(error);
  const why =
    errno === "ENOENT" || errno === "ECONNREFUSED"
      ? "none runs there"
      : errno === "EACCES"
        ? "another user's does: use sudo"
        : messageOf(error);
  return new DroverError(
    "DROVER_E_NO_DAEMON",
    `no daemon answers on ${socketPath}: ${why}. Commands find the daemon by DROVER_RUN_DIR: run them with the same settings, in the same folder`,
    { cause: error },
  );
}

/** Posts a command. @returns what the daemon says to it, a refusal too. */
export async function order(settings: Settings, verb: ControlVerb, body: Readonly<Record<string, unknown>> = {}): Promise<ControlAnswer> {
  return (await ask(settings, "POST", `/${verb}`, body)).body as ControlAnswer;
}

/** Posts a command. @throws DroverError when the daemon refuses it. */
export async function command(settings: Settings, verb: ControlVerb, body: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { ok, message } = await order(settings, verb, body);
  if (!ok) throw new DroverError("DROVER_E_USAGE", `${verb} refused: ${message}`);
  return message;
}
