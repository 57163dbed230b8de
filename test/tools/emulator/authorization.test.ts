import assert from "node:assert/strict";
import { test } from "node:test";
import { seconds, type Instant, type Timestamp } from "../../../src/base/units.ts";
import { BOOK, SHEET, world } from "./world.ts";

const BOOK_PATH = `/v4/spreadsheets/${SHEET}`;

test("shared as Viewer a spreadsheet can be read and not written; its owner may change that", async (t) => {
  const { emulator, call } = await world(t, { spreadsheets: [{ ...BOOK, sharing: "viewer" }] });
  const search = { dataFilters: [{ developerMetadataLookup: { metadataKey: "x" } }] };
  const batch = { requests: [{ addSheet: { properties: { title: "Another" } } }] };
  const values = { values: [["x"]] };
  assert.equal((await call("GET", `${BOOK_PATH}/values/Sheet1`)).status, 200);
  assert.equal((await call("POST", `${BOOK_PATH}/developerMetadata:search`, search)).status, 200);
  const { status, json } = await call("POST", `${BOOK_PATH}:batchUpdate`, batch);
  const { status: name, message } = json().error;
  const words = "The caller does not have permission";
  assert.deepEqual([status, name, message], [403, "PERMISSION_DENIED", words]);
  const put = `${BOOK_PATH}/values/Sheet1!A1?valueInputOption=RAW`;
  assert.equal((await call("PUT", put, values)).status, 403);
  emulator.share(SHEET, "editor");
  assert.equal((await call("POST", `${BOOK_PATH}:batchUpdate`, batch)).status, 200);
});

test("a spreadsheet that is not shared is 403, a missing one 404", async (t) => {
  const theirs = { ...BOOK, id: "theirs", sharing: "not shared" as const };
  const { call } = await world(t, { spreadsheets: [BOOK, theirs] });
  assert.equal((await call("GET", "/v4/spreadsheets/theirs")).status, 403);
  assert.equal((await call("GET", "/v4/spreadsheets/nowhere")).status, 404);
  const append = "/v4/spreadsheets/theirs/values/Sheet1:append?valueInputOption=RAW";
  assert.equal((await call("POST", append, { values: [["x"]] })).status, 403);
});

test("no credentials are 403; wrong and expired ones 401", async (t) => {
  let wall = Date.now();
  const clock = { now: () => 0 as Instant, wall: () => wall as Timestamp };
  const w = await world(t, { clock, tokenLifetime: seconds(60) });
  const as = async (headers: Record<string, string>, path = BOOK_PATH) => {
    const answer = await w.ask("GET", path, { headers });
    const challenge = answer.headers["www-authenticate"];
    return { status: answer.status, error: answer.json().error, challenge };
  };
  const missing = await as({});
  assert.deepEqual([missing.status, missing.error.status], [403, "PERMISSION_DENIED"]);
  assert.match(missing.error.message, /^Method doesn't allow unregistered callers/);
  assert.equal((await as({}, `${BOOK_PATH}?key=an-api-key`)).status, 403);
  const forged = ["Bearer ya29.emulator.e30.AAAA", "Bearer ya29.emulator."];
  for (const authorization of ["Bearer nope", "Basic YTpi", ...forged]) {
    const { status, error, challenge } = await as({ authorization });
    assert.deepEqual([status, error.status], [401, "UNAUTHENTICATED"], authorization);
    const realm = 'Bearer realm="https://accounts.google.com/", error="invalid_token"';
    assert.equal(challenge, realm);
  }
  const token = await w.token();
  assert.equal((await as({}, `${BOOK_PATH}?access_token=${token}`)).status, 200);
  wall += 61_000;
  const expired = await as({ authorization: `Bearer ${token}` });
  const [info] = expired.error.details;
  assert.deepEqual([expired.status, info.reason], [401, "ACCESS_TOKEN_EXPIRED"]);
  assert.equal(info.metadata.method, "google.apps.sheets.v4.SpreadsheetsService.GetSpreadsheet");
});
