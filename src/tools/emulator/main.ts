/**
 * The emulator as a child of the master.
 *
 *   configure → state read, account ready ─ handle → listening ─ ready, beats ─ drain → last answers, disk, exit 0
 *   the master gone: exit 0 · can't start, or the disk fails: fatal and its exit code
 */
import { startBeat } from "../../base/beat.ts";
import { noCounters } from "../../base/counters.ts";
import { DroverError, messageOf } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { attachHandle, isRawHandle } from "../../base/held.ts";
import { createLog, type LogSink } from "../../base/log.ts";
import type { MasterPort } from "../../base/port.ts";
import type { ToChild } from "../../base/protocol.ts";
import { ms, type Ms } from "../../base/units.ts";
import type { EmulatorConfig } from "./config.ts";
import { readTabs, WORKBOOK_TITLE } from "./sample-workbook.ts";
import { createEmulator, type Emulator } from "./server.ts";

/** The part of a drain's time that is left for the disk after the last answer. */
const DISK_SHARE = 0.2;
/** Without a master no client is left; acknowledged writes are on disk already. */
const ORPHANED = ms(1_000);

type Configure = Extract<ToChild, { type: "configure" }>;

interface Started {
  readonly emulator: Emulator;
  readonly beatEvery: Ms;
}

/**
 * Runs until drained or orphaned. Messages that arrived earlier must be delivered to the listener that this sets.
 * @param config of the emulator, from `configure`.
 * @param exit ends the process; a test passes its own.
 */
export function runEmulator(
  config: EmulatorConfig,
  port: MasterPort,
  exit: (code: number) => void = (code) => process.exit(code),
): void {
  const child = new Child(config, port, exit);
  port.onLost(() => void child.end(ORPHANED));
  port.onMessage((message, handle) => child.receive(message, handle));
}

class Child {
  readonly #config: EmulatorConfig;
  readonly #port: MasterPort;
  readonly #exit: (code: number) => void;
  #sink: LogSink | undefined;
  #started: Promise<Started> | undefined;
  #stopBeat = (): void => {};
  #isEnding = false;

  constructor(config: EmulatorConfig, port: MasterPort, exit: (code: number) => void) {
    this.#config = config;
    this.#port = port;
    this.#exit = exit;
  }

  receive(message: ToChild, handle: unknown): void {
    switch (message.type) {
      case "configure":
        this.#started ??= this.#start(message);
        this.#started.catch((error: unknown) => this.#die(error));
        return;
      case "handle":
        return void this.#listen(handle).catch((error: unknown) => this.#die(error));
      case "drain":
        return void this.end(message.within);
      case "reopen":
        return void this.#sink?.reopen();
      default: // for workers and the broker; the emulator's settings need a restart
    }
  }

  async #start({ slot, generation, beatEvery }: Configure): Promise<Started> {
    const { dataDir, keyFile, url, latency, quota, adminToken, log } = this.#config;
    const { sampleDir, spreadsheetId: id } = this.#config;
    this.#sink = createLog({ role: "emulator", slot, generation }, log.level, log.target, true);
    const emulator = await createEmulator({
      dataDir,
      keyFile,
      ...(url === "" ? {} : { url }),
      latency,
      quota,
      ...(adminToken === null ? {} : { adminToken }),
      spreadsheets: [{ id, title: WORKBOOK_TITLE, tabs: () => readTabs(sampleDir) }],
      log: this.#sink.log,
      onFailure: (error) => this.#die(error),
    });
    return { emulator, beatEvery };
  }

  async #listen(handle: unknown): Promise<void> {
    if (this.#started === undefined || !isRawHandle(handle))
      throw new DroverError("DROVER_E_BUG", "a handle came without a socket, or before configure");
    const { emulator, beatEvery } = await this.#started;
    const { counters, server } = emulator;
    const listening = new Promise((resolve) => server.once("listening", resolve));
    attachHandle(server, handle, this.#config.backlog);
    await listening;
    if (this.#isEnding) return;
    const beats = startBeat(this.#port, beatEvery, {
      inFlight: () => counters.inFlight,
      connections: () => counters.connections,
      full: () => false,
      counters: () => ({ ...noCounters(), served: counters.served }),
      latency: () => [], // the master counts no requests of the emulator
    });
    this.#stopBeat = () => beats.stop();
    const { url, spreadsheetId: spreadsheet } = this.#config;
    this.#port.send({ type: "ready", where: url });
    this.#sink?.log.info({ url, spreadsheet }, "the Google Sheets emulator answers");
  }

  async end(within: Ms): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#stopBeat();
    const late = setTimeout(() => this.#exit(EXIT.done.code), within);
    try {
      const { emulator } = (await this.#started) ?? {};
      await emulator?.close(ms(within * (1 - DISK_SHARE)));
      this.#port.send({ type: "drained", served: emulator?.counters.served ?? 0 });
    } catch (error) {
      this.#sink?.log.warn({ err: error }, "the emulator did not close cleanly");
    } finally {
      clearTimeout(late);
      this.#exit(EXIT.done.code);
    }
  }

  #die(error: unknown): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#stopBeat();
    const known =
      error instanceof DroverError
        ? error
        : new DroverError("DROVER_E_BOOT", messageOf(error), { cause: error });
    const { code, exit, message } = known;
    this.#sink?.log.fatal({ err: error, code }, message);
    this.#port.send({ type: "fatal", exit, code, message });
    this.#exit(exit);
  }
}
