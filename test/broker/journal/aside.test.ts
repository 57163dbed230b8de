/** What a journal promises of parked writes, of the real one and of the one in memory that the broker's tests use. */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import type { Journal } from "../../../src/broker/journal/journal.ts";
import { Disk } from "../fakes.ts";
import { entry, folder, open, settlement } from "./world.ts";

interface Place {
  readonly journal: Journal;
  park(lsns: readonly number[], reason: string): Promise<void>;
  land(lsns: readonly number[]): Promise<void>;
}

const PLACES: Readonly<Record<string, (t: TestContext) => Promise<Place>>> = {
  async "on disk"(t) {
    const journal = await open(t, folder(t));
    const park = (lsns: readonly number[], reason: string): Promise<void> =>
      journal.settle(undefined, settlement({ parked: lsns.map((lsn) => ({ lsn, reason })) }));
    return { journal, park, land: (landed) => journal.settle(undefined, settlement({ landed })) };
  },
  async "in memory"() {
    const journal = new Disk().open();
    return {
      journal,
      park: async (lsns, reason) => journal.settled(settlement({ parked: lsns.map((lsn) => ({ lsn, reason })) })),
      land: async (landed) => journal.settled(settlement({ landed })),
    };
  },
};

for (const [name, make] of Object.entries(PLACES))
  describe(`a journal ${name}`, () => {
    test("lists what is parked, tries it again as the newest, once, and gives it up for good", async (t) => {
      const { journal, park, land } = await make(t);
      const ids = ["a", "b", "c", "d"];
      await journal.add({ entries: ids.map((id) => entry({ id, key: id })) });
      await park([1, 2, 3], "no");
      assert.equal(journal.setAside, 3);
      const lsnsOf = async (...asked: Parameters<Journal["aside"]>): Promise<number[]> =>
        (await journal.aside(...asked)).map(({ lsn }) => lsn);
      assert.deepEqual(
        [await lsnsOf(9), await lsnsOf(2), await lsnsOf(9, ["c", "a", "d", "z"])],
        [
          [1, 2, 3],
          [1, 2],
          [1, 3],
        ],
      );
      const [held] = await journal.aside(1);
      assert.deepEqual([held?.id, held?.reason, held?.values], ["a", "no", entry().values]);

      const again = await journal.retry([1, 3, 4, 99]);
      assert.deepEqual(
        again.map((each) => each && [each.lsn, each.id]),
        [[5, "a"], [6, "c"], undefined, undefined],
      );
      assert.deepEqual([(await journal.find("a"))?.state, journal.setAside, await lsnsOf(9)], ["journaled", 1, [2]]);
      await park([5], "still not");
      assert.deepEqual(
        (await journal.aside(9)).map(({ lsn, id, reason }) => [lsn, id, reason]),
        [
          [2, "b", "no"],
          [5, "a", "still not"],
        ],
      );
      await land([6]);
      assert.equal((await journal.find("c"))?.state, "landed");
      assert.deepEqual(await journal.retry([6]), [undefined], "what has landed is not tried again");

      assert.deepEqual(await journal.discard([2, 4]), [true, false]);
      assert.deepEqual([(await journal.find("b"))?.state, journal.setAside], ["parked", 1]);
      assert.deepEqual(await journal.retry([2]), [undefined]);
      assert.deepEqual(
        (await journal.retry([5])).map((each) => each?.lsn),
        [7],
      );
      assert.equal(journal.setAside, 0);
    });
  });

test("of too many parked writes the oldest that was dealt with goes first; of those that nobody has decided about, the oldest", async (t) => {
  const journal = await open(t, folder(t), { limits: { parked: 3 } });
  const ids = ["a", "b", "c", "d", "e", "f", "g"];
  await journal.add({ entries: ids.map((id) => entry({ id, key: id })) });
  const park = (...lsns: number[]): Promise<void> =>
    journal.settle(undefined, settlement({ parked: lsns.map((lsn) => ({ lsn, reason: "no" })) }));
  const kept = async (): Promise<string> => {
    const states = await Promise.all(ids.map(async (id) => ((await journal.find(id))?.state === "parked" ? id : "")));
    assert.equal(journal.setAside, (await journal.aside(9)).length);
    return `${states.join("")}, ${(await journal.aside(9)).map(({ id }) => id).join("")} to decide about`;
  };
  await park(1, 2, 3);
  await journal.discard([2]);
  assert.equal(await kept(), "abc, ac to decide about");
  await park(4);
  assert.equal(await kept(), "acd, acd to decide about", "what was given up, and no older one");
  await journal.retry([3]); // its place is known by a stub
  await park(5);
  assert.equal(await kept(), "ade, ade to decide about", "the stub of what is tried again");
  await park(6);
  assert.equal(await kept(), "def, def to decide about", "the oldest");
  await journal.discard([6]);
  await park(7);
  assert.equal(await kept(), "deg, deg to decide about", "the newest was dealt with");
});

test("one that was dealt with is looked for among the hundred oldest, and not through all there are", async (t) => {
  const journal = await open(t, folder(t), { limits: { parked: 105 } });
  const lsns = Array.from({ length: 107 }, (_, i) => i + 1);
  await journal.add({ entries: lsns.map((lsn) => entry({ id: `w${lsn}`, key: `${lsn}` })) });
  const park = (some: readonly number[]): Promise<void> =>
    journal.settle(undefined, settlement({ parked: some.map((lsn) => ({ lsn, reason: "no" })) }));
  await park(lsns.slice(0, 105));
  await journal.discard([101]); // one beyond the hundred oldest
  await park([106]);
  assert.deepEqual([(await journal.find("w1"))?.state, (await journal.find("w101"))?.state], [undefined, "parked"]);
  await park([107]); // it is the hundredth by now
  assert.deepEqual([(await journal.find("w2"))?.state, (await journal.find("w101"))?.state], ["parked", undefined]);
});
