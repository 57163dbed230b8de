/** An engine with one spreadsheet, and the API's methods as short calls on it; every answer is held against the API's tables. */
import assert from "node:assert/strict";
import { createEngine } from "../../../../src/tools/emulator/engine/engine.ts";
import type {
  Engine,
  EngineAnswer,
  EngineCall,
} from "../../../../src/tools/emulator/engine.types.ts";
import { strange } from "../response.ts";

type Query = Readonly<Record<string, string | readonly string[]>>;
export type Body = Record<string, unknown>;

export interface Client {
  readonly engine: Engine;
  readonly id: string;
  call(
    method: string,
    parts?: { path?: Record<string, string>; query?: Query; body?: unknown },
  ): EngineAnswer;
  get(range: string, query?: Query): Body;
  values(range: string, query?: Query): unknown;
  put(range: string, values: unknown, query?: Query): EngineAnswer;
  append(range: string, values: unknown, query?: Query): EngineAnswer;
  batch(...requests: object[]): EngineAnswer;
  book(query?: Query): Body;
}

/** The body of a success. @throws Error naming what the API answered instead */
export function ok(answer: EngineAnswer): Body {
  if (answer.status !== 200) throw new Error(`expected 200, got ${JSON.stringify(answer)}`);
  return answer.body as Body;
}

/** The message of a refusal. */
export function refusal(answer: EngineAnswer): string {
  const { error } = answer.body as { error?: { message: string } };
  return error === undefined ? `no refusal: ${JSON.stringify(answer.body)}` : error.message;
}

function checked(engine: Engine, call: EngineCall): EngineAnswer {
  const answer = engine.call(call);
  assert.deepEqual(
    strange(call.method, answer),
    [],
    `${call.method} answers what the API's tables don't know`,
  );
  return answer;
}

export function client(engine: Engine = createEngine(), known?: string): Client {
  const create = (): string =>
    ok(engine.call({ method: "sheets.spreadsheets.create", path: {}, query: {}, body: {} }))[
      "spreadsheetId"
    ] as string;
  const id = known ?? create();
  const lists = (query: Query): Record<string, string[]> =>
    Object.fromEntries(
      Object.entries(query).map(([k, v]) => [k, typeof v === "string" ? [v] : [...v]]),
    );
  const call: Client["call"] = (method, { path = {}, query = {}, body } = {}) =>
    checked(engine, {
      method: `sheets.spreadsheets.${method}`,
      path: { spreadsheetId: id, ...path },
      query: lists(query),
      body,
    });
  const get: Client["get"] = (range, query = {}) =>
    ok(call("values.get", { path: { range }, query }));
  return {
    engine,
    id,
    call,
    get,
    values: (range, query) => get(range, query)["values"],
    put: (range, values, query = {}) =>
      call("values.update", {
        path: { range },
        query: { valueInputOption: "USER_ENTERED", ...query },
        body: { values },
      }),
    append: (range, values, query = {}) =>
      call("values.append", {
        path: { range },
        query: { valueInputOption: "RAW", ...query },
        body: { values },
      }),
    batch: (...requests) => call("batchUpdate", { body: { requests } }),
    book: (query = {}) => ok(call("get", { query })),
  };
}
