/** Which probe tests which assumption. One without a probe does not compile. */
import {
  appendGrows,
  appendKinds,
  appendPlace,
  appendSpeed,
  appendText,
  batchCells,
  batchNames,
  cellLength,
  renamedTab,
} from "./appends.ts";
import type { AssumptionId, Finding } from "./assumptions.ts";
import { Untested, type Bench } from "./bench.ts";
import { filterHeader, guardMoves, guardPlace } from "./columns.ts";
import { absentMetadata, getMetadata, idRange, metadataRoom, refusedWhole, searchMetadata, takenId, wholeBatch } from "./fences.ts";
import { oneCall, quotaAnswer, quotaApart, quotaEnds, quotaReadback, quotaWindow } from "./quotas.ts";
import { gzip, masks, noRange, noValidators, readBooleans, readCells, readOwn, readTrimmed, unseen } from "./reads.ts";
import { filterAbsent, filterShows, filterText, filterWrites, tagByHand, tagGoes, tagShifts, tagSorts, tagStays } from "./tags.ts";

/** @throws Untested when something kept it from finding out. */
export type Probe = (bench: Bench) => Promise<Finding>;

const cannot: Probe = () => Promise.reject(new Untested("no program can find out: a request that takes so long can't be made at will"));

export const PROBES: Readonly<Record<AssumptionId, Probe>> = {
  "taken-id": takenId,
  "whole-batch": wholeBatch,
  "refused-whole": refusedWhole,
  "get-metadata": getMetadata,
  "search-metadata": searchMetadata,
  "absent-metadata": absentMetadata,
  "id-range": idRange,
  "metadata-room": metadataRoom,
  "append-place": appendPlace,
  "append-grows": appendGrows,
  "append-text": appendText,
  "append-kinds": appendKinds,
  "cell-length": cellLength,
  "append-speed": appendSpeed,
  "batch-names": batchNames,
  "batch-cells": batchCells,
  "renamed-tab": renamedTab,
  "tag-sorts": tagSorts,
  "tag-shifts": tagShifts,
  "tag-goes": tagGoes,
  "tag-stays": tagStays,
  "tag-by-hand": tagByHand,
  "guard-moves": guardMoves,
  "guard-place": guardPlace,
  "filter-header": filterHeader,
  "filter-writes": filterWrites,
  "filter-shows": filterShows,
  "filter-text": filterText,
  "filter-absent": filterAbsent,
  "longest-work": cannot,
  "read-cells": readCells,
  "read-booleans": readBooleans,
  "read-trimmed": readTrimmed,
  "read-own": readOwn,
  "no-validators": noValidators,
  gzip,
  masks,
  "no-range": noRange,
  unseen,
  "one-call": oneCall,
  "quota-answer": quotaAnswer,
  "quota-window": quotaWindow,
  "quota-apart": quotaApart,
  "quota-readback": quotaReadback,
  "quota-ends": quotaEnds,
};
