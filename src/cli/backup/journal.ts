/** A copy of the journal, whoever has it: the broker that runs makes it while it goes on, and else we do. */
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
import { brokerSocket } from "../configure.ts";
import { asOwnerOf } from "./owner.ts";

const FILE = "journal.db";
const COPY = "journal.copy";
/** Of a gigabyte on a slow disk. */
const COPIES_WITHIN = seconds(300);
/** A broker that is leaving gives the journal up within. */
const LOCK_WITHIN = ms(2_000);
const ABSENT: readonly unknown[] = ["ENOENT", "ECONNREFUSED"];

const cant = (why: string, cause?: unknown): DroverError =>
  new DroverError("DROVER_E_BACKUP", `the journal can't be copied: ${why}`, { cause });

/** @returns where the copy is; undefined: no broker answers there. @throws DroverError DROVER_E_BACKUP when it refuses. */
function askBroker(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath });
    const reader = new FrameReader();
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      settle();
      socket.destroy();
    };
    const timer = setTimeout(() => end(() => reject(cant(`the broker did not do it within ${COPIES_WITHIN / 1_000} s`))), COPIES_WITHIN);
    socket.on("connect", () => void socket.write(Buffer.concat(encodeFrame({ type: "copy" }))));
    socket.on("error", (e) =>
      end(() => (ABSENT.includes(errnoOf(e)) ? resolve(undefined) : reject(cant(`${socketPath}: ${messageOf(e)}`, e)))),
    );
    socket.on("close", () => end(() => reject(cant("the broker went away meanwhile: try again"))));
    socket.on("data", (chunk: Buffer) => {
      for (const { head } of reader.push(chunk)) {
        const said = readFromBroker(head);
        if (said?.type === "copied") end(() => resolve(said.path));
        else end(() => reject(cant(said?.type === "uncopied" ? said.why : "the broker that runs is of another version")));
      }
    });
  });
}

/** The journal of a daemon that does not run. @throws DroverError when somebody has it. */
function copyOurselves(dir: string): string {
  const to = join(dir, COPY);
  const lock = takeLock(join(dir, "journal.lock"), LOCK_WITHIN);
  try {
    rmSync(to, { force: true });
    const database = new DatabaseSync(join(dir, FILE), { timeout: 0 });
    try {
      database.exec("PRAGMA locking_mode=EXCLUSIVE");
      database.prepare("VACUUM INTO ?").run(to);
    } finally {
      database.close();
    }
    return to;
  } catch (e) {
    throw cant(`${messageOf(e)}. A journal that is damaged is mended at the next start: back up after it`, e);
  } finally {
    lock.release();
  }
}

/** One file without a WAL, and nothing wrong in it. */
function settle(copy: string): void {
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

/** @returns where the copy is, in the data directory; undefined when there is no journal. @throws DroverError DROVER_E_BACKUP, DROVER_E_RUNNING. */
export async function copyJournal(settings: Settings): Promise<string | undefined> {
  const { data_dir: dir } = settings;
  if (!existsSync(join(dir, FILE))) return undefined;
  const copy = (await askBroker(brokerSocket(settings))) ?? asOwnerOf(dir, () => copyOurselves(dir));
  if (copy !== join(dir, COPY)) throw cant(`the broker that runs has another data directory: its copy is ${copy}`);
  asOwnerOf(dir, () => settle(copy));
  return copy;
}
