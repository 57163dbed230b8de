/** `drover emulator`: the Google Sheets emulator alone, for one's own programs and tests. */
import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import { DroverError, errnoOf, messageOf } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import { makeLogger } from "../base/log.ts";
import { seconds } from "../base/units.ts";
import { createEngine } from "../tools/emulator/engine/engine.ts";
import { readFaultSpecs } from "../tools/emulator/fault-spec.ts";
import { WORKBOOK_TITLE } from "../tools/emulator/main.ts";
import { readWorkbook } from "../tools/emulator/sample.ts";
import { createEmulator, type Emulator } from "../tools/emulator/server.ts";
import { readOptions, type Options } from "./options.ts";
import { SAMPLE_DIR, SAMPLE_ID } from "./plan.ts";

const FLAGS = [
  { name: "port", takes: "value" },
  { name: "dir", takes: "value" },
  { name: "csv", takes: "value" },
  { name: "faults" },
  { name: "fault", takes: "value", joins: ";" },
] as const;

export async function emulator(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv, FLAGS);
  const port = portOf(options.own.get("port") ?? "8086");
  const adminToken = options.resolved.settings.emulator_token ?? (options.own.has("faults") ? randomBytes(16).toString("hex") : undefined);
  const running = await create(options, adminToken);
  await listen(running, port);
  const { port: bound } = running.server.address() as { port: number };
  process.stdout.write(
    `Google Sheets emulator on http://127.0.0.1:${bound}\n` +
      `  spreadsheet   ${SAMPLE_ID}\n  key file      ${running.keyFile}\n` +
      (adminToken === undefined
        ? ""
        : `  faults        POST /emulator/faults, with Authorization: Bearer ${shown(options, adminToken)}\n`) +
      `  use it        DROVER_SHEETS_ENDPOINT=http://127.0.0.1:${bound}/ DROVER_OAUTH_ENDPOINT=http://127.0.0.1:${bound}/ \\\n` +
      `                DROVER_SPREADSHEET_ID=${SAMPLE_ID} GOOGLE_APPLICATION_CREDENTIALS=${running.keyFile} drover serve\n`,
  );
  await new Promise<void>((stop) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop());
  });
  await running.close(seconds(5));
  return EXIT.done.code;
}

/** A token of the operator's own is not printed. */
const shown = ({ resolved }: Options, token: string): string =>
  resolved.settings.emulator_token === undefined ? token : "DROVER_EMULATOR_TOKEN";

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new DroverError("DROVER_E_USAGE", `--port ${text}: expected a port from 0 to 65535`);
}

/** @throws DroverError for a fault that there is not. */
function faultsOf(text: string | undefined) {
  const faults = text === undefined ? [] : readFaultSpecs(text);
  if (typeof faults !== "string") return faults;
  throw new DroverError("DROVER_E_USAGE", `--fault ${faults}`);
}

function create({ own, resolved }: Options, adminToken: string | undefined): Promise<Emulator> {
  const { settings } = resolved;
  const faults = faultsOf(own.get("fault"));
  const dataDir = resolve(own.get("dir") ?? join(settings.data_dir, "emulator-alone"));
  return createEmulator({
    engine: createEngine,
    dataDir,
    keyFile: join(dataDir, "key.json"),
    latency: settings.emulator_latency,
    quota: settings.emulator_quota,
    faults,
    ...(adminToken === undefined ? {} : { adminToken }),
    spreadsheets: [readWorkbook(resolve(own.get("csv") ?? SAMPLE_DIR), SAMPLE_ID, WORKBOOK_TITLE)],
    log: makeLogger({ role: "emulator" }, settings.log_level, process.stderr),
  });
}

function listen({ server }: Emulator, port: number): Promise<void> {
  return new Promise((done, fail) => {
    server.once("error", (error) => {
      const text = errnoOf(error) === "EADDRINUSE" ? `port ${port} is taken: choose another with --port` : messageOf(error);
      fail(new DroverError("DROVER_E_PORT", text, { cause: error }));
    });
    server.listen(port, "127.0.0.1", done);
  });
}
