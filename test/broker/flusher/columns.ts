/** A table that clients write to while a person moves its columns: each value belongs under its header, and other cells stay as they were. */
import type { Layout } from "../../../src/sheets/layout.ts";
import { columnNames } from "../../../src/sheets/header.ts";
import { randoms } from "../time.ts";
import { FakeGoogle, type Fate } from "./google.ts";
import { JumpTime } from "./time.ts";
import { Machine } from "./world.ts";

const TAB = "Stock";
const HEADER = ["id", "n", "name", "memo", "gone"];
const LAYOUT: Layout = { table: "players", tab: TAB, row: 0, column: 0, columns: HEADER, key: "id", deleted: "gone" };
const OLD_ROWS = 40;
const SECONDS = 20;
const EDITS = 5;
const READ_EVERY = 2_000;

export interface Outcome {
  /** Cells under a wrong header once everything has settled, and cells of others that were overwritten. */
  readonly misplaced: number;
  /** Most calls of the flusher, and milliseconds, during which a wrong cell was in the sheet. */
  readonly visibleCalls: number;
  readonly visible: number;
  /** Readings with a wrong cell in them that were published. */
  readonly published: number;
  readonly writes: number;
  readonly reads: number;
  /** Milliseconds from the last acceptance until the sheet had everything. */
  readonly settled: number;
}

const textOf = (cell: unknown): string => (typeof cell === "string" ? cell : JSON.stringify(cell ?? ""));
const isEmpty = (cell: unknown): boolean => cell === undefined || cell === "";

/** What clients wrote, and what a reader of the sheet finds wrong. */
class Book {
  /** Every value that a cell may have, by key and column. */
  readonly #allowed = new Map<string, Set<unknown>>();
  readonly last = new Map<string, { readonly n: number; readonly name: string }>();

  accept(key: string, n: number, name: string): void {
    for (const [column, value] of Object.entries({ n, name })) this.allow(key, column, value);
    this.last.set(key, { n, name });
  }

  allow(key: string, column: string, value: unknown): void {
    const place = `${key}\0${column}`;
    this.#allowed.set(place, (this.#allowed.get(place) ?? new Set()).add(value));
  }

