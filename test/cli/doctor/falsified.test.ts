/** An API that is otherwise in one thing is found out: doctor says so of that assumption, and leaves nothing behind. */
import assert from "node:assert/strict";
import test from "node:test";
import { systemClock, type Clock } from "../../../src/base/clock.ts";
import { after, later, ms, type Ms } from "../../../src/base/units.ts";
import { ASSUMPTION_IDS, ASSUMPTIONS, type Assumption, type AssumptionId } from "../../../src/cli/doctor/sheets/assumptions.ts";
import { emulated, examined, ports, proxied, ID, PLAIN, type Answered, type Call, type Otherwise } from "./world.ts";

type Any = any; // oxlint-disable-line typescript/no-explicit-any -- bodies of every method
const error = (status: number, message: string): Answered => ({
  status,
  body: { error: { code: status, message, status: "INVALID_ARGUMENT" } },
});

const isBatch = ({ url }: Call): boolean => url.pathname.endsWith(":batchUpdate") && !url.pathname.includes("/values");
const isTagged = ({ url }: Call): boolean => url.pathname.endsWith("/values:batchUpdateByDataFilter");
const isRead = ({ url }: Call): boolean => url.pathname.endsWith("/values:batchGet");
const isGet = ({ url }: Call): boolean => /\/developerMetadata\/\d+$/.test(url.pathname);
const has = (call: Call, kind: string): boolean => isBatch(call) && call.body.requests.some((request: Any) => kind in request);

/** The answers of some calls, changed. */
const changed =
  (which: (call: Call) => boolean, change: (answer: Answered, call: Call) => Answered | Promise<Answered>): Otherwise =>
  (call) =>
    which(call) ? call.forward().then((answer) => change(answer, call)) : undefined;

/** The requests of batches, changed. */
const rewritten =
  (kind: string, change: (request: Any) => Any[]): Otherwise =>
  (call) =>
    has(call, kind)
      ? call.forward({
          ...call.body,
          requests: call.body.requests.flatMap((request: Any) => (kind in request ? change(request) : [request])),
        })
      : undefined;

const isTaken = ({ status, body }: Answered): boolean => status === 400 && String(body.error.message).includes("already exists");
const without = (call: Call, kind: string): Any => ({
  ...call.body,
  requests: call.body.requests.filter((request: Any) => !(kind in request)),
});
const typed = (cell: Any): Any => {
  const text = cell.userEnteredValue?.stringValue;
  return typeof text === "string" && /^=\d/.test(text) ? { userEnteredValue: { formulaValue: text } } : cell;
};
const rowsOf = (request: Any, change: (cells: Any[]) => Any[]): Any => ({
  appendCells: { ...request.appendCells, rows: request.appendCells.rows.map(({ values = [] }: Any) => ({ values: change(values) })) },
});

/** Metadata that stays on the row's number: what moved it has put it elsewhere, so the answer tells the old place. */
const stuck = changed(isGet, ({ status, body }) => ({
  status,
  body:
    body.location?.dimensionRange === undefined
      ? body
      : { ...body, location: { ...body.location, dimensionRange: { ...body.location.dimensionRange, startIndex: 2 } } },
}));

