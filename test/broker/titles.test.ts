/** A tab is found by its title, whatever the title looks like. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { seconds } from "../../src/base/units.ts";
import { contentOf, Snapshot } from "../../src/sheets/snapshot.ts";
import { whole, type Whole } from "./whole.ts";

const rowsIn = ({ broker }: Whole, table: string): readonly (readonly unknown[])[] => {
  const held = broker.peek(table);
  assert.ok(held !== undefined, `nothing is known of ${table}`);
  return contentOf(new Snapshot(Uint8Array.from(held.bytes).buffer)).rows;
};

const NFD = "Cafe\u0301";
const TITLES = ["Q1", "Jan26", "T100", "a:b", "R1C1", "2026", " padded", "!first", "Wow!", NFD, "It's", "PLAYERS"];
const name = (title: string): string => `t${TITLES.indexOf(title)}`;

test("a tab whose title looks like a cell, a range, or is written in another form: its own rows are read, and written", async (t) => {
  const tabs = Object.fromEntries(
    ["first", ...TITLES].map((title) => [
      title,
      [
        ["id", "of"],
        ["k1", title],
      ],
    ]),
  );
  const rights = { read: "public", append: "public" };
  const said = Object.fromEntries(TITLES.map((title) => [name(title), { range: title.normalize("NFC"), ...rights }]));
  const w = await whole(t, tabs, { ...said, lower: { range: "players", ...rights } });
  for (const table of [...TITLES.map(name), "lower"]) {
    const why = await w.broker.want(table);
    assert.equal(why, undefined, `${table}: ${why?.message}`);
  }
  for (const title of TITLES) assert.deepEqual(rowsIn(w, name(title)), [["k1", title]], title);
  const call = { wait: "sheet", within: seconds(20) } as const;
  await Promise.all(
    [...TITLES.map(name), "lower"].map(async (table) => {
      const answer = await w.broker.write({ table, changes: [{ op: "append", values: { id: `new-${table}`, of: "x" } }] }, call);
      assert.equal(answer.is === "written" && answer.writes[0]?.state, "landed", `${table}: ${JSON.stringify(answer)}`);
    }),
  );
  assert.deepEqual((await w.rows("first")).length, 2, "the first tab is as it was");
  for (const title of TITLES)
    assert.ok(
      (await w.rows(title)).some(([key]) => key === `new-${name(title)}`),
      title,
    );
});
