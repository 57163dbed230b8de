/** `drover emulator`: the Google Sheets emulator alone, for a user's own programs and tests. */
import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import { DroverError, errnoOf, messageOf } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import { makeLogger } from "../base/log.ts";
import { seconds } from "../base/units.ts";
import { parseFaults } from "../tools/emulator/faults/parse-fault.ts";
import { readTabs, WORKBOOK_TITLE } from "../tools/emulator/sample-workbook.ts";
import { createEmulator, type Emulator } from "../tools/emulator/server.ts";
import { statePath } from "../tools/emulator/state-file.ts";
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
  const { running, unread } = await create(options, adminToken);
  await listen(running, port);
  const { port: bound } = running.server.address() as { port: number };
  process.stdout.write(
    `Google Sheets emulator on http://127.0.0.1:${bound}\n` +
      `  spreadsheet   ${SAMPLE_ID}\n  key file      ${running.keyFile}\n` +
      (unread === undefined ? "" : `  --csv         ${unread}\n`) +
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

/** A token from the settings is not printed. */
const shown = ({ resolved }: Options, token: string): string =>
  resolved.settings.emulator_token === undefined ? token : "DROVER_EMULATOR_TOKEN";

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new DroverError("DROVER_E_USAGE", `--port ${text}: expected a port from 0 to 65535`);
}

/** @throws DroverError for text that is no spec. */
function faultsOf(text: string | undefined) {
  const faults = text === undefined ? [] : parseFaults(text);
  if (typeof faults !== "string") return faults;
  throw new DroverError("DROVER_E_USAGE", `--fault ${faults}`);
}

interface Created {
  readonly running: Emulator;
  /** Why the folder of `--csv` was not read. */
  readonly unread: string | undefined;
}

async function create({ own, resolved }: Options, adminToken: string | undefined): Promise<Created> {
  const { settings } = resolved;
  const faults = faultsOf(own.get("fault"));
  const dataDir = resolve(own.get("dir") ?? join(settings.data_dir, "emulator-alone"));
  const csv = own.get("csv");
  let isRead = false;
  const tabs = () => {
    isRead = true;
    return readTabs(resolve(csv ?? SAMPLE_DIR));
  };
  const running = await createEmulator({
    dataDir,
    keyFile: join(dataDir, "key.json"),
    latency: settings.emulator_latency,
    quota: settings.emulator_quota,
    faults,
    ...(adminToken === undefined ? {} : { adminToken }),
    spreadsheets: [{ id: SAMPLE_ID, title: WORKBOOK_TITLE, tabs }],
    log: makeLogger({ role: "emulator" }, settings.log_level, process.stderr),
  });
  const unread =
    csv === undefined || isRead
      ? undefined
      : `${csv} was not read: ${statePath(dataDir)} holds the spreadsheet. Use another --dir, or remove that file`;
  return { running, unread };
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