const OTHERWISE: { readonly [K in AssumptionId]?: Otherwise } = {
  // The same id is taken twice.
  "taken-id": changed(isBatch, (answer, call) => {
    if (!isTaken(answer)) return answer;
    const rest = without(call, "createDeveloperMetadata");
    return rest.requests.length === 0 ? { status: 200, body: { spreadsheetId: ID, replies: [{}] } } : call.forward(rest);
  }),
  // What stands beside the refused request is done.
  "whole-batch": changed(isBatch, async (answer, call) => {
    if (isTaken(answer)) await call.forward(without(call, "createDeveloperMetadata"));
    return answer;
  }),
  // A batch is done up to its refused request.
  "refused-whole": changed(isBatch, async (answer, call) => {
    if (answer.status === 400) await call.forward({ requests: call.body.requests.slice(0, -1) });
    return answer;
  }),
  "get-metadata": changed(isGet, (answer) => (answer.status === 404 ? { status: 200, body: {} } : answer)),
  "search-metadata": changed(
    ({ url }) => url.pathname.endsWith("developerMetadata:search"),
    ({ status, body }) => ({
      status,
      body: {
        matchedDeveloperMetadata: (body.matchedDeveloperMetadata ?? []).filter(
          (found: Any) => found.developerMetadata.location.dimensionRange === undefined,
        ),
      },
    }),
  ),
  "absent-metadata": changed(
    (call) => has(call, "deleteDeveloperMetadata"),
    (answer, call) => (call.body.requests.length === 2 ? error(400, "No developer metadata with that ID") : answer),
  ),
  "id-range": (call) =>
    has(call, "createDeveloperMetadata") &&
    call.body.requests.some((r: Any) => r.createDeveloperMetadata?.developerMetadata.metadataId > 2 ** 31 - 20_000)
      ? Promise.resolve(error(400, "metadataId is out of range"))
      : undefined,
  "metadata-room": (call) =>
    isBatch(call) && call.body.requests.length > 500 ? Promise.resolve(error(400, "would exceed the allowed storage limit")) : undefined,
  // Like values.append: it finds a table, and begins where that begins.
  "append-place": rewritten("appendCells", (r) => [
    rowsOf(r, (cells) => (Object.keys(cells[0] ?? {}).length === 0 ? cells.slice(2) : cells)),
  ]),
  "append-grows": (call) => (has(call, "appendCells") ? Promise.resolve(error(400, "the grid is full")) : undefined),
  "append-text": rewritten("appendCells", (r) => [rowsOf(r, (cells) => cells.map(typed))]),
  "append-kinds": rewritten("appendCells", (r) => [
    rowsOf(r, (cells) =>
      cells.map((cell) => (cell.userEnteredValue?.stringValue === "007" ? { userEnteredValue: { numberValue: 7 } } : cell)),
    ),
  ]),
  "cell-length": changed(isBatch, (answer, call) =>
    answer.status === 400 ? call.forward({ ...call.body, requests: call.body.requests.slice(0, 1) }) : answer,
  ),
  "append-speed": (call) =>
    isBatch(call) && call.body.requests[1]?.appendCells?.rows.length === 500 ? Promise.resolve(error(413, "Request too large")) : undefined,
  "batch-names": changed(
    (call) => call.body.includeSpreadsheetInResponse === true,
    ({ status, body: { spreadsheetId } }) => ({ status, body: { spreadsheetId } }),
  ),
  // Cells as they were before the batch: none of the rows that follow a given start.
  "batch-cells": changed(
    (call) => call.body.responseIncludeGridData === true,
    ({ status, body }) => ({
      status,
      body: {
        ...body,
        updatedSpreadsheet: {
          sheets: body.updatedSpreadsheet.sheets.map(({ properties, data = [] }: Any) => ({
            properties,
            data: data.map(({ rowData }: Any) => ({ rowData })),
          })),
        },
      },
    }),
  ),
  "renamed-tab": (call) => (has(call, "appendCells") ? Promise.resolve(error(400, "No grid with id: 1")) : undefined),
  "tag-sorts": stuck,
  "tag-shifts": stuck,
  "tag-goes": changed(isGet, ({ status, body }) =>
    status === 404 ? { status: 200, body: { location: { dimensionRange: { startIndex: 2 } } } } : { status, body },
  ),
  "tag-stays": changed(isGet, ({ status, body }) => ({ status, body: { ...body, location: { dimensionRange: { startIndex: 9 } } } })),
  "guard-moves": changed(isGet, ({ status, body }) => ({ status, body: { ...body, location: { dimensionRange: { startIndex: 1 } } } })),
  // The location is ignored.
  "guard-place": rewritten("deleteDeveloperMetadata", ({ deleteDeveloperMetadata: { dataFilter } }) => {
    const { metadataId } = dataFilter.developerMetadataLookup;
    return [{ deleteDeveloperMetadata: { dataFilter: { developerMetadataLookup: { metadataId } } } }];
  }),
  "filter-header": changed(isTagged, ({ status, body }) => ({
    status,
    body: { ...body, responses: body.responses.filter(({ dataFilter }: Any) => dataFilter.gridRange === undefined) },
  })),
  // By the row's old number: the tags are taken for the third row's.
  "filter-writes": (call) =>
    isTagged(call)
      ? call.forward({
          ...call.body,
          data: call.body.data.map(({ values }: Any) => ({ dataFilter: { a1Range: `${lastTab}!A3:C3` }, majorDimension: "ROWS", values })),
        })
      : remembered(call),
  // Only the cells that were written are shown.
  "filter-shows": changed(isTagged, ({ status, body }, call) => ({
    status,
    body: {
      ...body,
      responses: body.responses.map((response: Any, i: number) => ({
        ...response,
        updatedData: { values: [call.body.data[i].values[0].filter((cell: Any) => cell !== null)] },
      })),
    },
  })),
  "filter-text": (call) => (isTagged(call) ? call.forward({ ...call.body, valueInputOption: "USER_ENTERED" }) : undefined),
  "filter-absent": changed(isTagged, (answer, call) =>
    (answer.body.responses ?? []).length < call.body.data.length ? error(400, "No metadata found") : answer,
  ),
  "read-cells": (call) => (isRead(call) ? call.forward(undefined, { dateTimeRenderOption: "SERIAL_NUMBER" }) : undefined),
  "read-booleans": (call) => (isRead(call) ? call.forward(undefined, { valueRenderOption: "FORMATTED_VALUE" }) : undefined),
  "read-trimmed": changed(isRead, ({ status, body }) => ({
    status,
    body: { valueRanges: body.valueRanges.map((range: Any) => ({ values: [], ...range })) },
  })),
  // A reading that is one write behind.
  "read-own": changed(isRead, ({ status, body }) => ({
    status,
    body: { valueRanges: body.valueRanges.map(({ values = [] }: Any) => ({ values: values.slice(0, -1) })) },
  })),
  "no-validators": changed(isRead, (answer) => ({ ...answer, headers: { etag: '"x"' } })),
  gzip: changed(isRead, (answer) => answer), // what stands between does not compress
  masks: (call) =>
    isRead(call)
      ? call.forward(undefined, { fields: undefined }).then(({ status, body }) => ({ status, body: { ...body, spreadsheetId: ID } }))
      : undefined,
  "no-range": changed(isRead, (answer) => (answer.status === 400 ? error(400, "Request contains an invalid argument.") : answer)),
  unseen: changed(
    ({ url }) => !url.pathname.includes(ID),
    () => error(400, "Request contains an invalid argument."),
  ),
};

