/**
 * The emulator's whole state in one JSON file, replaced after each change:
 *
 *   engine.call ─ changed ─→ save(): temporary file, fsync, rename, fsync of the folder ─→ answered
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { DroverError, messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { storageError } from "../../base/storage.ts";
import { replaceFileInBackground } from "../../base/wholefile.ts";
import type { Engine, EngineAnswer, EngineCall } from "./engine.types.ts";

/** Of the format before `state.json`: calls in a journal, with snapshots. */
const FORMER_FILES = ["emulator.state", "emulator.journal"];

export const statePath = (dir: string): string => join(dir, "state.json");

/** Writes one save at a time; calls of `save` that arrive meanwhile share the next one. */
export interface StateFile {
  /** Resolves when a state at least as new as this call is on disk. */
  save(): Promise<void>;
  /** The save that includes every change so far; undefined when all of them are on disk. */
  pending(): Promise<void> | undefined;
}

/**
 * After a failed write or fsync the content of the file is unknown (fsyncgate, 2018): the rejected promise stays, so that
 * later saves and reads fail, too.
 * @param failed called once, when the disk refuses. @returns the error of every save from then on.
 */
export function createStateFile(
  path: string,
  dump: () => unknown,
  failed: (error: unknown) => Error,
): StateFile {
  let saving: Promise<void> | undefined;
  let queued: Promise<void> | undefined;
  const saveAfter = async (previous: Promise<void> | undefined): Promise<void> => {
    await previous;
    saving = queued;
    queued = undefined;
    try {
      await replaceFileInBackground(path, JSON.stringify(dump()));
    } catch (error) {
      throw failed(error);
    }
    saving = undefined;
  };
  return { save: () => (queued ??= saveAfter(saving)), pending: () => queued ?? saving };
}

/** An engine that answers only when the answer's state is on disk: a crash takes nothing back that a client has seen. */
export interface DurableEngine {
  /** @throws DroverError once the disk has failed or the engine is closed; whatever the engine itself throws. */
  call(call: EngineCall): Promise<EngineAnswer>;
  seed(...workbook: Parameters<Engine["seed"]>): Promise<void>;
  /** Refuses further calls. Resolves when every change is on disk, or the disk has failed. */
  close(): Promise<void>;
}

export interface StateOptions {
  readonly dir: string;
  readonly engine: (dump?: unknown) => Engine;
  readonly log: Logger;
  /** The disk has failed: every call is refused from now on. Called once. */
  readonly onFailure: (error: Error) => void;
}

/** @throws DroverError when the directory can't be used or the state in it is damaged; a damaged file is left as it is. */
export async function openState(options: StateOptions): Promise<DurableEngine> {
  const { dir, log, onFailure } = options;
  let engine: Engine;
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    engine = await read(options);
  } catch (error) {
    if (error instanceof DroverError) throw error;
    throw storageError(`can't use ${dir} for the emulator's data`, error);
  }
  let isClosed = false;
  const file = createStateFile(
    statePath(dir),
    () => engine.dump(),
    (cause) => {
      const advice = "Fix its permissions, then restart";
      const error = storageError(`the emulator can't write ${dir}`, cause, { advice });
      log.fatal({ err: error }, error.message);
      onFailure(error);
      return error;
    },
  );
  return {
    async call(call) {
      if (isClosed) throw new DroverError("DROVER_E_UPSTREAM", "the emulator is closing");
      const answer = engine.call(call);
      await (answer.mutated ? file.save() : file.pending());
      return answer;
    },
    async seed(...workbook) {
      engine.seed(...workbook);
      await file.save();
    },
    async close() {
      isClosed = true;
      await file.pending()?.catch(() => {}); // reported by onFailure
    },
  };
}

async function read({ dir, engine, log }: StateOptions): Promise<Engine> {
  const path = statePath(dir);
  if (!existsSync(path)) {
    await setFormerAside(dir, log);
    return engine();
  }
  const text = readFileSync(path, "utf8");
  try {
    return engine(JSON.parse(text));
  } catch (error) {
    throw new DroverError(
      "DROVER_E_DATA_DIR",
      `the emulator's state ${path} is damaged: ${messageOf(error)}. Restore it from a copy, or move it away to begin with the CSV files again`,
      { cause: error },
    );
  }
}

async function setFormerAside(dir: string, log: Logger): Promise<void> {
  const found = FORMER_FILES.filter((name) => existsSync(join(dir, name)));
  for (const name of found) await rename(join(dir, name), join(dir, `${name}.old`));
  if (found.length > 0)
    log.warn(
      { dir, files: found },
      "the spreadsheet of an earlier version can't be read: its files are renamed to *.old, and the emulator begins with the CSV files again",
    );
}
