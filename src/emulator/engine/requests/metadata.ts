/** Developer metadata in a batch: what fences a write, since a second create of an id takes the whole batch down. */
import { metadataOf } from "../data-filter.ts";
import { parseUpdateMask, update } from "../fieldmask.ts";
import { invalid } from "../errors.ts";
import { type JsonObject, objectAt, objectsAt, optionalObject, present, stringAt } from "../json.ts";
import { createMetadata, location } from "../metadata.ts";
import type { Handlers } from "./request.ts";

export const METADATA_HANDLERS: Handlers = {
  createDeveloperMetadata({ book, ids }, request) {
    return { developerMetadata: createMetadata(book, ids, objectAt(request, "developerMetadata")) };
  },

  updateDeveloperMetadata({ book }, request) {
    const mask = parseUpdateMask(stringAt(request, "fields"), "DeveloperMetadata");
    if (mask.has("metadataId")) throw invalid("The metadataId of developer metadata can't be updated.");
    const sent = present(objectAt(request, "developerMetadata"));
    const place = optionalObject(sent, "location");
    const source = place === undefined ? sent : { ...sent, location: location(book, place) };
    const found = new Set(objectsAt(request, "dataFilters").flatMap((filter) => metadataOf(book, filter)));
    const changed = new Map<JsonObject, JsonObject>();
    for (const old of found)
      changed.set(old, { ...old, ...update(mask.size === 0 ? {} : old, source, mask), metadataId: old["metadataId"] });
    book.state = { ...book.state, metadata: book.state.metadata.map((m) => changed.get(m) ?? m) };
    return changed.size === 0 ? {} : { developerMetadata: [...changed.values()] };
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