/** The tab that was added last, for what goes by places. */
let lastTab = "";
function remembered(call: Call): undefined {
  const added = isBatch(call) ? call.body.requests.find((request: Any) => "addSheet" in request) : undefined;
  lastTab = added?.addSheet.properties.title ?? lastTab;
}

const asked = ASSUMPTION_IDS.filter((id) => (ASSUMPTIONS[id] as Assumption).asks === undefined);

test("each assumption is found false where it is", async (t) => {
  assert.deepEqual(Object.keys(OTHERWISE).toSorted(), asked.toSorted());
  const world = await emulated(t);
  for (const id of asked) {
    const front = await proxied(t, world, OTHERWISE[id] ?? (() => undefined));
    const found = await examined(ports(t, front, { seed: id }), { ...PLAIN, only: [id] });
    assert.deepEqual(found.falsified, [id], JSON.stringify(found.findings.get(id)));
    await examined(ports(t, world), { ...PLAIN, only: [] }); // what the front kept from being cleared up
    assert.deepEqual(await world.emulator.metadata(ID), []);
  }
});

test("an API that is otherwise in one thing is so in that alone", async (t) => {
  const world = await emulated(t);
  for (const id of ["taken-id", "tag-stays"] as const) {
    const front = await proxied(t, world, OTHERWISE[id] ?? (() => undefined));
    const found = await examined(ports(t, front, { seed: id }));
    const allowed = {
      "taken-id": ["taken-id", "whole-batch", "guard-place"],
      "tag-stays": ["tag-sorts", "tag-shifts", "tag-stays", "guard-moves"],
    }[id];
    assert.deepEqual(found.falsified.filter((one) => one !== "gzip").toSorted(), allowed.toSorted(), id);
  }
});

test("what fails, refuses or falls silent is not tested, and never false", async (t) => {
  const world = await emulated(t);
  const failing = await proxied(t, world, (call) =>
    has(call, "sortRange") || isTagged(call) ? Promise.resolve(error(503, "The service is currently unavailable.")) : undefined,
  );
  const found = await examined(ports(t, failing), { ...PLAIN, only: ["tag-sorts", "filter-writes", "filter-text", "tag-shifts"] });
  assert.deepEqual([found.confirmed, found.falsified], [["tag-shifts"], []]);
  assert.deepEqual(found.untested, ["tag-sorts", "filter-writes", "filter-text"]);
  assert.match(found.findings.get("tag-sorts")?.saw ?? "", /503 The service is currently unavailable/);
});

