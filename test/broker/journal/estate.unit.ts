/** What becomes of a journal over versions and spreadsheets, and its copies. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { Database, META, SCHEMA } from "../../../src/broker/journal/database.ts";
import { inspectJournal } from "../../../src/broker/journal/inspect.ts";
import { putMeta } from "../../../src/broker/journal/state.ts";
import { addOne, batch, folder, open, settlement, START } from "./world.ts";

const seen = (dir: string): ReturnType<typeof inspectJournal> => inspectJournal(join(dir, "journal.db"));

/** Makes of a journal what a drover of another schema would have left. */
function age(dir: string, schema: number): void {
  const database = new Database(join(dir, "journal.db"));
  database.transaction(() => {
    putMeta(database, META.schema, schema);
    if (schema < SCHEMA) database.drop("meta", META.spreadsheet);
  });
  database.close();
}

test("an older journal is migrated after a copy of it, and keeps what waits", async (t) => {
  const dir = folder(t);
  const first = await open(t, dir, { spreadsheet: "one" });
  const kept = await addOne(first);
  await first.close();
  age(dir, 1);
  const again = await open(t, dir, { spreadsheet: "two", now: () => START }); // schema 1 named no spreadsheet: whoever comes first has it
  assert.deepEqual(again.recovered.entries, [kept]);
  assert.equal(again.recovered.damage, undefined);
  await again.close();
  assert.deepEqual(seen(dir), { schema: SCHEMA, spreadsheet: "two", waiting: 1 });
  const copies = readdirSync(dir).filter((name) => name.startsWith("journal.schema"));
  assert.deepEqual(copies, ["journal.schema1-20260921T141320.000Z.db"]);
  const copy = join(dir, copies[0] ?? "");
  assert.equal(statSync(copy).mode & 0o777, 0o400);
  const old = new DatabaseSync(copy, { readOnly: true });
  assert.deepEqual(
    old
      .prepare("SELECT nr, record FROM meta ORDER BY nr")
      .all()
      .map(({ nr }) => nr),
    [1, 2, 3],
  );
  old.close();
});

test("where the copy can't be made nothing is migrated", async (t) => {
  const dir = folder(t);
  await (await open(t, dir, { spreadsheet: "one" })).close();
  age(dir, 1);
  mkdirSync(join(dir, "journal.schema1-20260921T141320.000Z.db"));
  await assert.rejects(open(t, dir, { spreadsheet: "one", now: () => START }), /can't be opened/);
  assert.equal(seen(dir)?.schema, 1);
});

test("a newer drover's journal is refused with words, and left alone", async (t) => {
  const dir = folder(t);
  const first = await open(t, dir, { spreadsheet: "one" });
  await addOne(first);
  await first.close();
  age(dir, SCHEMA + 1);
  await assert.rejects(open(t, dir, { spreadsheet: "one" }), {
    code: "DROVER_E_JOURNAL",
    message: /newer drover \(schema 3; this one knows 2\)/,
  });
  assert.equal(seen(dir)?.waiting, 1);
});

test("another spreadsheet is refused while writes wait, and welcome when none does", async (t) => {
  const dir = folder(t);
  const first = await open(t, dir, { spreadsheet: "one" });
  await addOne(first);
  await first.close();
  const words =
    /holds 1 write for the spreadsheet one that has not reached it yet.*DROVER_SPREADSHEET_ID is two.*Set it back to one.*DROVER_DATA_DIR.*Nothing was changed/;
  await assert.rejects(open(t, dir, { spreadsheet: "two" }), { code: "DROVER_E_JOURNAL", message: words });
  const back = await open(t, dir, { spreadsheet: "one" });
  await back.seal(batch(1, [1]), 7);
  await back.sent(1, START);
  await back.settle(1, settlement({ landed: [1] }));
  assert.equal(seen(dir)?.waiting, 0, "seen while it is open");
  await back.close();
  const moved = await open(t, dir, { spreadsheet: "two" });
  assert.deepEqual(moved.recovered.fences, [], "they stand in the other one");
  await moved.close();
  assert.deepEqual(seen(dir), { schema: SCHEMA, spreadsheet: "two", waiting: 0 });
});

test("a copy is whole while writes go on, and is no other's to read", async (t) => {
  const dir = folder(t);
  const journal = await open(t, dir, { spreadsheet: "one" });
  for (let i = 0; i < 300; i += 1) await addOne(journal, { values: { text: "x".repeat(3_000) } });
  const target = join(dir, "journal.copy");
  const copied = journal.copy(target);
  await assert.rejects(journal.copy(target), /being copied there already/);
  await Promise.all(Array.from({ length: 50 }, () => addOne(journal)));
  await copied;
  assert.equal(statSync(target).mode & 0o777, 0o600);
  const copy = new DatabaseSync(target);
  const { rows } = copy.prepare("SELECT count(*) AS rows FROM entry").get() as { rows: number };
  assert.ok(rows >= 300 && rows <= 350, `${rows} rows`);
  assert.deepEqual(Object.values(copy.prepare("PRAGMA integrity_check").get() ?? {}), ["ok"]);
  copy.close();
});

test("a journal that closes gives up its copy, and leaves nothing of it", async (t) => {
  const dir = folder(t);
  const journal = await open(t, dir);
  for (let i = 0; i < 400; i += 1) await addOne(journal, { values: { text: "x".repeat(9_000) } });
  const copied = journal.copy(join(dir, "journal.copy")).then(
    () => "copied",
    (e: unknown) => String(e),
  );
  await journal.close();
  assert.match(await copied, /being closed|^copied$/);
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.startsWith("journal.copy") && (name !== "journal.copy" || name.length > 12)),
    [],
  );
});

test("where there is none, nothing is seen", (t) => assert.equal(seen(folder(t)), undefined));
