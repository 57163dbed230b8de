/**
 * Which rows the tags of a batch are on. A row may have moved since it was looked up, so its key cell is read back with the batch.
 * Where rows of a table were lost already, the whole key column is: it tells where each row stood at that very moment, so that
 * nothing but what happens between two batches can mislead the next one; and a tag that came to be on another row that was wanted
 * as well is that row's.
 */
import { a1, letters } from "../../../sheets/a1.ts";
import type { Layout } from "../../../sheets/layout.ts";
import { columnIn, headerIn, pinHolds } from "./answer.ts";
import { headsKeys, keyColumn, rowsOfKeys } from "./cells.ts";
import { headerRange, keepHeader, standsAsKnown } from "./headers.ts";
import { keyRange } from "./look.ts";
import type { Flight, Pin, State, World } from "./model.ts";
import type { PinWish } from "./plan.ts";
import { rowName } from "./queue.ts";
import { lost } from "./rows.ts";
import { keepTag, locatedIn } from "./steps.ts";

/** What a batch's answer shows of the rows that it pins. */
export function keyRanges(wishes: readonly PinWish[], state: State): readonly string[] {
  const isLost = ({ layout: { table }, key }: PinWish): boolean => state.troubles.get(rowName({ table, key }))?.lost === true;
  const whole = new Set(wishes.filter(isLost).map(({ layout }) => layout));
  const cells = wishes
    .filter(({ layout }) => !whole.has(layout))
    .map(({ layout, row }) => `${a1(layout.tab)}!${letters(keyColumn(layout))}${row + 1}`);
  const layouts = new Set(wishes.map(({ layout }) => layout));
  return [...Array.from(layouts, headerRange), ...Array.from(whole, keyRange), ...cells];
}

/** Google has set them, and the answer shows on which rows. */
export function pinned(flight: Flight, answer: unknown, state: State, world: World): void {
  const [pins, before] = [flight.pins.filter(({ table }) => table !== ""), flight.pins.filter(({ table }) => table === "")];
  for (const { id } of before) state.drops.add(id); // of a batch from the last life
  for (const [table, these] of Map.groupBy(pins, (pin) => pin.table)) {
    const layout = world.layout(table);
    const header = layout === undefined ? undefined : headerIn(answer, layout);
    const stands = layout !== undefined && (header === undefined || keepHeader(layout, standsAsKnown(layout, header), state, world));
    const astray = these.filter((pin) => !(stands && pinHolds(answer, pin)));
    for (const pin of these) if (!astray.includes(pin)) keepTag(state, { ...pin, seenAt: world.now });
    exchange(astray, stands ? whereabouts(answer, layout, astray) : new Map(), state, world);
  }
}

/** Where the keys of a table's pins stood when these were set, as far as the answer shows. */
function whereabouts(answer: unknown, layout: Layout, pins: readonly Pin[]): ReadonlyMap<string, number> {
  const [pin] = pins;
  const shown = pin === undefined ? undefined : columnIn(answer, pin.sheetId, layout.row, keyColumn(layout));
  if (shown === undefined) return new Map();
  const values = shown.map(({ value }) => [value]);
  if (!headsKeys(values, layout)) return new Map();
  const wanted = new Set(pins.map(({ key }) => key));
  const found = rowsOfKeys(values, layout.row, wanted);
  const asSeen = shown.map(({ text }) => [text]); // a date's key is what people see
  return new Map([...rowsOfKeys(asSeen, layout.row, new Set([...wanted].filter((key) => !found.has(key)))), ...found]);
}

/** Each row takes the tag that is on it; rows without one are pinned again, where they are. */
function exchange(pins: readonly Pin[], rows: ReadonlyMap<string, number>, state: State, world: World): void {
  const free = new Map(pins.map((pin) => [pin.row, pin]));
  const unused = new Set(pins.map(({ id }) => id));
  for (const { table, key } of pins) {
    const row = rows.get(key);
    const there = row === undefined ? undefined : free.get(row);
    if (row !== undefined && there !== undefined) {
      free.delete(row);
      unused.delete(there.id);
      keepTag(state, { id: there.id, table, key, row, seenAt: world.now });
      continue;
    }
    lost({ table, key }, state, world);
    if (row !== undefined) locatedIn(state, table).rows.set(key, row);
  }
  for (const id of unused) state.drops.add(id);
}
