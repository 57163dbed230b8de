/**
 * The emulator as a supervised process.
 *
 *   configure → state read, account ready ─ handle → listening ─ ready, beats ─ drain → last answers, disk, exit 0
 *   the master gone: exit 0 · can't start, or the disk fails: fatal and its exit code
 */
import { startBeat } from "../../base/beat.ts";
import { DroverError, messageOf } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { attachHandle, isRawHandle } from "../../base/held.ts";
import { createLog, type LogSink } from "../../base/log.ts";
import type { MasterPort } from "../../base/port.ts";
import type { ToChild } from "../../base/protocol.ts";
import { ms, type Ms } from "../../base/units.ts";
import type { EmulatorConfig } from "./config.ts";
import { createEngine } from "./engine/engine.ts";
import { readTabs, WORKBOOK_TITLE } from "./sample-workbook.ts";
import { createEmulator, type Emulator } from "./server.ts";

/** Of a drain's time, what is left for the disk after the last answer. */
const DISK_SHARE = 0.2;
/** When nobody waits any more: what is acknowledged is on disk already. */
const ORPHANED = ms(1_000);

type Configure = Extract<ToChild, { type: "configure" }>;

/**
 * Lives until drained or orphaned. Messages that arrived before are expected to be delivered to the listener set here.
 * @param config the part of `configure` that is the emulator's.
 * @param exit ends the process; a test gives its own.
 */
export function runEmulator(
  config: EmulatorConfig,
  port: MasterPort,
  exit: (code: number) => void = (code) => process.exit(code),
): void {
  new Life(config, port, exit).begin();
}

class Life {
  readonly #config: EmulatorConfig;
  readonly #port: MasterPort;
  readonly #exit: (code: number) => void;
  #sink: LogSink | undefined;
  #started: Promise<{ emulator: Emulator; configure: Configure }> | undefined;
  #stopBeat = (): void => {};
  #ending = false;

  constructor(config: EmulatorConfig, port: MasterPort, exit: (code: number) => void) {
    this.#config = config;
    this.#port = port;
    this.#exit = exit;
  }

  begin(): void {
    this.#port.onLost(() => void this.#end(ORPHANED));
    this.#port.onMessage((message, handle) => this.#receive(message, handle));
  }

  #receive(message: ToChild, handle: unknown): void {
    switch (message.type) {
      case "configure":
        this.#started ??= this.#start(message);
        this.#started.catch((error: unknown) => this.#die(error));
        return;
      case "handle":
        return void this.#listen(handle).catch((error: unknown) => this.#die(error));
      case "drain":
        return void this.#end(message.within);
      case "reopen":
        return void this.#sink?.reopen();
      case "retune": // its settings need a restart
      case "probe": // workers' alone
      case "bound":
      case "ask": // the broker's
      case "share":
      case "health":
      case "admin":
        return;
      default:
        return message satisfies never;
    }
  }

  async #start(configure: Configure): Promise<{ emulator: Emulator; configure: Configure }> {
    const { dataDir, keyFile, url, latency, quota, adminToken, log, sampleDir, spreadsheetId } =
      this.#config;
    const identity = {
      role: "emulator",
      slot: configure.slot,
      generation: configure.generation,
    } as const;
    this.#sink = createLog(identity, log.level, log.target, true);
    const emulator = await createEmulator({
      engine: createEngine,
      dataDir,
      keyFile,
      ...(url === "" ? {} : { url }),
      latency,
      quota,
      ...(adminToken === null ? {} : { adminToken }),
      spreadsheets: [{ id: spreadsheetId, title: WORKBOOK_TITLE, tabs: () => readTabs(sampleDir) }],
      log: this.#sink.log,
      onFailure: (error) => this.#die(error),
    });
    return { emulator, configure };
  }

  async #listen(handle: unknown): Promise<void> {
    if (this.#started === undefined || !isRawHandle(handle))
      throw new DroverError("DROVER_E_BUG", "a handle came without a socket, or before configure");
    const { emulator, configure } = await this.#started;
    const { server } = emulator;
    const listening = new Promise((resolve) => server.once("listening", resolve));
    attachHandle(server, handle, this.#config.backlog);
    await listening;
    if (this.#ending) return;
    const beats = startBeat(this.#port, configure.beatEvery, {
      inFlight: () => emulator.inFlight(),
      connections: () => emulator.connections(),
      full: () => false,
      counters: () => emulator.counters(),
      latency: () => emulator.latency(),
    });
    this.#stopBeat = () => beats.stop();
    this.#port.send({ type: "ready", where: this.#config.url });
    this.#sink?.log.info(
      { url: this.#config.url, spreadsheet: this.#config.spreadsheetId },
      "the Google Sheets emulator answers",
    );
  }

  async #end(within: Ms): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    this.#stopBeat();
    const late = setTimeout(() => this.#exit(EXIT.done.code), within); // nothing unacknowledged is worth waiting longer
    try {
      const { emulator } = (await this.#started) ?? {};
      await emulator?.close(ms(within * (1 - DISK_SHARE)));
      this.#port.send({ type: "drained", served: emulator?.counters().served ?? 0 });
    } catch (error) {
      this.#sink?.log.warn({ err: error }, "the emulator did not close cleanly");
    } finally {
      clearTimeout(late);
      this.#exit(EXIT.done.code);
    }
  }

  #die(error: unknown): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#stopBeat();
    const known =
      error instanceof DroverError
        ? error
        : new DroverError("DROVER_E_BOOT", messageOf(error), { cause: error });
    this.#sink?.log.fatal({ err: error, code: known.code }, known.message);
    this.#port.send({ type: "fatal", exit: known.exit, code: known.code, message: known.message });
    this.#exit(known.exit);
  }
}
