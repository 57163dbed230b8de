/** A second sheet like a first: cells, sizes, and the metadata of its rows and columns. */
import { type Book, checkSize, type Sheet, sheetById, sheetByTitle } from "./book.ts";
import { invalid } from "./errors.ts";
import { type Ids, smallId } from "./ids.ts";
import { type Json, type JsonObject, isObject } from "./json.ts";

/** A title that no sheet of the book has: the wanted one, or with the first free number after it. */
export function freeTitle(book: Book, wanted: string): string {
  if (sheetByTitle(book, wanted) === undefined) return wanted;
  for (let n = 1; ; n++) if (sheetByTitle(book, `${wanted} ${n}`) === undefined) return `${wanted} ${n}`;
}

interface Copying {
  readonly from: Book;
  readonly to: Book;
  readonly ids: Ids;
}

export interface Placing {
  readonly title: string;
  readonly index: number;
  readonly id?: number | undefined;
}

export function copySheet({ from, to, ids }: Copying, source: Sheet, { title, index, id }: Placing): Sheet {
  const { state } = source;
  checkSize(to, undefined, state.rowCount, state.columnCount);
  const newId = id ?? smallId(ids, (n) => sheetById(to, n) !== undefined);
  const copy: Sheet = {
    grid: source.grid.copy(),
    state: {
      ...state,
      id: newId,
      title,
      hidden: false,
    },
  };
  to.sheets = to.sheets.toSpliced(index, 0, copy);
  copyMetadata({ from, to, ids }, state.id, newId);
  return copy;
}

function copyMetadata({ from, to, ids }: Copying, oldId: number, newId: number): void {
  const tied = from.state.metadata.filter((m) => JSON.stringify(onSheet(m, oldId, -1)) !== JSON.stringify(m));
  for (const metadata of tied) {
    const metadataId = smallId(ids, (n) => to.state.metadata.some((m) => m["metadataId"] === n));
    to.state = { ...to.state, metadata: [...to.state.metadata, { ...onSheet(metadata, oldId, newId), metadataId }] };
  }
}

const RANGES = new Set(["dimensionRange"]);

/** The same with every range and location that means the old sheet meaning the new one. */
function onSheet(value: JsonObject, oldId: number, newId: number): JsonObject {
  const visit = (key: string, inner: Json): Json => {
    if (Array.isArray(inner)) return inner.map((item: Json) => visit(key, item));
    if (!isObject(inner)) return inner;
    const own = RANGES.has(key) || (key === "location" && inner["locationType"] === "SHEET");
    const next = Object.fromEntries(Object.entries(inner).map(([k, v]) => [k, visit(k, v ?? null)]));
    return own && (inner["sheetId"] ?? 0) === oldId ? { sheetId: newId, ...next, ...("sheetId" in inner ? { sheetId: newId } : {}) } : next;
  };
  return visit("", value) as JsonObject;
}

/** @throws Refusal for a title that a sheet can't have */
export function checkTitle(book: Book, title: string, own?: Sheet): string {
  if (title.trim() === "") throw invalid("The sheet name cannot be empty.");
  if (title.length > 100) throw invalid("The sheet name cannot be greater than 100 characters.");
  const other = sheetByTitle(book, title);
  if (other !== undefined && other !== own) throw invalid(`A sheet with the name "${title}" already exists. Please enter another name.`);
  return title;
}
