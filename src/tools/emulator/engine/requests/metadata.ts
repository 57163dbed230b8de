/** Developer metadata in a batch: what fences a write, since a second create of an id takes the whole batch down. */
import { metadataOf } from "../data-filter.ts";
import { invalid } from "../errors.ts";
import { objectAt, optionalObject } from "../json.ts";
import { createMetadata } from "../metadata.ts";
import type { Handlers } from "./request.ts";

export const METADATA_HANDLERS: Handlers = {
  createDeveloperMetadata({ book, ids }, request) {
    return { developerMetadata: createMetadata(book, ids, objectAt(request, "developerMetadata")) };
  },

  deleteDeveloperMetadata({ book }, request) {
    const filter = optionalObject(request, "dataFilter");
    if (filter === undefined) throw invalid("Must specify dataFilter.");
    const found = metadataOf(book, filter);
    const gone = new Set(found);
    book.state = { ...book.state, metadata: book.state.metadata.filter((m) => !gone.has(m)) };
    return found.length === 0 ? {} : { deletedDeveloperMetadata: found };
  },
};
