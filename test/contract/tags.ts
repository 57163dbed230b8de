/** Claims about metadata on rows and columns, and about changes that find their row by it. */
import { seconds } from "../../src/base/units.ts";
import { columnB, TEXTS } from "./batches.ts";
import {
  append,
  equal,
  guard,
  remove,
  span,
  tag,
  Untested,
  type Answer,
  type Finding,
  type Json,
  type Probe,
  type Sheet,
  type Tab,
} from "./sheet.ts";

const ROWS = [
  ["id", "n", "m"],
  ["a", 3, "x"],
  ["b", 1, "y"],
  ["c", 2, "z"],
  ["d", 4],
];

/** A tab whose third row, key `b`, has a tag. */
async function tagged(s: Sheet) {
  const [tab, id] = [await s.tab(ROWS), s.id()];
  await s.made(tag(id, tab, 2));
  return { tab, id };
}

/** Where key and tag are, from 0. */
async function places(s: Sheet, { tab, id }: { readonly tab: Tab; readonly id: number }) {
  const keys = (await s.rows(tab, "!A1:A40")).map(([key]) => key);
  return [keys.indexOf("b"), await s.place(id)] as const;
}

const sort = ({ sheetId }: Tab): object => ({
  sortRange: { range: { sheetId, startRowIndex: 1 }, sortSpecs: [{ dimensionIndex: 1, sortOrder: "ASCENDING" }] },
});
const insert = (range: object): object => ({ insertDimension: { range, inheritFromBefore: true } });

/** As the flusher replaces a guard, which fails where its column has moved. */
const guarded = (id: number, tab: Tab): readonly object[] => {
  const at = { metadataLocation: { dimensionRange: span(tab, "COLUMNS", 1) }, locationMatchingStrategy: "EXACT_LOCATION" };
  return [{ deleteDeveloperMetadata: { dataFilter: { developerMetadataLookup: { metadataId: id, ...at } } } }, guard(id, tab, 1)];
};

/** The rows in the answer of a change. */
const shownBy = ({ json }: Answer): readonly Json[] => json.responses ?? [];
const idOf = ({ dataFilter }: Json): unknown => dataFilter?.developerMetadataLookup?.metadataId;

const POLL = seconds(5);

async function byHand(s: Sheet): Promise<Finding> {
  const made = await tagged(s);
  s.ports.say(`Sort rows 2 to 5 of the tab ${made.tab.title} by column B, A to Z (Data, Sort range), within 10 minutes.`);
  for (let waited = 0; waited < seconds(600); waited += POLL) {
    const [row, at] = await places(s, made);
    if (row > 0 && row !== 2) return equal([row, at], [row, row]);
    await s.pause(POLL);
  }
  throw new Untested("the tab was not sorted within 10 minutes");
}

