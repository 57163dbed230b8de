import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { http } from "../../src/base/http.ts";
import { systemClock } from "../../src/base/clock.ts";
import { ms } from "../../src/base/units.ts";
import { createGoogle } from "../../src/broker/google.ts";

interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly type: string | undefined;
  readonly body: Buffer;
}

const asked: Asked[] = [];
let answer: { status: number; body: unknown } = { status: 200, body: {} };
const server = http.createServer((req: IncomingMessage, res) => {
  const parts: Buffer[] = [];
  req.on("data", (part: Buffer) => parts.push(part));
  req.on("end", () => {
    const url = new URL(req.url ?? "/", "http://x");
    asked.push({ method: req.method ?? "", url, type: req.headers["content-type"], body: Buffer.concat(parts) });
    res.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
  });
});
let google: ReturnType<typeof createGoogle>;

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const sheetsEndpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  google = createGoogle({
    spreadsheetId: "s1",
    account: undefined,
    sheetsEndpoint,
    oauthEndpoint: undefined,
    timeout: ms(2_000),
    clock: systemClock,
  });
});
after(() => {
  google.close();
  server.closeAllConnections();
  server.close();
});

const last = (): Asked => asked.at(-1) as Asked;
const refusal = (status: number, message: string): typeof answer => ({ status, body: { error: { code: status, message } } });

test("a sealed body goes as it is, byte for byte", async () => {
  const body = Buffer.from('{ "requests" :[{"x": "ü\\u00e9 =1"}],\n "z":1.0 }');
  answer = { status: 200, body: { spreadsheetId: "s1", replies: [] } };
  const view = new Uint8Array(Buffer.concat([Buffer.from("before"), body])).subarray(6);
  assert.equal((await google.batchUpdate(view, "spreadsheetId")).is, "ok");
  assert.deepEqual([last().method, last().url.pathname, last().type], ["POST", "/v4/spreadsheets/s1:batchUpdate", "application/json"]);
  assert.equal(last().url.searchParams.get("fields"), "spreadsheetId");
  assert.ok(last().body.equals(body));
  assert.equal((await google.updateByFilter(view)).is, "ok");
  assert.equal(last().url.pathname, "/v4/spreadsheets/s1/values:batchUpdateByDataFilter");
  assert.ok(last().body.equals(body));
});

test("only a 400 is a refusal; only an answer that names the spreadsheet is one", async () => {
  const body = Buffer.from("{}");
  const is = async (given: typeof answer): Promise<string> => {
    answer = given;
    return (await google.batchUpdate(body, "spreadsheetId")).is;
  };
  assert.equal(await is(refusal(400, "Invalid requests[0]: Unable to parse range: x")), "refused");
  assert.equal(await is(refusal(403, "no")), "denied");
  assert.equal(await is(refusal(404, "no")), "denied");
  assert.equal(await is(refusal(429, "no")), "locked");
  assert.equal(await is(refusal(500, "no")), "unavailable");
  assert.equal(await is(refusal(409, "no")), "malformed");
  assert.equal(await is({ status: 200, body: {} }), "malformed");
  assert.equal(await is({ status: 200, body: null }), "malformed");
  answer = refusal(429, "no");
  assert.match(JSON.stringify(await google.updateByFilter(body)), /Google's write quota is used up/);
});

test("metadata: its value, or that there is none; all of a key; the tabs' ids", async () => {
  answer = { status: 200, body: { metadataId: 7, metadataValue: "v" } };
  assert.deepEqual(await google.metadata(7), { is: "ok", value: "v" });
  assert.equal(last().url.pathname, "/v4/spreadsheets/s1/developerMetadata/7");
  answer = { status: 200, body: { metadataId: 8 } };
  assert.equal((await google.metadata(7)).is, "malformed");
  answer = refusal(404, "No developer metadata with ID 7.");
  assert.deepEqual(await google.metadata(7), { is: "ok", value: undefined });
  answer = { status: 200, body: {} };
  assert.deepEqual(await google.search("drover"), { is: "ok", value: [] });
  assert.deepEqual(JSON.parse(last().body.toString()), { dataFilters: [{ developerMetadataLookup: { metadataKey: "drover" } }] });
  const location = { locationType: "ROW", dimensionRange: { dimension: "ROWS", startIndex: 1, endIndex: 2 } };
  answer = { status: 200, body: { matchedDeveloperMetadata: [{ developerMetadata: { metadataId: 9, metadataValue: "t", location } }] } };
  assert.deepEqual(await google.search("drover"), { is: "ok", value: [{ id: 9, value: "t", onRow: true }] });
  answer = { status: 200, body: { sheets: [{ properties: { title: "A" } }, { properties: { title: "B", sheetId: 12 } }] } };
  const ids = await google.sheetIds();
  assert.deepEqual(ids.is === "ok" ? [...ids.value] : ids, [
    ["A", 0],
    ["B", 12],
  ]);
});
