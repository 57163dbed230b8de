/** What passes between the emulator's HTTP side and its engine: the API by method name, without transport. */

/** A call of one API method, as it was sent: the engine validates it. */
export interface EngineCall {
  /** The discovery document's id: "sheets.spreadsheets.values.get". */
  readonly method: string;
  /** Path parameters, decoded: spreadsheetId, range, metadataId. */
  readonly path: Readonly<Record<string, string>>;
  /** Query parameters; repeated ones in order. */
  readonly query: Readonly<Record<string, readonly string[]>>;
  /** Parsed JSON. */
  readonly body: unknown;
}

/** Google's answer: the JSON body of a success, or the error envelope `{error:{code,message,status,details?}}`. */
export interface EngineAnswer {
  readonly status: number;
  readonly body: unknown;
  /** The call made a new state: it must be on disk before the call is answered. */
  readonly mutated: boolean;
}

/**
 * Spreadsheets in memory. Deterministic: the same calls in the same order, from the same dump, give the same state and
 * answers.
 */
export interface Engine {
  /** An exception is a bug; the state is then as it was before the call. */
  call(call: EngineCall): EngineAnswer;
  /** The whole state as JSON-safe data. It is immutable: a later call does not change it. */
  dump(): unknown;
  /** Creates a spreadsheet with a given id and tabs of plain rows (CSV import): values are stored as they are. */
  seed(
    spreadsheetId: string,
    title: string,
    tabs: readonly {
      readonly title: string;
      readonly rows: readonly (readonly (string | number | boolean)[])[];
    }[],
  ): void;
}
