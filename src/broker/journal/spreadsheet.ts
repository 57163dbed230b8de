/** A journal's rows are for one spreadsheet. Sent to another they would land in whatever table has the same name there. */
import { DroverError } from "../../base/errors.ts";
import { META, type Database } from "./database.ts";
import { recordOf } from "./records.ts";
import { putMeta, type State } from "./state.ts";

/** Why a journal can't serve another spreadsheet yet, and what there is to choose from. */
export function strangersWait(path: string, waiting: number, theirs: string, ours: string): string {
  const writes = waiting === 1 ? "1 write for the spreadsheet" : `${waiting} writes for the spreadsheet`;
  return (
    `${path} holds ${writes} ${theirs} that ${waiting === 1 ? "has" : "have"} not reached it yet, and DROVER_SPREADSHEET_ID is ${ours}. ` +
    `Set it back to ${theirs} until drover status says that none waits; or give ${ours} a data directory of its own (DROVER_DATA_DIR): ` +
    "what waits stays where it is. Nothing was changed"
  );
}

/**
 * From now on the journal is for `spreadsheet`.
 * @returns the state, without fences and batches that stand in another spreadsheet.
 * @throws DroverError DROVER_E_JOURNAL while another's writes wait in it.
 */
export function claim(database: Database, state: State, spreadsheet: string, path: string): State {
  const row = database.get("meta", META.spreadsheet);
  const before = row === undefined ? undefined : (recordOf("meta", row) as string);
  if (before === spreadsheet) return state;
  if (before !== undefined && state.waiting.rows > 0)
    throw new DroverError("DROVER_E_JOURNAL", strangersWait(path, state.waiting.rows, before, spreadsheet));
  const leftThere = before === undefined ? [] : (["batch", "sending", "fence", "tag"] as const);
  database.transaction(() => {
    for (const kind of leftThere) for (const { nr } of Array.from(database.all(kind))) database.drop(kind, nr);
    putMeta(database, META.spreadsheet, spreadsheet);
  });
  return before === undefined ? state : { ...state, sealed: new Map() };
}
