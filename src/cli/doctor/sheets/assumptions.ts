/**
 * All that drover takes for true of Google's Sheets API and can't see for itself before it relies on it. The list of docs/sheets.md is
 * generated from this table, `drover doctor sheets` tests it, and the tests compare it with recorded answers.
 */

export interface Assumption {
  /** What is taken for true. */
  readonly claim: string;
  /** What drover does if it is not. */
  readonly otherwise: string;
  /** Where in the code that is. */
  readonly where: readonly string[];
  /** Recorded answers of the real API agree, as test/cli/doctor/recorded.unit.ts finds: answers to what. */
  readonly recorded?: string;
  /** `exhaust`, `byHand`: only asked for with that flag. `never`: no program can find it out. */
  readonly asks?: "exhaust" | "byHand" | "never";
}

const CORE = "src/broker/flusher/core";

export const ASSUMPTIONS = {
  "taken-id": {
    claim: "`createDeveloperMetadata` with an id that exists is refused with 400",
    otherwise:
      "The first write to a spreadsheet proves it; where it is not refused, rows go without a fence, a lost answer is settled by reading the keys after 185 s, and the delivery is called `at-least-once`",
    where: [`${CORE}/landing.ts`, `${CORE}/readback.ts`],
  },
  "whole-batch": {
    claim: "That refusal takes the whole `batchUpdate` with it: no request before or behind it is done",
    otherwise:
      "The fence is the first request, so a repeated batch stops at it before any row. Were the requests behind it carried out all the same, a repeated batch would double rows, and `status` would show the double keys",
    where: [`${CORE}/seal.ts`, "src/broker/snapshots.ts"],
  },
  "refused-whole": {
    claim: "A batch whose last request is refused leaves nothing: neither its fence nor its rows",
    otherwise:
      "The fence would stand and the batch count as landed: rows behind the refused request would be missing. Nothing notices that; do not let anybody write until it is understood",
    where: [`${CORE}/verdict.ts`],
  },
  "get-metadata": {
    claim: "`developerMetadata.get` gives the value of an id as it was written, and 404 for an id that is not there",
    otherwise: "Anything else settles nothing: the batch is looked for again, and its writes wait in the journal",
    where: ["src/broker/google.ts", `${CORE}/verdict.ts`],
  },
  "search-metadata": {
    claim: "`developerMetadata.search` by key lists all of them, those of the spreadsheet and those of rows",
    otherwise:
      "An answer that can't be read is asked for again, and writes wait; one that leaves some out lets fences and tags of earlier lives stand until they are a day old",
    where: [`${CORE}/open.ts`],
  },
  "absent-metadata": {
    claim: "`deleteDeveloperMetadata` of an id that is not there is no error",
    otherwise: "The batch is refused; what stands is asked for, and it goes again without removals",
    where: [`${CORE}/verdict.ts`],
  },
  "id-range": {
    claim: "A metadata id may be anything from 1 to 2,147,473,648",
    otherwise: "The batch is refused and nothing of ours is there: after three tries the delivery is called `at-least-once`",
    where: [`${CORE}/steps.ts`, `${CORE}/verdict.ts`],
  },
  "metadata-room": {
    claim: "600 fences and 600 tags fit into a spreadsheet beside each other",
    otherwise:
      "Tags that do not fit are left out of the batch and tried again later, so updates wait; if a fence does not fit, all writes wait in the journal until older ones are removed",
    where: [`${CORE}/limits.ts`, `${CORE}/verdict.ts`],
  },
  "append-place": {
    claim:
      "`appendCells` goes below the last row with data in any column, from the tab's first column, whatever cells of the rows above are empty",
    otherwise:
      "The key column of the new row is not where the table's is: the next reading reports rows without a key in `status`, and the row is not among the table's",
    where: [`${CORE}/cells.ts`, "src/broker/snapshots.ts"],
  },
  "append-grows": {
    claim: "`appendCells` adds rows to a tab that is full",
    otherwise: "The batch is refused, and its writes are parked with Google's reason",
    where: [`${CORE}/verdict.ts`],
  },
  "append-text": {
    claim: "A `stringValue` of `appendCells` stays text whatever it begins with (`=`, `+`, `-`, `@`, `'`)",
    otherwise:
      "Nothing could be done at this place: a client's text could become a formula. Do not let strangers write until it is understood",
    where: [`${CORE}/cells.ts`],
  },
  "append-kinds": {
    claim: "Text that looks like a number, a date or TRUE stays text; numbers and booleans come back as they were sent",
    otherwise:
      "The next reading shows the row as Google holds it; keys are compared as text, as numbers and as what is shown, so that updates still find their row",
    where: [`${CORE}/cells.ts`],
  },
  "cell-length": {
    claim: "A cell takes 50,000 characters; one more is a 400, and nothing of the batch is done",
    otherwise: "If less is taken the batch is refused and halved until the one write stands alone, which is parked with the reason",
    where: ["src/sheets/cell.ts", `${CORE}/verdict.ts`],
  },
  "append-speed": {
    claim: "A batch of 500 rows of 8 cells is answered within `DROVER_UPSTREAM_TIMEOUT`",
    otherwise: "The answer counts as lost: the same bytes are sent again, and the fence keeps the rows single",
    where: [`${CORE}/batch.ts`, `${CORE}/limits.ts`],
  },
  "batch-names": {
    claim: "`includeSpreadsheetInResponse` with a field mask gives the titles and ids of the tabs as they are after the batch",
    otherwise: "A tab that is not named is asked for by a read of its own",
    where: [`${CORE}/answer.ts`, `${CORE}/look.ts`],
  },
  "batch-cells": {
    claim:
      "`responseRanges` with `responseIncludeGridData` gives the cells of rows as they are after the batch, with the row that each block begins at",
    otherwise: "A key cell that is not seen counts as another row's: the tag is dropped, the key looked for again, and the update waits",
    where: [`${CORE}/answer.ts`, `${CORE}/pins.ts`],
  },
  "renamed-tab": {
    claim: "A tab keeps its id when it is renamed, and takes rows by it",
    otherwise: "The batch is refused, the tabs are asked for anew, and the rows wait until the table's tab is back",
    where: [`${CORE}/look.ts`, `${CORE}/verdict.ts`],
  },
  "tag-sorts": {
    claim: "Metadata of a row follows it through `sortRange`",
    otherwise:
      "The update's own answer shows the key of the row it went to: another key is counted (`astray`), said, and the update sent to the right row. Within 60 s after a row was pinned a sort would be the window",
    where: [`${CORE}/rows.ts`],
  },
  "tag-shifts": {
    claim: "It follows when rows above are inserted or deleted, and when the row is dragged",
    otherwise: "As for a sort",
    where: [`${CORE}/rows.ts`],
  },
  "tag-goes": {
    claim: "It goes with its row when that is deleted",
    otherwise: "The update's answer shows a row without the key: it is counted, the tag dropped, and the key looked for",
    where: [`${CORE}/rows.ts`],
  },
  "tag-stays": {
    claim: "It stays in its place when the row's cells are cut and pasted elsewhere",
    otherwise: "It would follow the cells: that is better, and needs nothing",
    where: [`${CORE}/rows.ts`],
  },
  "tag-by-hand": {
    claim: "It follows its row when a person sorts the tab in the browser",
    otherwise: "As for `sortRange`",
    where: [`${CORE}/rows.ts`],
    asks: "byHand",
  },
  "guard-moves": {
    claim: "Metadata of a column follows it when a column is inserted, dragged or deleted beside it, and goes with it when it is deleted",
    otherwise:
      "Rows that are added while columns are moved may land under wrong headers: the batch's answer shows the header row, and they are counted (`astray`) and logged",
    where: [`${CORE}/guards.ts`],
  },
  "guard-place": {
    claim:
      "`deleteDeveloperMetadata` by an id and a location removes it only there, and the same batch may create it again: so a batch fails when a column has moved",
    otherwise:
      "If it is refused, rows go without guards for a minute at a time; if the location is ignored, a moved column is only seen in the batch's answer",
    where: [`${CORE}/guards.ts`],
  },
  "filter-header": {
    claim: "A `gridRange` with the value null writes nothing, and the answer shows its whole row beside the rows that were written",
    otherwise:
      "If it is refused, changes go without a look at the header row; if it is not shown, values that were written while a column was moved are not put back",
    where: [`${CORE}/rows.ts`, `${CORE}/answer.ts`],
  },
  "filter-writes": {
    claim:
      "`values:batchUpdateByDataFilter` by a metadata's id writes to its row as it stands at that moment; null leaves a cell, the empty text empties it",
    otherwise: "The answer shows another key: counted, said, sent again to the right row",
    where: [`${CORE}/rows.ts`],
  },
  "filter-shows": {
    claim: "Its answer names each id, and shows that row from the first column on, with the cells that were left as they are",
    otherwise:
      "A row whose key is not shown counts as not found: its key is looked for and the update repeated, so that it stays unlanded rather than unsure",
    where: [`${CORE}/answer.ts`, `${CORE}/rows.ts`],
  },
  "filter-text": {
    claim: "With RAW, text stays text there too, whatever it begins with or looks like",
    otherwise:
      "Nothing could be done at this place: a client's text could become a formula. Do not let strangers write until it is understood",
    where: [`${CORE}/rows.ts`],
  },
  "filter-absent": {
    claim: "An id that is not there finds no row and is no error: the others are written, and it is not in the answer",
    otherwise:
      "If it is an error, the rows are halved and each is looked up and pinned anew before it is blamed. If it would write elsewhere, a value that lands late could go over a newer one",
    where: [`${CORE}/rows.ts`],
  },
  "longest-work": {
    claim: "No request takes effect later than 180 s after it was sent",
    otherwise: "A fence stands for 8 minutes; what lands after that could be there twice",
    where: [`${CORE}/limits.ts`],
    asks: "never",
  },
  "read-cells": {
    claim: "UNFORMATTED_VALUE with FORMATTED_STRING gives numbers as numbers, texts as texts, and dates as the text that people see",
    otherwise: "What does not fit the type that the tables file gives a column is served as empty, and counted in `status`",
    where: ["src/sheets/rows.ts"],
    recorded: "`values.get`",
  },
  "read-booleans": {
    claim: "The same gives booleans as booleans",
    otherwise: "They are read as the texts that people see, TRUE and FALSE; a column of type boolean understands those",
    where: ["src/sheets/rows.ts"],
  },
  "read-trimmed": {
    claim:
      'Empty cells at a row\'s end and empty rows at the end are left out, those between are `""` and `[]`, and an empty range has no `values`',
    otherwise: "Empty text is an empty cell and an absent one too, wherever it stands",
    where: ["src/sheets/rows.ts"],
    recorded: "`values.get`",
  },
  "read-own": {
    claim: "A reading that is asked for after a write was answered shows it",
    otherwise: "A row that has landed could be missing from one reading, and be back with the next",
    where: ["src/broker/written.ts"],
    recorded: "`values.update`, then `values.get`",
  },
  "no-validators": {
    claim: "Answers carry no ETag and no Last-Modified: there is no conditional reading",
    otherwise: "Nothing is lost; a refresh could be made cheaper",
    where: ["src/broker/refresher.ts"],
    recorded: "all methods",
  },
  gzip: {
    claim: "Answers are compressed when the request accepts gzip",
    otherwise: "Answers are larger; those over 32 MB are read in halves",
    where: ["src/broker/connection.ts", "src/broker/refresher.ts"],
  },
  masks: {
    claim: "`fields` and `prettyPrint=false` leave out what is not asked for",
    otherwise: "More bytes; what is not asked for is not looked at",
    where: ["src/broker/google.ts"],
  },
  "no-range": {
    claim: "A `values:batchGet` with one range that is not there is a 400 that names it (`Unable to parse range: …`)",
    otherwise:
      "The table can't be told from the others: none of those in the same call is refreshed, all are served as they were, and `status` says why",
    where: ["src/broker/answers.ts", "src/broker/refresher.ts"],
  },
  unseen: {
    claim: "A spreadsheet that the account may not see is 403 or 404",
    otherwise: "It is asked for again as after a failure, without naming the account that it should be shared with",
    where: ["src/broker/answers.ts"],
    recorded: "`spreadsheets.get`: 403",
  },
  "one-call": {
    claim: "A `values:batchGet` of several ranges counts as one call",
    otherwise: "Google answers 429 earlier than the ledger expects: it closes, and rows are served stale",
    where: ["src/broker/quota.ts"],
    asks: "exhaust",
  },
  "quota-answer": {
    claim: "A used-up quota is a 429 without `Retry-After` whose body names the limit",
    otherwise: "Any 429 closes the ledger, by default for 61 s",
    where: ["src/broker/answers.ts"],
    asks: "exhaust",
  },
  "quota-window": {
    claim: "`window_start_time`, if the 429 has one, is in seconds since 1970 and within the last minute",
    otherwise: "A time that makes no sense is left aside: 61 s",
    where: ["src/broker/answers.ts"],
    asks: "exhaust",
  },
  "quota-apart": {
    claim: "Writes are answered while the reads are used up",
    otherwise: "Writes get 429 too and wait in the journal until their own ledger opens",
    where: ["src/broker/quota.ts"],
    asks: "exhaust",
  },
  "quota-readback": {
    claim: "What a write reads back (`responseRanges`) costs no read",
    otherwise: "As before: the write waits",
    where: ["src/broker/quota.ts"],
    asks: "exhaust",
  },
  "quota-ends": {
    claim: "61 s after its first 429 the quota is open again",
    otherwise: "The next 429 closes the ledger once more",
    where: ["src/broker/quota.ts"],
    asks: "exhaust",
  },
} as const satisfies Readonly<Record<string, Assumption>>;

export type AssumptionId = keyof typeof ASSUMPTIONS;

export const ASSUMPTION_IDS = Object.keys(ASSUMPTIONS) as readonly AssumptionId[];

/** What was found out about one of them. */
export type Finding =
  | { readonly is: "confirmed" | "falsified"; readonly saw: string }
  /** Could not be tested. */
  | { readonly is: "untested"; readonly saw: string };

export type Findings = Readonly<Record<AssumptionId, Finding>>;