test("a 429 in between is waited for", async (t) => {
  const world = await emulated(t);
  let refusals = 2;
  const slept: Ms[] = [];
  const front = await proxied(t, world, (call) =>
    has(call, "sortRange") && refusals-- > 0 ? Promise.resolve(error(429, "Quota exceeded")) : undefined,
  );
  const { clock, advance } = movable();
  const sleep = async (time: Ms): Promise<void> => {
    slept.push(time);
    advance(time);
  };
  const found = await examined(ports(t, front, { sleep }, clock), { ...PLAIN, only: ["tag-sorts"] });
  assert.deepEqual(found.confirmed, ["tag-sorts"]);
  assert.equal(slept.filter((time) => time > 60_000).length, 2);
});

/** A clock that runs, and jumps. */
function movable(): { clock: Clock; advance(time: Ms): void } {
  let jumped = ms(0);
  return {
    clock: { now: () => after(systemClock.now(), jumped), wall: () => later(systemClock.wall(), jumped) },
    advance: (time) => void (jumped = ms(jumped + time)),
  };
}

/** An emulator with Google's quota, on a clock that jumps where doctor waits. */
async function withQuota(t: Parameters<typeof emulated>[0]) {
  const { clock, advance } = movable();
  const world = await emulated(t, { quota: true, clock });
  const sleep = async (time: Ms): Promise<void> => advance(time);
  const quotas = ASSUMPTION_IDS.filter((id) => (ASSUMPTIONS[id] as Assumption).asks === "exhaust");
  return { clock, world, sleep, quotas };
}

test("with --exhaust the quota is confirmed, in one exhaustion", async (t) => {
  const { clock, world, sleep, quotas } = await withQuota(t);
  const found = await examined(ports(t, world, { sleep }, clock), { exhaust: true, byHand: false, only: quotas });
  assert.deepEqual(found.confirmed, quotas, JSON.stringify([...found.findings]));
  assert.equal(found.left, undefined);
  t.diagnostic(found.findings.get("one-call")?.saw ?? "");
});

test("a quota that is otherwise is found out", async (t) => {
  const { clock, world, sleep } = await withQuota(t);
  let locked = false;
  const front = await proxied(t, world, (call) => {
    if (isBatch(call) && locked) {
      if (call.body.responseIncludeGridData === true) return Promise.resolve(error(429, "Quota exceeded for quota metric 'Read requests'"));
      return undefined;
    }
    return isRead(call)
      ? call.forward().then((answer) => {
          locked ||= answer.status === 429;
          return answer.status === 429 ? { ...error(429, "Rate Limit Exceeded"), headers: { "retry-after": "30" } } : answer;
        })
      : undefined;
  });
  const only = ["quota-answer", "quota-window", "quota-apart", "quota-readback"] as const;
  const found = await examined(ports(t, front, { sleep }, clock), { exhaust: true, byHand: false, only });
  assert.deepEqual([found.falsified, found.untested], [["quota-answer", "quota-readback"], ["quota-window"]]);
});

test("with --by-hand a person's sort is waited for", async (t) => {
  const world = await emulated(t);
  let polls = 0;
  const said: string[] = [];
  const sleep = async (): Promise<void> => {
    polls += 1;
    const tab = /tab (\S+),/.exec(said.join(" "))?.[1] ?? "";
    if (polls === 3) await world.emulator.edit(ID, { kind: "sort", tab, column: "B", descending: false, header: 1 });
  };
  const found = await examined(ports(t, world, { sleep, say: (line) => said.push(line) }), {
    exhaust: false,
    byHand: true,
    only: ["tag-by-hand"],
  });
  assert.deepEqual(found.confirmed, ["tag-by-hand"], JSON.stringify([...found.findings]));
  const nobody = await examined(ports(t, world), { exhaust: false, byHand: true, only: ["tag-by-hand"] });
  assert.match(nobody.findings.get("tag-by-hand")?.saw ?? "", /nobody sorted/);
});
