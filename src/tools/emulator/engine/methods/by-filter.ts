/** values.batch…ByDataFilter, and developerMetadata.get and search. */
import { atomically, type Book } from "../book.ts";
import { metadataOf, targetsOf } from "../data-filter.ts";
import { notFound } from "../errors.ts";
import { type JsonObject, objectAt, objectsAt, stringAt } from "../json.ts";
import { clip, type Target } from "../ranges.ts";
import { majorDimension, valueRange } from "../read-values.ts";
import { renderOptions } from "../render.ts";
import { entriesOf, inputOption } from "../write-values.ts";
import { bookOf, type Method } from "./method.ts";
import { bodyEcho, clearRange, writeAll } from "./values.ts";

/** Filters that select the same range give it once, with all of them named. */
function matched(
  book: Book,
  filters: readonly JsonObject[],
): { readonly target: Target; readonly dataFilters: readonly JsonObject[] }[] {
  const found = new Map<string, { target: Target; dataFilters: JsonObject[] }>();
  for (const filter of filters)
    for (const target of targetsOf(book, filter)) {
      const key = JSON.stringify([target.sheet.state.id, target.area]);
      const known = found.get(key);
      if (known === undefined) found.set(key, { target, dataFilters: [filter] });
      else known.dataFilters.push(filter);
    }
  return [...found.values()];
}

const batchGet: Method = {
  mutates: false,
  answers: "BatchGetValuesByDataFilterResponse",
  run(call) {
    const book = bookOf(call);
    const { body } = call;
    const options = {
      ...renderOptions(stringAt(body, "valueRenderOption"), stringAt(body, "dateTimeRenderOption")),
      major: majorDimension(stringAt(body, "majorDimension")),
    };
    const valueRanges = matched(book, objectsAt(body, "dataFilters")).map(
      ({ target, dataFilters }) => ({
        valueRange: valueRange(target.sheet, clip(target), options),
        dataFilters,
      }),
    );
    return { spreadsheetId: book.id, ...(valueRanges.length === 0 ? {} : { valueRanges }) };
  },
};

const batchUpdate: Method = {
  mutates: true,
  answers: "BatchUpdateValuesByDataFilterResponse",
  run(call) {
    const data = objectsAt(call.body, "data");
    const entries = data.map((part, i) => entriesOf(part, `data[${i}]`));
    const book = bookOf(call);
    const option = inputOption(stringAt(call.body, "valueInputOption"));
    const parts = data.flatMap((part, i) => {
      const dataFilter = objectAt(part, "dataFilter");
      return targetsOf(book, dataFilter).map((target) => ({
        target,
        entries: entries[i] ?? [],
        echo: bodyEcho(call.body, part),
        dataFilter,
      }));
    });
    const { responses, totals } = writeAll(call, book, parts, option);
    const answers = responses.map(({ spreadsheetId: _id, ...response }, i) => ({
      ...response,
      dataFilter: parts[i]?.dataFilter ?? {},
    }));
    return {
      spreadsheetId: book.id,
      ...totals,
      ...(answers.length === 0 ? {} : { responses: answers }),
    };
  },
};

const batchClear: Method = {
  mutates: true,
  answers: "BatchClearValuesByDataFilterResponse",
  run(call) {
    const book = bookOf(call);
    const targets = matched(book, objectsAt(call.body, "dataFilters")).map(({ target }) => target);
    const clearedRanges = atomically(book, call.library.ids, () => targets.map(clearRange));
    return { spreadsheetId: book.id, ...(clearedRanges.length === 0 ? {} : { clearedRanges }) };
  },
};

const getMetadata: Method = {
  mutates: false,
  answers: "DeveloperMetadata",
  run(call) {
    const id = Number(call.path["metadataId"]);
    const found = bookOf(call).state.metadata.find((m) => m["metadataId"] === id);
    if (found === undefined)
      throw notFound(`No developer metadata with ID ${call.path["metadataId"] ?? ""}.`);
    return found;
  },
};

const searchMetadata: Method = {
  mutates: false,
  answers: "SearchDeveloperMetadataResponse",
  run(call) {
    const book = bookOf(call);
    const filters = objectsAt(call.body, "dataFilters").map((filter) => ({
      filter,
      hits: new Set(metadataOf(book, filter)),
    }));
    const matchedDeveloperMetadata = book.state.metadata.flatMap((developerMetadata) => {
      const dataFilters = filters
        .filter(({ hits }) => hits.has(developerMetadata))
        .map(({ filter }) => filter);
      return dataFilters.length === 0 ? [] : [{ developerMetadata, dataFilters }];
    });
    return matchedDeveloperMetadata.length === 0 ? {} : { matchedDeveloperMetadata };
  },
};

export const FILTER_METHODS: Readonly<Record<string, Method>> = {
  "sheets.spreadsheets.values.batchGetByDataFilter": batchGet,
  "sheets.spreadsheets.values.batchUpdateByDataFilter": batchUpdate,
  "sheets.spreadsheets.values.batchClearByDataFilter": batchClear,
  "sheets.spreadsheets.developerMetadata.get": getMetadata,
  "sheets.spreadsheets.developerMetadata.search": searchMetadata,
};
