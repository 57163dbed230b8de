/** The command line's side of the control socket. */
import { http } from "../base/http.ts";
import { DroverError, errnoOf, messageOf } from "../base/errors.ts";
import { seconds, type Ms } from "../base/units.ts";
import type { ControlAnswer, ControlVerb } from "../master/shell/control.ts";
import type { Settings } from "../settings/table.ts";
import { controlSocket } from "./places.ts";
import type { Status } from "./snapshot.ts";
import { printableLines } from "./terminal/printable.ts";

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const TIMEOUT = seconds(5);
/** A snapshot of 256 workers is a tenth of it. */
const LARGEST = 4_194_304;

/** @throws DroverError DROVER_E_NO_DAEMON when nobody answers at the run directory's socket. */
export function ask(
  settings: Settings,
  method: "GET" | "POST",
  path: string,
  { body, timeout = TIMEOUT }: { readonly body?: unknown; readonly timeout?: Ms } = {},
): Promise<Answer> {
  const socketPath = controlSocket(settings.run_dir);
  return new Promise((resolve, reject) => {
    const req = http.request({ socketPath, method, path, timeout, headers: { "content-type": "application/json" } }, (res) => {
      let text = "";
      res.setEncoding("utf8");
      res.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > LARGEST) req.destroy(new Error(`its answer is over ${LARGEST} characters: it is no drover`));
      });
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
    req.on("timeout", () => req.destroy(new Error(`no answer within ${timeout / 1_000} s`)));
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

/** The daemon's snapshot. @throws DroverError DROVER_E_NO_DAEMON when none comes. */
export async function askStatus(settings: Settings, timeout?: Ms): Promise<Status> {
  const { body } = await ask(settings, "GET", "/status", timeout === undefined ? {} : { timeout });
  if (isStatus(body)) return body;
  throw new DroverError("DROVER_E_NO_DAEMON", `what answers on ${controlSocket(settings.run_dir)} is no drover of this version`);
}

/** As much as tells a snapshot from another program's JSON, or from that of a daemon that was not restarted after an update. */
function isStatus(body: unknown): body is Status {
  const fields = (value: unknown): Record<string, unknown> =>
    typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const { places, workers, counters, recent, health } = fields(body);
  return Array.isArray(places) && [workers, counters, recent, health].every((part) => typeof part === "object" && part !== null);
}

/** Posts a command. @returns what the daemon says to it, a refusal too. */
export async function order(
  settings: Settings,
  verb: ControlVerb,
  body: Readonly<Record<string, unknown>> = {},
  timeout: Ms = TIMEOUT,
): Promise<ControlAnswer> {
  const answer = (await ask(settings, "POST", `/${verb}`, { body, timeout })).body as ControlAnswer;
  return { ...answer, message: printableLines(answer.message) };
}

/** Posts a command. @throws DroverError when the daemon refuses it. */
export async function command(
  settings: Settings,
  verb: ControlVerb,
  body: Readonly<Record<string, unknown>> = {},
  timeout: Ms = TIMEOUT,
): Promise<string> {
  const { ok, message } = await order(settings, verb, body, timeout);
  if (!ok) throw new DroverError("DROVER_E_USAGE", `${verb} refused: ${message}`);
  return message;
}
