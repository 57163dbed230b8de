/** A copy of the journal: by the running broker, which goes on serving; by this process if none runs. */
import { existsSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DroverError, errnoOf, messageOf } from "../../base/errors.ts";
import { encodeFrame, FrameReader } from "../../base/frames.ts";
import { ms, seconds } from "../../base/units.ts";
import { takeLock } from "../../broker/journal/lock.ts";
import type { Settings } from "../../settings/table.ts";
import { readFromBroker } from "../../sheets/wire-from-broker.ts";
import { brokerSocket } from "../../cli/configure.ts";
import { actingAsOwnerOf } from "../../base/owner.ts";

const FILE = "journal.db";
const COPY = "journal.copy";
/** A gigabyte on a slow disk. */
const BROKER_TIMEOUT = seconds(300);
/** A broker that is shutting down releases the journal within this time. */
const LOCK_TIMEOUT = ms(2_000);
const ABSENT: readonly unknown[] = ["ENOENT", "ECONNREFUSED"];

const cant = (why: string, cause?: unknown): DroverError =>
  new DroverError("DROVER_E_BACKUP", `the journal can't be copied: ${why}`, { cause });

/** @returns the copy's path; undefined when no broker runs. @throws DroverError DROVER_E_BACKUP when it refuses. */
function askBroker(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath });
    const reader = new FrameReader();
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      settle();
      socket.destroy();
    };
    const timer = setTimeout(
      () =>
        end(() => reject(cant(`the broker did not copy it within ${BROKER_TIMEOUT / 1_000} s`))),
      BROKER_TIMEOUT,
    );
    socket.on("connect", () => void socket.write(Buffer.concat(encodeFrame({ type: "copy" }))));
    socket.on("error", (e) =>
      end(() =>
        ABSENT.includes(errnoOf(e))
          ? resolve(undefined)
          : reject(cant(`${socketPath}: ${messageOf(e)}`, e)),
      ),
    );
    socket.on("close", () =>
      end(() => reject(cant("the broker closed the connection: try again"))),
    );
    socket.on("data", (chunk: Buffer) => {
      for (const { head } of reader.push(chunk)) {
        const said = readFromBroker(head);
        if (said?.type === "copied") end(() => resolve(said.path));
        else
          end(() =>
            reject(
              cant(
                said?.type === "uncopied" ? said.why : "the running broker is of another version",
              ),
            ),
          );
      }
    });
  });
}

/** Copies a database into one new file without a WAL. @param exclusive refuses other readers and writers meanwhile */
export function vacuumInto(
  from: string,
  to: string,
  { timeout, exclusive = false }: { readonly timeout: number; readonly exclusive?: boolean },
): void {
  rmSync(to, { force: true });
  const database = new DatabaseSync(from, { timeout });
  try {
    if (exclusive) database.exec("PRAGMA locking_mode=EXCLUSIVE");
    database.prepare("VACUUM INTO ?").run(to);
  } finally {
    database.close();
  }
}

/** The journal of a daemon that does not run. @throws DroverError when another process has it. */
function copyStopped(dir: string): string {
  const to = join(dir, COPY);
  const lock = takeLock(join(dir, "journal.lock"), LOCK_TIMEOUT);
  try {
    vacuumInto(join(dir, FILE), to, { timeout: 0, exclusive: true });
    return to;
  } catch (e) {
    throw cant(
      `${messageOf(e)}. A damaged journal is repaired at the next start: back up after that`,
      e,
    );
  } finally {
    lock.release();
  }
}

/** Makes sure that the copy is one file without a WAL, and sound. */
function checkCopy(copy: string): void {
  const database = new DatabaseSync(copy);
  try {
    database.exec("PRAGMA journal_mode=DELETE");
    const said = Object.values(database.prepare("PRAGMA quick_check(1)").get() ?? {})[0];
    if (said !== "ok") throw cant(String(said));
  } catch (e) {
    throw e instanceof DroverError ? e : cant(messageOf(e), e);
  } finally {
    database.close();
  }
}

/** @returns the copy's path in the data directory; undefined when there is no journal. @throws DroverError DROVER_E_BACKUP, DROVER_E_RUNNING. */
export async function copyJournal(settings: Settings): Promise<string | undefined> {
  const { data_dir: dir } = settings;
  if (!existsSync(join(dir, FILE))) return undefined;
  const copy =
    (await askBroker(brokerSocket(settings))) ?? actingAsOwnerOf(dir, () => copyStopped(dir));
  if (copy !== join(dir, COPY))
    throw cant(`the running broker has another data directory: its copy is ${copy}`);
  actingAsOwnerOf(dir, () => checkCopy(copy));
  return copy;
}
