/** Google's own client against the emulator: only the token's host and the API's root URL are redirected. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { sheets as sheetsClient, type sheets_v4 } from "@googleapis/sheets";
import { gaxios, JWT } from "google-auth-library";
import { readFile } from "node:fs/promises";
import { perMinute, seconds } from "../../../src/base/units.ts";
import type { EmulatorOptions } from "../../../src/tools/emulator/server.ts";
import { BOOK, SHEET, world, type World } from "./world.ts";

interface GoogleFailure {
  readonly status?: number;
  readonly code?: number | string;
  readonly message: string;
  readonly response?: {
    readonly data: {
      readonly error: { readonly code: number; readonly message: string; readonly status: string };
    };
  };
}

async function client(
  t: TestContext,
  options: Partial<EmulatorOptions> = {},
): Promise<{ w: World; api: sheets_v4.Sheets; jwt: JWT }> {
  const w = await world(t, { ...options });
  const key = JSON.parse(await readFile(w.emulator.keyFile, "utf8")) as {
    client_email: string;
    private_key: string;
  };
  const transporter = new gaxios.Gaxios();
  transporter.interceptors.request.add({
    resolved: async (config) => {
      if (config.url.host === "oauth2.googleapis.com")
        config.url = new URL(config.url.pathname, w.url);
      return config;
    },
  });
  const jwt = new JWT({
    email: key.client_email,
    key: key.private_key,
    scopes: ["https://www.googleapis.com/auth/spreadsheets"],
    transporter,
  });
  return {
    w,
    jwt,
    api: sheetsClient({ version: "v4", auth: jwt, rootUrl: `${w.url}/`, retry: false }),
  };
}

const failure = async (call: Promise<unknown>): Promise<GoogleFailure> =>
  call.then(
    () => assert.fail("it was answered"),
    (e: GoogleFailure) => e,
  );

test("get, batchGet, update, append, batchUpdate, create", async (t) => {
  const { w, api } = await client(t);
  const { values } = api.spreadsheets;
  const spreadsheetId = SHEET;
  const got = await values.get({ spreadsheetId, range: "Sheet1" });
  assert.deepEqual(got.data.values, BOOK.tabs[0]?.rows);
  const raw = { spreadsheetId, valueInputOption: "RAW" };
  const row = [["2", "Grâce O'Neil"]];
  await values.append({ ...raw, range: "Sheet1", requestBody: { values: row } });
  const requests = [{ addSheet: { properties: { title: "More" } } }];
  await api.spreadsheets.batchUpdate({ spreadsheetId, requestBody: { requests } });
  await values.update({ ...raw, range: "More", requestBody: { values: [["x"]] } });
  const both = await values.batchGet({ spreadsheetId, ranges: ["Sheet1", "More"] });
  const lengths = both.data.valueRanges?.map((range) => range.values?.length);
  assert.deepEqual(lengths, [3, 1]);
  const book = await api.spreadsheets.get({ spreadsheetId });
  const titles = book.data.sheets?.map((sheet) => sheet.properties?.title);
  assert.deepEqual(titles, ["Sheet1", "More"]);
  const made = await api.spreadsheets.create({ requestBody: { properties: { title: "New" } } });
  const fresh = made.data.spreadsheetId;
  assert.ok(fresh);
  assert.equal((await values.get({ spreadsheetId: fresh, range: "Sheet1" })).status, 200);
  const { reads, writes, tokens } = w.emulator.counters.requests();
  assert.deepEqual([reads, writes, tokens], [4, 4, 1], "one token serves all calls");
});

test("errors arrive as Google's", async (t) => {
  const { api, w } = await client(t, {
    quota: { perUser: perMinute(4), overshoot: 0, lockout: seconds(60) },
  });
  const read = (spreadsheetId: string, range: string) =>
    failure(api.spreadsheets.values.get({ spreadsheetId, range }));
  const badRange = await read(SHEET, "NOPE!A5:F15");
  assert.deepEqual(badRange.response?.data.error, {
    code: 400,
    message: "Unable to parse range: NOPE!A5:F15",
    status: "INVALID_ARGUMENT",
  });
  assert.equal((await read("nowhere", "A1")).response?.data.error.status, "NOT_FOUND");
  const unknown = {
    requests: [{ DeleteRange: {} } as object],
  } satisfies sheets_v4.Schema$BatchUpdateSpreadsheetRequest;
  const bad = await failure(
    api.spreadsheets.batchUpdate({ spreadsheetId: SHEET, requestBody: unknown }),
  );
  assert.match(bad.message, /Unknown name "DeleteRange" at 'requests\[0\]': Cannot find field\./);
  w.emulator.order("status=503");
  assert.equal((await read(SHEET, "Sheet1")).response?.data.error.status, "UNAVAILABLE");
  await read("nowhere", "A1");
  await read("nowhere", "A1");
  const over = await read(SHEET, "Sheet1");
  assert.equal(over.response?.data.error.status, "RESOURCE_EXHAUSTED");
  assert.match(over.message, /^Quota exceeded for quota metric 'Read requests'/);
});

test("a lost answer reaches the client as a broken connection, and the row is there", async (t) => {
  const { api, w } = await client(t);
  const { values } = api.spreadsheets;
  const range = { spreadsheetId: SHEET, range: "Sheet1" };
  const row = ["9", "lost"];
  await values.get(range);
  w.emulator.order("drop,applied,method=values.append");
  const append = { ...range, valueInputOption: "RAW", requestBody: { values: [row] } };
  assert.equal((await failure(values.append(append))).code, "ECONNRESET");
  assert.deepEqual((await values.get(range)).data.values?.at(-1), row);
});

test("a wrong key is invalid_grant", async (t) => {
  const { w, jwt, api } = await client(t);
  jwt.email = "someone@else.invalid";
  const refused = await failure(api.spreadsheets.get({ spreadsheetId: SHEET }));
  assert.match(refused.message, /invalid_grant/);
  assert.equal(w.emulator.counters.requests().reads, 0);
});
