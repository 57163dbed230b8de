import assert from "node:assert/strict";
import { test } from "node:test";
import { SHEET } from "../world.ts";
import { BOOK_PATH, faulty, type Faulty } from "./faulty.ts";

/** Sends a batch with a fence until it has landed. Late attempts run behind it. @returns how often it was sent. */
async function land(w: Faulty, nr: number): Promise<number> {
  const fence = {
    metadataId: nr + 1,
    metadataKey: "fence",
    location: { spreadsheet: true },
    visibility: "DOCUMENT",
  };
  const row = { values: [{ userEnteredValue: { stringValue: `batch ${nr}` } }] };
  const requests = [
    { createDeveloperMetadata: { developerMetadata: fence } },
    { appendCells: { sheetId: 0, fields: "userEnteredValue", rows: [row] } },
  ];
  for (let sent = 1; ; sent += 1) {
    const call = w.call("POST", `${BOOK_PATH}:batchUpdate`, { requests });
    const answer = await call.catch(() => undefined);
    if (answer?.status === 400)
      assert.match(
        answer.json().error.message,
        /Cannot add developer metadata with ID \[\d+\] because .* already exists\.$/,
      );
    else if (answer?.status !== 200) continue;
    for (const pause of w.pauses.splice(0)) pause.end();
    return sent;
  }
}

test("answers are lost, and attempts run behind their retries: with a fence each batch is there once", async (t) => {
  const w = await faulty(t);
  await w.get();
  await w.order("drop,applied,every=3;late=30ms,every=4;status=503,applied,every=5;drop,every=7");
  let sent = 0;
  for (let nr = 0; nr < 100; nr += 1) sent += await land(w, nr);
  await w.emulator.rows(SHEET, "Sheet1"); // the last late call has run, or runs now
  await new Promise(setImmediate);
  const expected = ["1", ...Array.from({ length: 100 }, (_, nr) => `batch ${nr}`)];
  const ids = await w.ids();
  assert.equal(ids.length, expected.length);
  assert.deepEqual(new Set(ids), new Set(expected));
  assert.equal((await w.emulator.metadata(SHEET)).length, 100);
  const { byKind, total } = w.emulator.faults.delivered();
  t.diagnostic(`100 batches, ${sent} requests, ${total} faults: ${JSON.stringify(byKind)}`);
  assert.ok(sent > 140 && (byKind["late"] ?? 0) > 10);
});
