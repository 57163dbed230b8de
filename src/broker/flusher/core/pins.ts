/**
 * Which rows the tags of a batch are on. A row may have moved since it was looked up, so its key cell is read back with the batch.
 * Where rows of a table were lost already, the whole key column is: it tells where each row stood at that very moment, so that
 * nothing but what happens between two batches can mislead the next one; and a tag that came to be on another row that was wanted
 * as well is that row's.
 */
import type { Layout } from "../../../sheets/layout.ts";
import { columnIn, headerIn, rowIn } from "./answer.ts";
import { headsKeys, holdsKey, keyColumn, rowsOfKeys, type Value } from "./cells.ts";
import { headerRange, keepHeader, standsAsKnown } from "./headers.ts";
import { keyRange } from "./look.ts";
import type { Flight, Pin, State, World } from "./model.ts";
import type { Stray, Undo } from "./tagged.ts";
import type { PinWish } from "./plan.ts";
import { rowName } from "./queue.ts";
import { lost, undoingJob } from "./rows.ts";
import { keepTag, locatedIn } from "./steps.ts";
import { clearStray, imageOf, isSameRow, placesOf, rowRange, strayCells } from "./undo.ts";

/** What a batch's answer shows of the rows that it pins. */
export function keyRanges(wishes: readonly PinWish[], state: State): readonly string[] {
  const isLost = ({ layout: { table }, key }: PinWish): boolean => state.troubles.get(rowName({ table, key }))?.lost === true;
  const whole = new Set(wishes.filter(isLost).map(({ layout }) => layout));
  const rows = wishes.map(({ layout, row }) => rowRange(layout, row));
  const layouts = new Set(wishes.map(({ layout }) => layout));
  return [...Array.from(layouts, headerRange), ...Array.from(whole, keyRange), ...rows];
}

/** Google has set them, and the answer shows on which rows. */
export function pinned(flight: Flight, answer: unknown, state: State, world: World): void {
  const [pins, before] = [flight.pins.filter(({ table }) => table !== ""), flight.pins.filter(({ table }) => table === "")];
  for (const { id } of before) state.drops.add(id); // of a batch from the last life
  const undo: Undo[] = [];
  for (const [table, these] of Map.groupBy(pins, (pin) => pin.table)) {
    const layout = world.layout(table);
    const header = layout === undefined ? undefined : headerIn(answer, layout);
    const stands = layout !== undefined && (header === undefined || keepHeader(layout, standsAsKnown(layout, header), state, world));
    const shown: Answer = { answer, layout, header, undo };
    const astray = these.filter((pin) => !(stands && pinHolds(shown, pin, state)));
    for (const pin of these) if (!astray.includes(pin)) tagRow(pin, shown, state, world);
    exchange(astray, stands ? whereabouts(answer, layout, astray, state) : new Map(), shown, state, world);
  }
  if (undo.length > 0) state.next.unshift(undoingJob(undo, state));
}

/** What a batch's answer shows of a table. */
interface Answer {
  readonly answer: unknown;
  readonly layout: Layout | undefined;
  readonly header: readonly unknown[] | undefined;
  /** What is to be put back, as far as it has been found. */
  readonly undo: Undo[];
}

/** Whether the row that was pinned is the one with the key. */
function pinHolds({ answer, layout, header }: Answer, pin: Pin, state: State): boolean {
  const cells = layout && rowIn(answer, pin, layout.column);
  if (layout === undefined || cells === undefined) return false;
  const cell = cells[keyColumn(layout) - layout.column];
  if (holdsKey(cell?.value, pin.key, cell?.text)) return true;
  const stray = state.strays.get(rowName(pin));
  const values = cells.map(({ value }) => value);
  return stray !== undefined && isSameRow(layout, restored(layout, values, straysOf(layout, header, values, stray)), stray);
}

function straysOf(
  layout: Layout,
  header: readonly unknown[] | undefined,
  cells: readonly unknown[],
  stray: Stray | undefined,
): ReadonlyMap<number, Value> {
  if (stray === undefined || header === undefined) return new Map();
  const indent = Array.from({ length: layout.column }, () => undefined);
  return strayCells(layout, [...indent, ...header], [...indent, ...cells], stray);
}

const restored = ({ column, columns }: Layout, cells: readonly unknown[], strays: ReadonlyMap<number, Value>): readonly unknown[] =>
  columns.map((_, at) => strays.get(column + at) ?? cells[at]);

/** The row has its tag. Where values may stand in wrong columns of it, they are looked for. */
function tagRow(pin: Pin, { answer, layout, header, undo }: Answer, state: State, world: World): void {
  const cells = layout && rowIn(answer, pin, layout.column)?.map(({ value }) => value);
  const name = rowName(pin);
  const stray = state.strays.get(name);
  const tag = { id: pin.id, table: pin.table, key: pin.key, row: pin.row, seenAt: world.now };
  if (layout === undefined || cells === undefined) return keepTag(state, tag);
  const strays = straysOf(layout, header, cells, stray);
  const kept = { ...tag, image: imageOf(layout.columns, restored(layout, cells, strays)) };
  keepTag(state, kept);
  if (strays.size === 0) clearStray(name, state, world);
  else undo.push({ tag: kept, cells: strays });
}

/** Where the keys of a table's pins stood when these were set, as far as the answer shows. */
function whereabouts(answer: unknown, layout: Layout, pins: readonly Pin[], state: State): ReadonlyMap<string, number> {
  const [pin] = pins;
  const shown = pin === undefined ? undefined : columnIn(answer, pin.sheetId, layout.row, keyColumn(layout));
  if (shown === undefined) return new Map();
  const values = shown.map(({ value }) => [value]);
  if (!headsKeys(values, layout)) return new Map();
  const wanted = new Set(pins.map(({ key }) => key));
  const found = placesOf(values, layout, wanted, state);
  const asSeen = shown.map(({ text }) => [text]); // a date's key is what people see
  return new Map([...rowsOfKeys(asSeen, layout.row, new Set([...wanted].filter((key) => !found.has(key)))), ...found]);
}

/** Each row takes the tag that is on it; rows without one are pinned again, where they are. */
function exchange(pins: readonly Pin[], rows: ReadonlyMap<string, number>, shown: Answer, state: State, world: World): void {
  const free = new Map(pins.map((pin) => [pin.row, pin]));
  const unused = new Set(pins.map(({ id }) => id));
  for (const pin of pins) {
    const { table, key } = pin;
    const row = rows.get(key);
    const there = row === undefined ? undefined : free.get(row);
    if (row !== undefined && there !== undefined) {
      free.delete(row);
      unused.delete(there.id);
      tagRow({ ...pin, id: there.id, row }, shown, state, world);
      continue;
    }
    lost({ table, key }, state, world);
    if (row !== undefined) locatedIn(state, table).rows.set(key, row);
  }
  for (const id of unused) state.drops.add(id);
}
