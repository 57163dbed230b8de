/** What the emulator answers, and that it refuses the rest of the API by name: no caller takes a silent `{}` for success. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldsOf, METHODS } from "../../../../src/tools/emulator/api/discovery.ts";
import { HANDLERS } from "../../../../src/tools/emulator/engine/requests/table.ts";
import { client, refusal } from "./client.ts";
import { KEPT_KINDS, KEPT_METHODS } from "./scope.ts";

test("the kept kinds of requests are carried out, and no other", () => {
  assert.equal(KEPT_KINDS.size, 13);
  assert.deepEqual([...HANDLERS.keys()].toSorted(), [...KEPT_KINDS].toSorted());
});

test("any other kind of request is a 400 that names it", () => {
  const c = client();
  const others = fieldsOf("Request").filter((kind) => !HANDLERS.has(kind));
  assert.ok(others.length > 0);
  for (const kind of others) {
    const answer = c.batch({ [kind]: {} });
    assert.equal(answer.status, 400);
    assert.equal(
      refusal(answer),
      `Invalid requests[0].${kind}: this kind of request is not supported by this emulator.`,
    );
  }
});

test("every kept method is answered, any other is a 400 that names it", () => {
  const c = client();
  assert.equal(KEPT_METHODS.size, 15);
  for (const id of METHODS.keys()) {
    const answer = c.call(id.replace("sheets.spreadsheets.", ""), {
      path: { range: "A1", metadataId: "1", sheetId: "0" },
    });
    const unsupported = refusal(answer) === `The method ${id} is not supported by this emulator.`;
    assert.equal(unsupported, !KEPT_METHODS.has(id), id);
    if (unsupported) assert.equal(answer.status, 400);
  }
});
