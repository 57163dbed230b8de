/** What the emulator answers, and that it refuses the rest of the API by name: no caller takes a silent `{}` for success. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { routes, schemas } from "../../../src/emulator/api/newer.ts";
import { HANDLERS } from "../../../src/emulator/engine/requests/table.ts";
import { client, refusal } from "./client.ts";
import { KEPT_KINDS, KEPT_METHODS } from "./scope.ts";

test("every kept kind of request is carried out", () => {
  assert.equal(KEPT_KINDS.size, 13);
  for (const kind of KEPT_KINDS) assert.ok(HANDLERS.has(kind), kind);
});

test("any other kind of request is a 400 that names it", () => {
  const c = client();
  const others = Object.keys(schemas.get("Request") ?? {}).filter((kind) => !HANDLERS.has(kind));
  assert.ok(others.length > 0);
  for (const kind of others) {
    const answer = c.batch({ [kind]: {} });
    assert.equal(answer.status, 400);
    assert.equal(refusal(answer), `Invalid requests[0].${kind}: this kind of request is not supported by this emulator.`);
  }
});

test("every kept method is answered, any other is a 400 that names it", () => {
  const c = client();
  assert.equal(KEPT_METHODS.size, 15);
  const known = new Set(routes.map(({ id }) => id));
  for (const method of KEPT_METHODS) assert.ok(known.has(method), method);
  const answer = c.call("values.explode");
  assert.equal(answer.status, 400);
  assert.equal(refusal(answer), "The method sheets.spreadsheets.values.explode is not supported by this emulator.");
});
