/** Probes of metadata on rows: where it goes when the rows move, and what is written through it. */
import { seconds } from "../../../base/units.ts";
import { asText, FORMULAS, LOOKALIKES } from "./appends.ts";
import type { Finding } from "./assumptions.ts";
import { falsified, remove, said, same, show, tag, Untested, verdict, type Answer, type Bench, type Tab } from "./bench.ts";

const ROWS = [
  ["id", "n"],
  ["a", 3],
  ["b", 1],
  ["c", 2],
  ["d", 4],
];

interface Tagged {
  readonly tab: Tab;
  readonly id: number;
}

/** A tab with the row of key `b` tagged: the third. */
async function tagged(bench: Bench): Promise<Tagged> {
  const tab = await bench.tab(ROWS);
  const id = bench.id();
  await bench.prepare([tag(id, tab, 2)]);
  return { tab, id };
}

/** The row that a tag is on now, counted from 0; undefined: there is no such tag. */
async function rowOf(bench: Bench, id: number): Promise<number | undefined> {
  const found = await bench.metadata(id);
  if (found.status === 404) return undefined;
  if (found.status !== 200) throw new Untested(`the tag could not be read: ${said(found)}`);
  const { location } = found.json as { location?: { dimensionRange?: { startIndex?: number } } };
  return location?.dimensionRange?.startIndex ?? 0;
}

/** Whether the tag is where the key `b` is now. */
async function follows(bench: Bench, { tab, id }: Tagged, did: string): Promise<Finding> {
  const keys = (await bench.rows(tab, "A1:A40")).map(([key]) => key);
  const [row, at] = [await rowOf(bench, id), keys.indexOf("b")];
  if (at === 2) throw new Untested(`${did} did not move the row: ${show(keys)}`);
  return verdict(row === at, `after ${did} it is row ${at + 1}, the tag on ${row === undefined ? "none" : `row ${row + 1}`}`);
}

const dimension = (sheetId: number, startIndex: number, endIndex: number): object => ({ sheetId, dimension: "ROWS", startIndex, endIndex });

export async function tagSorts(bench: Bench): Promise<Finding> {
  const made = await tagged(bench);
  const range = { sheetId: made.tab.sheetId, startRowIndex: 1 };
  await bench.prepare([{ sortRange: { range, sortSpecs: [{ dimensionIndex: 1, sortOrder: "ASCENDING" }] } }]);
  return follows(bench, made, "sortRange");
}

export async function tagShifts(bench: Bench): Promise<Finding> {
  const made = await tagged(bench);
  const { sheetId } = made.tab;
  await bench.prepare([{ insertDimension: { range: dimension(sheetId, 1, 4), inheritFromBefore: true } }]);
  const inserted = await follows(bench, made, "inserting 3 rows");
  if (inserted.is !== "confirmed") return inserted;
  await bench.prepare([{ deleteDimension: { range: dimension(sheetId, 1, 3) } }]);
  const deleted = await follows(bench, made, "deleting 2 of them");
  if (deleted.is !== "confirmed") return deleted;
  await bench.prepare([{ moveDimension: { source: dimension(sheetId, 3, 4), destinationIndex: 6 } }]);
  const moved = await follows(bench, made, "dragging it down");
  return { ...moved, saw: [inserted, deleted, moved].map(({ saw }) => saw).join("; ") };
}

export async function tagGoes(bench: Bench): Promise<Finding> {
  const { tab, id } = await tagged(bench);
  await bench.prepare([{ deleteDimension: { range: dimension(tab.sheetId, 2, 3) } }]);
  const row = await rowOf(bench, id);
  return verdict(row === undefined, row === undefined ? "404 for the tag" : `the tag is on row ${row + 1}`);
}

export async function tagStays(bench: Bench): Promise<Finding> {
  const { tab, id } = await tagged(bench);
  const source = { sheetId: tab.sheetId, startRowIndex: 2, endRowIndex: 3, startColumnIndex: 0, endColumnIndex: 8 };
  await bench.prepare([
    { cutPaste: { source, destination: { sheetId: tab.sheetId, rowIndex: 9, columnIndex: 0 }, pasteType: "PASTE_NORMAL" } },
  ]);
  const row = await rowOf(bench, id);
  return verdict(row === 2, `cells of row 3 pasted into row 10: the tag is on ${row === undefined ? "none" : `row ${row + 1}`}`);
}

const POLL = seconds(5);
const LONGEST = seconds(600);

