import { readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DroverError, messageOf } from "../../base/errors.ts";

/**
 * One daemon per data directory. Node has no flock(2); SQLite's exclusive lock (fcntl) is kept by the kernel, goes with the
 * process however it dies, and holds across containers that share the directory: a pidfile alone does none of this.
 */
export interface Lock {
  release(): void;
}

/**
 * @param directory an existing, writable data directory.
 * @throws DroverError DROVER_E_RUNNING when another daemon has it.
 */
export function lockDataDir(directory: string): Lock {
  const file = join(directory, "drover.lock");
  const pidfile = join(directory, "drover.pid");
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(file, { timeout: 0 });
    database.exec("PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    const text = messageOf(error);
    if (!/locked|busy/i.test(text)) throw new DroverError("DROVER_E_DATA_DIR", `can't lock ${file}: ${text}`, { cause: error });
    throw new DroverError(
      "DROVER_E_RUNNING",
      `a daemon${holder(pidfile)} already uses the data directory ${directory}: stop it (drover stop), or give this one another DROVER_DATA_DIR`,
      { cause: error },
    );
  }
  writePid(pidfile);
  return {
    release() {
      removeOwn(pidfile);
      database.close();
    },
  };
}

/**
 * The pidfile is for people and for init scripts; nothing of ours ever signals what it names. A disk that is full must not keep
 * a daemon down that serves from memory: the lock holds without it.
 */
function writePid(pidfile: string): void {
  const fresh = `${pidfile}.${process.pid}`;
  try {
    writeFileSync(fresh, `${process.pid}\n`, { mode: 0o644 });
    renameSync(fresh, pidfile);
  } catch {
    rmSync(fresh, { force: true });
    rmSync(pidfile, { force: true }); // it names a daemon that has gone
  }
}

function removeOwn(pidfile: string): void {
  try {
    if (readFileSync(pidfile, "utf8").trim() === String(process.pid)) unlinkSync(pidfile);
  } catch {
    // gone already: nothing is left to remove
  }
}

function holder(pidfile: string): string {
  try {
    return ` (pid ${readFileSync(pidfile, "utf8").trim()})`;
  } catch {
    return "";
  }
}
