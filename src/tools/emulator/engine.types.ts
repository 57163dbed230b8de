/** What passes between the emulator's HTTP side and its engine: the API by method name, without transport. */

/** A call of one API method. `method` is the discovery document's id: "sheets.spreadsheets.values.get". */
export interface EngineCall {
  readonly method: string;
  /** Path parameters, decoded: spreadsheetId, range, sheetId … */
  readonly path: Readonly<Record<string, string>>;
  /** Query parameters; repeated ones in order. */
  readonly query: Readonly<Record<string, readonly string[]>>;
  readonly body: unknown;
}

/** Google's answer: the JSON body of a success, or the error envelope `{error:{code,message,status,details?}}`. */
export interface EngineAnswer {
  readonly status: number;
  readonly body: unknown;
  /** The call changed something: the HTTP side commits the call to disk before it answers. */
  readonly mutated: boolean;
}

/**
 * Spreadsheets in memory. Deterministic: the same calls in the same order, from the same dump, give the same state and
 * answers; ids it must invent come from a counter in its own state. So a log of the mutating calls is the state.
 */
export interface Engine {
  call(call: EngineCall): EngineAnswer;
  /** The whole state as JSON-safe data. */
  dump(): unknown;
  /** Creates a spreadsheet with a given id and tabs of plain rows (CSV import): values are stored as typed. */
  seed(
    spreadsheetId: string,
    title: string,
    tabs: readonly {
      readonly title: string;
      readonly rows: readonly (readonly (string | number | boolean)[])[];
    }[],
  ): void;
}