export const TAGS = {
  "tag-sorts": async (s) => {
    const made = await tagged(s);
    await s.made(sort(made.tab));
    return equal(await places(s, made), [1, 1]);
  },
  "tag-shifts": async (s) => {
    const made = await tagged(s);
    const saw = [];
    for (const edit of [
      insert(span(made.tab, "ROWS", 1, 4)),
      { deleteDimension: { range: span(made.tab, "ROWS", 1, 3) } },
      { moveDimension: { source: span(made.tab, "ROWS", 3), destinationIndex: 6 } },
    ]) {
      await s.made(edit);
      saw.push(await places(s, made));
    }
    return equal(saw.flat(), [5, 5, 3, 3, 5, 5]);
  },
  "tag-goes": async (s) => {
    const { tab, id } = await tagged(s);
    await s.made({ deleteDimension: { range: span(tab, "ROWS", 2) } });
    return equal(await s.place(id), "nowhere");
  },
  "tag-stays": async (s) => {
    const made = await tagged(s);
    const { sheetId } = made.tab;
    const source = { sheetId, startRowIndex: 2, endRowIndex: 3, startColumnIndex: 0, endColumnIndex: 8 };
    const destination = { sheetId, rowIndex: 9, columnIndex: 0 };
    await s.made({ cutPaste: { source, destination, pasteType: "PASTE_NORMAL" } });
    return equal(await places(s, made), [9, 2]);
  },
  "tag-by-hand": byHand,
  "guard-moves": async (s) => {
    const [tab, id] = [await s.tab(ROWS), s.id()];
    await s.made(guard(id, tab, 1));
    const drop = { deleteDimension: { range: span(tab, "COLUMNS", 0) } };
    const saw = [];
    for (const edit of [
      { insertDimension: { range: span(tab, "COLUMNS", 0), inheritFromBefore: false } },
      { moveDimension: { source: span(tab, "COLUMNS", 2), destinationIndex: 1 } },
      drop,
      drop, // the guarded column itself
    ]) {
      await s.made(edit);
      saw.push(await s.place(id));
    }
    return equal(saw, [2, 1, 0, "nowhere"]);
  },
  "guard-place": async (s) => {
    const [tab, id] = [await s.tab([["id", "n"]]), s.id()];
    const guardedRow = async (key: string): Promise<number> => (await s.batch([...guarded(id, tab), append(tab, [[key]])])).status;
    const saw = [await guardedRow("first"), await guardedRow("again")];
    await s.made(insert(span(tab, "COLUMNS", 1)));
    saw.push(await guardedRow("moved"));
    return equal([...saw, (await s.rows(tab, "!A1:A40")).flat()], [200, 200, 400, ["id", "first", "again"]]);
  },
  "filter-header": async (s) => {
    const { tab, id } = await tagged(s);
    const gridRange = { sheetId: tab.sheetId, startRowIndex: 0, endRowIndex: 1 };
    const header = { dataFilter: { gridRange }, majorDimension: "ROWS", values: [[null]] };
    const answer = await s.change([{ id, values: [null, 5] }], header);
    const seen = shownBy(answer).find(({ dataFilter }) => dataFilter?.gridRange !== undefined)?.updatedData?.values;
    const [first, , third] = await s.rows(tab);
    return equal([answer.status, seen, first, third], [200, [ROWS[0]], ROWS[0], ["b", 5, "y"]]);
  },
  "filter-writes": async (s) => {
    const { tab, id } = await tagged(s);
    await s.made(insert(span(tab, "ROWS", 1, 3)));
    const written = await s.change([{ id, values: [null, 9, "new"] }]);
    const emptied = await s.change([{ id, values: [null, ""] }]);
    const [header, a, , ...rest] = ROWS;
    return equal([written.status, emptied.status, await s.rows(tab)], [200, 200, [header, [], [], a, ["b", "", "new"], ...rest]]);
  },
  "filter-shows": async (s) => {
    const { tab, id } = await tagged(s);
    const above = s.id();
    await s.made(tag(above, tab, 1));
    const answer = await s.change([
      { id, values: [null, 5] },
      { id: above, values: [null, null, "new"] },
    ]);
    const of = (one: number): readonly unknown[] => shownBy(answer).find((shown) => idOf(shown) === one)?.updatedData?.values?.[0] ?? [];
    return equal([of(id).slice(0, 2), of(above)].flat(), ["b", 5, "a", 3, "new"]);
  },
  "filter-text": async (s) => {
    const tab = await s.tab([["id", "text"], ...TEXTS.map((_, i) => [`k${i}`])]);
    const ids = TEXTS.map(() => s.id());
    await s.made(...ids.map((id, i) => tag(id, tab, 1 + i)));
    const { status } = await s.change(ids.map((id, i) => ({ id, values: [null, TEXTS[i] ?? ""] })));
    return equal([status, ...(await columnB(s, tab))], [200, TEXTS, TEXTS]);
  },
  "filter-absent": async (s) => {
    const { tab, id } = await tagged(s);
    const gone = s.id();
    await s.made(tag(gone, tab, 3));
    await s.made(remove(gone));
    const both = await s.change([
      { id: gone, values: [null, 77] },
      { id, values: [null, 5] },
    ]);
    const alone = await s.change([{ id: gone, values: [null, 88] }]);
    const column = (await s.rows(tab, "!B1:B40")).flat();
    return equal([both.status, shownBy(both).map(idOf), alone.status, column], [200, [id], 200, ["n", 3, 5, 2, 4]]);
  },
} satisfies Readonly<Record<string, Probe>>;
