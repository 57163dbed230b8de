/** What the broker keeps of how a table came about. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../support/fast-check.ts";
import { encodeNext, stepsSince, withStep, type Drawn } from "../../src/broker/steps.ts";
import type { Timestamp } from "../../src/base/units.ts";
import type { Step } from "../../src/sheets/edits.ts";
import { encodeSnapshot, Snapshot, type Cell, type Content } from "../../src/sheets/snapshot.ts";
import { splice } from "../../src/sheets/splice.ts";

const columns = [{ name: "id", type: "auto" as const }];
const rowsOf = (count: number): (readonly Cell[])[] => Array.from({ length: count }, (_, i) => [`k${i}`]);
const head = (version: number): Step["head"] => ({
  table: "t",
  epoch: 1,
  version,
  hash: "",
  asOf: 0 as Timestamp,
  checkedAt: 0 as Timestamp,
});

test("whoever is a version behind, or several, gets the steps from there; whoever is too far behind gets none", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { maxLength: 90 }), fc.nat(100), (kinds, lag) => {
      let content: Content = { columns, key: 0, rows: rowsOf(10) };
      let drawn: Drawn = { content, snapshot: encodeNext(undefined, content).snapshot };
      const all = [drawn.snapshot];
      let steps: readonly Step[] = [];
      for (const [i, kind] of kinds.entries()) {
        const rows =
          kind === 0
            ? content.rows.slice(1)
            : kind === 1
              ? content.rows.with(content.rows.length - 1, [`u${i}`])
              : [...content.rows, [`n${i}`]];
        content = { ...content, rows: rows.length === 0 ? [[`l${i}`]] : rows };
        const { snapshot, bytes, edited, hash } = encodeNext(drawn, content);
        assert.equal(hash, encodeSnapshot(content).hash);
        assert.ok(edited !== undefined);
        steps = withStep(steps, { ...edited, from: i, head: head(i + 1) }, bytes.length);
        drawn = { content, snapshot };
        all.push(snapshot);
      }
      const version = Math.max(0, kinds.length - lag);
      const since = stepsSince(steps, version, kinds.length);
      assert.equal(since === undefined, lag > 64 && kinds.length > 64);
      if (since === undefined) return;
      let at = all[version] as Snapshot;
      for (const { edits, added, head: to } of since)
        at = splice(at, {
          edits,
          added: new Snapshot(Uint8Array.from(added).buffer),
          epoch: 0,
          version: to.version,
          allocate: (size) => new ArrayBuffer(size),
        });
      const last = at.rowSlice(0, at.rowCount);
      const newest = drawn.snapshot;
      assert.deepEqual(Buffer.from(last), Buffer.from(newest.rowSlice(0, newest.rowCount)));
    }),
    { numRuns: 300 },
  );
});

test("much that is new at once, and other columns, are encoded whole; steps are no heavier than a quarter of the rows", () => {
  const content: Content = { columns, key: 0, rows: rowsOf(50_000) };
  const drawn = { content, snapshot: encodeNext(undefined, content).snapshot };
  assert.equal(encodeNext(drawn, { ...content, rows: rowsOf(50_000) }).edited, undefined, "all rows are others");
  assert.equal(encodeNext(drawn, { ...content, columns: [...columns] }).edited, undefined);
  assert.equal(encodeNext(undefined, content).edited, undefined);
  const step = (from: number, bytes: number): Step => ({ edits: [], added: new Uint8Array(bytes), from, head: head(from + 1) });
  let steps: readonly Step[] = [];
  for (let i = 0; i < 10; i += 1) steps = withStep(steps, step(i, 100_000), 1_000_000);
  assert.deepEqual(
    steps.map(({ from }) => from),
    [8, 9],
  );
  assert.deepEqual(stepsSince(steps, 10, 10), []);
  assert.equal(stepsSince(steps, 11, 10), undefined, "a version that never was");
});