  /** Cells under a header that they do not belong to. */
  wrong(values: readonly (readonly unknown[])[]): number {
    const names = columnNames(values[0] ?? []);
    let wrong = 0;
    for (const row of values.slice(1)) {
      const key = textOf(row[names.indexOf("id")]);
      for (const [at, cell] of row.entries()) {
        const name = names[at];
        if (isEmpty(cell) || (name === "id" && (this.last.has(key) || key.startsWith("z")))) continue;
        if (name === undefined || this.#allowed.get(`${key}\0${name}`)?.has(cell) !== true) wrong += 1;
      }
    }
    return wrong;
  }

  /** Rows that lack a value, are absent, or are there twice. */
  missing(values: readonly (readonly unknown[])[]): number {
    const names = columnNames(values[0] ?? []);
    const rows = Map.groupBy(values.slice(1), (row) => textOf(row[names.indexOf("id")]));
    return [...this.last].filter(([key, { n, name }]) => {
      const [row, second] = rows.get(key) ?? [];
      const memo = key.startsWith("s") ? row?.[names.indexOf("memo")] !== `memo of ${key}` : false;
      return row === undefined || second !== undefined || row[names.indexOf("n")] !== n || row[names.indexOf("name")] !== name || memo;
    }).length;
  }
}

/** One edit of a person: inserts a column, drags one elsewhere, or deletes one that is empty. */
export function editColumns(google: FakeGoogle, random: () => number): void {
  const header = google.values(TAB)[0] ?? [];
  const at = (n: number): number => Math.floor(random() * n);
  const columns = (startIndex: number): object => ({ sheetId: 0, dimension: "COLUMNS", startIndex, endIndex: startIndex + 1 });
  const blank = header.findIndex((name, i) => isEmpty(name) && google.values(TAB).every((row) => isEmpty(row[i])));
  const kind = random();
  if (blank >= 0 && kind < 0.3) return google.edit({ deleteDimension: { range: columns(blank) } });
  if (kind < 0.65) return google.edit({ insertDimension: { range: columns(at(header.length)) } });
  const [from, to] = [at(header.length), at(header.length + 1)];
  if (to === from || to === from + 1) return editColumns(google, random);
  google.edit({ moveDimension: { source: columns(from), destinationIndex: to } });
}

/** Half of the writes append, half change rows that stand. @param fate of each write */
export async function writeWhileColumnsMove(seed: number, total: number, fate: (random: () => number) => Fate): Promise<Outcome> {
  const random = randoms(seed);
  const time = new JumpTime();
  const old = Array.from({ length: OLD_ROWS }, (_, i) => [`s${i}`, i, `name ${i}`, `memo of s${i}`]);
  const google = new FakeGoogle(time, [{ title: TAB, rows: [HEADER, ...old] }]);
  const m = new Machine({ layout: LAYOUT, google, time, random });
  const book = new Book();
  for (const [key = "", n = 0, name = "", memo] of old as [string, number, string, string][]) {
    book.accept(key, n, name);
    book.allow(key, "memo", memo);
  }
  let [published, wrongSince, callsSince, visible, visibleCalls] = [0, -1, 0, 0, 0];
  const calls = (): number => google.writes.length + google.reads.length;
  google.between = () => {
    const wrong = book.wrong(google.values(TAB)) > 0;
    if (wrong && wrongSince < 0) [wrongSince, callsSince] = [time.at, calls()];
    if (wrong || wrongSince < 0) return;
    visible = Math.max(visible, time.at - wrongSince);
    visibleCalls = Math.max(visibleCalls, calls() - callsSince);
    wrongSince = -1;
  };
  /** The broker reads the table: as Google has it 150 ms later, shown 150 ms after that. */
  const read = async (): Promise<void> => {
    const asked = time.now();
    await time.sleep(150);
    const values = google.values(TAB);
    await time.sleep(150);
    const columns = columnNames(values[0] ?? []);
    if (!m.flusher.mayShow({ layout: { ...LAYOUT, columns }, values, askedAt: asked })) return void time.sleep(500).then(read);
    if (book.wrong(values) > 0) published += 1;
    const key = columns.indexOf("id");
    m.layout = { ...LAYOUT, columns };
    m.snapshot = new Map(values.flatMap((row, i) => (i === 0 || isEmpty(row[key]) ? [] : [[textOf(row[key]), i]])));
  };
  m.moved = () => void read();
  const life = { over: false };
  const refresh = async (): Promise<void> => {
    while (!life.over) {
      await read();
      await time.sleep(READ_EVERY);
    }
  };
  void refresh();
  m.look();
  google.fate = () => fate(random);
  for (let i = 0; i < EDITS; i += 1) void time.sleep((SECONDS * 1_000 * (i + random())) / EDITS).then(() => editColumns(google, random));
  for (let i = 0; i < total; i += 1) {
    await time.until(() => false, (SECONDS * 1_000) / total);
    const key = i % 2 === 0 ? `k${i}` : `s${Math.floor(random() * OLD_ROWS)}`;
    const [n, name] = [1_000 + i, `text ${i}`];
    book.accept(key, n, name);
    if (i % 2 === 0) m.append(key, { n, name });
    else m.update(key, { n, name });
  }
  const accepted = time.at;
  await m.drain();
  const settled = time.at - accepted;
  await time.until(() => false, 200_000);
  life.over = true;
  m.crash();
  const values = google.values(TAB);
  const misplaced = book.wrong(values) + book.missing(values);
  const { length: writes } = google.writes;
  return { misplaced, visible, visibleCalls, published, writes, reads: google.reads.length, settled };
}
