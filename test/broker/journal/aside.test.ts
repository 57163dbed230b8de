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