export async function tagByHand(bench: Bench): Promise<Finding> {
  const made = await tagged(bench);
  bench.ports.say(
    `Now you: in the tab ${made.tab.title}, select the rows 2 to 5 and sort them by column B, A to Z (Data, Sort range). I look every 5 s.`,
  );
  for (let waited = 0; waited < LONGEST; waited += POLL) {
    const keys = (await bench.rows(made.tab, "A1:A40")).map(([key]) => key);
    if (keys.indexOf("b") !== 2 && keys.includes("b")) return follows(bench, made, "your sort");
    await bench.pause(POLL);
  }
  throw new Untested("nobody sorted the tab within 10 minutes");
}

interface Response {
  readonly dataFilter?: { readonly developerMetadataLookup?: { readonly metadataId?: number } };
  readonly updatedData?: { readonly values?: readonly (readonly unknown[])[] };
}
const responsesIn = ({ json }: Answer): readonly Response[] => (Object(json) as { responses?: readonly Response[] }).responses ?? [];

export async function filterWrites(bench: Bench): Promise<Finding> {
  const { tab, id } = await tagged(bench);
  await bench.prepare([{ insertDimension: { range: dimension(tab.sheetId, 1, 3), inheritFromBefore: true } }]);
  const answer = await bench.writeTagged([{ id, values: [null, 9, "new"] }]);
  const emptied = await bench.writeTagged([{ id, values: [null, ""] }]);
  const rows = await bench.rows(tab);
  const holds = same(rows, [["id", "n"], [], [], ["a", 3], ["b", "", "new"], ["c", 2], ["d", 4]]);
  return verdict(holds, `${said(answer)}, ${said(emptied)}: ${show(rows)}`);
}

export async function filterShows(bench: Bench): Promise<Finding> {
  const tab = await bench.tab([
    ["id", "n", "m"],
    ["a", 3, "x"],
    ["b", 1, "y"],
  ]);
  const ids = [bench.id(), bench.id()];
  await bench.prepare(ids.map((id, i) => tag(id, tab, 1 + i)));
  const answer = await bench.writeTagged([
    { id: ids[1] ?? 0, values: [null, 5] },
    { id: ids[0] ?? 0, values: [null, null, "z"] },
  ]);
  const shown = responsesIn(answer).map(({ dataFilter, updatedData }) => [
    dataFilter?.developerMetadataLookup?.metadataId,
    updatedData?.values?.[0],
  ]);
  const of = (id: number | undefined): unknown => shown.find(([found]) => found === id)?.[1];
  const row = of(ids[1]);
  const holds = Array.isArray(row) && same(row.slice(0, 2), ["b", 5]) && same(of(ids[0]), ["a", 3, "z"]);
  return verdict(holds, `${said(answer)}: ${show(shown)}`);
}

export async function filterText(bench: Bench): Promise<Finding> {
  const texts = [...FORMULAS, ...LOOKALIKES];
  const tab = await bench.tab([["id", "text"], ...texts.map((_, i) => [`k${i}`])]);
  const ids = texts.map(() => bench.id());
  await bench.prepare(ids.map((id, i) => tag(id, tab, 1 + i)));
  const answer = await bench.writeTagged(ids.map((id, i) => ({ id, values: [null, texts[i] ?? ""] })));
  return asText(bench, tab, texts, answer);
}

export async function filterAbsent(bench: Bench): Promise<Finding> {
  const { tab, id } = await tagged(bench);
  const gone = bench.id();
  await bench.prepare([tag(gone, tab, 3)]);
  await bench.prepare([remove(gone)]);
  const answer = await bench.writeTagged([
    { id: gone, values: [null, 77] },
    { id, values: [null, 5] },
  ]);
  const alone = await bench.writeTagged([{ id: gone, values: [null, 88] }]);
  const rows = await bench.rows(tab);
  const named = responsesIn(answer).map(({ dataFilter }) => dataFilter?.developerMetadataLookup?.metadataId);
  const saw = `${said(answer)}, alone ${said(alone)}; ids in the answer ${same(named, [id]) ? "as expected" : show(named)}; ${show(rows)}`;
  if (answer.status !== 200 || alone.status !== 200) return falsified(saw);
  return verdict(
    same(named, [id]) &&
      same(rows, [
        ["id", "n"],
        ["a", 3],
        ["b", 5],
        ["c", 2],
        ["d", 4],
      ]),
    saw,
  );
}
