/** Whether a journal from elsewhere can be used, before it takes the place of another. */
import { systemClock } from "../../base/clock.ts";
import { DroverError, messageOf } from "../../base/errors.ts";
import { resultCode } from "../../base/storage.ts";
import { isDamage } from "./commit.ts";
import { Database, META } from "./database.ts";
import type { Seen } from "./inspect.ts";
import { recordOf } from "./records.ts";
import { refuseNewer } from "./search.ts";
import { readState } from "./state.ts";

/**
 * Reads all of it. The file may be rewritten, not changed.
 * @param name for the words. @throws DroverError DROVER_E_BACKUP when it is none or damaged, DROVER_E_JOURNAL when a newer drover wrote it.
 */
export function verifyJournal(path: string, name: string): Seen {
  try {
    const database = new Database(path);
    try {
      const meta = (nr: number): unknown => {
        const row = database.get("meta", nr);
        return row === undefined ? undefined : recordOf("meta", row);
      };
      const schema = meta(META.schema);
      if (typeof schema !== "number") throw new DroverError("DROVER_E_BACKUP", `the journal in ${name} is no journal of drover's`);
      refuseNewer(schema, `the journal in ${name}`);
      database.examine();
      const { waiting } = readState(database, systemClock.wall(), () => {});
      return { schema, spreadsheet: meta(META.spreadsheet) as string | undefined, waiting: waiting.rows };
    } finally {
      database.close();
    }
  } catch (e) {
    if (e instanceof DroverError || !(isDamage(e) || resultCode(e) !== undefined)) throw e;
    throw new DroverError("DROVER_E_BACKUP", `the journal in ${name} is damaged: ${messageOf(e)}. Nothing was changed`, { cause: e });
  }
}
