import assert from "node:assert/strict";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import net from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { gunzipSync } from "node:zlib";
import { perMinute, seconds } from "../../../src/base/units.ts";
import { createEngine } from "../../../src/tools/emulator/engine/engine.ts";
import type { Engine } from "../../../src/tools/emulator/engine.types.ts";
import { acceptsGzip } from "../../../src/tools/emulator/write-response.ts";
import { eventually } from "../../support/wait.ts";
import { folder, SHEET, world } from "./world.ts";

const VALUES = `/v4/spreadsheets/${SHEET}/values/Sheet1`;
const APPEND = `${VALUES}:append?valueInputOption=RAW`;

test("an answer has Google's headers, layout and no validator", async (t) => {
  const w = await world(t);
  const answer = await w.call("GET", VALUES);
  assert.equal(answer.status, 200);
  const text = answer.body.toString();
  assert.equal(text, `${JSON.stringify(JSON.parse(text), null, 2)}\n`);
  const { headers } = answer;
  assert.equal(headers["content-type"], "application/json; charset=UTF-8");
  assert.equal(headers["vary"], "Origin, X-Origin, Referer");
  assert.equal(headers["cache-control"], "private");
  assert.equal(headers["server"], "ESF");
  assert.equal(headers["transfer-encoding"], "chunked");
  for (const absent of ["etag", "last-modified", "alt-svc", "content-length", "x-powered-by"])
    assert.equal(headers[absent], undefined, absent);
  const bare = await w.call("GET", `${VALUES}?prettyPrint=false`);
  assert.equal(bare.body.toString(), JSON.stringify(JSON.parse(text)));
});

test("gzip when it is accepted, and only then", async (t) => {
  const w = await world(t);
  const authorization = `Bearer ${await w.token()}`;
  const zipped = await w.ask("GET", VALUES, {
    headers: { authorization, "accept-encoding": "gzip, deflate" },
  });
  assert.equal(zipped.headers["content-encoding"], "gzip");
  assert.deepEqual(
    JSON.parse(gunzipSync(zipped.body).toString()),
    (await w.call("GET", VALUES)).json(),
  );
  for (const yes of ["gzip", "br, gzip;q=0.5", "*", "GZIP"]) assert.ok(acceptsGzip(yes), yes);
  for (const no of [undefined, "", "br", "gzip;q=0", "gzip;q=0.0", "x-gzip2", "identity"])
    assert.ok(!acceptsGzip(no), String(no));
});

test("unknown paths and verbs get an HTML page", async (t) => {
  const w = await world(t);
  for (const [verb, path] of [
    ["GET", "/v4/nope"],
    ["DELETE", VALUES],
    ["GET", "/"],
    ["GET", "/token"],
    ["GET", "/emulator/faults"],
    ["GET", "/<script>"],
  ] as const) {
    const page = await w.call(verb, path);
    assert.equal(page.status, 404, path);
    assert.equal(page.headers["content-type"], "text/html; charset=UTF-8");
    assert.match(page.body.toString(), /<b>404\.<\/b> <ins>That’s an error/);
    assert.doesNotMatch(page.body.toString(), /<script>/);
  }
});

test("bad bodies and queries are 400 with field violations", async (t) => {
  const w = await world(t);
  const headers = { authorization: `Bearer ${await w.token()}` };
  const put = async (raw: string | Buffer, path = `${VALUES}?valueInputOption=RAW`) =>
    (await w.ask("PUT", path, { headers, raw })).json().error;
  const recorded = await put('{"values": "X", "majorDimension": null}');
  const description = `Invalid value at 'data.values' (type.googleapis.com/google.protobuf.ListValue), "X"`;
  assert.deepEqual(recorded, {
    code: 400,
    message: description,
    status: "INVALID_ARGUMENT",
    details: [
      {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        fieldViolations: [{ field: "data.values", description }],
      },
    ],
  });
  assert.equal(
    (await put('{"values": [["a"],}')).message,
    'Invalid JSON payload received. Unexpected token.\n{"values": [["a"],}\n                  ^',
  );
  assert.match((await put('{"values": [["a"')).message, /^Invalid JSON payload received\. /);
  assert.match((await put(Buffer.from([0x22, 0xff, 0x22]))).message, /non UTF-8/);
  assert.match(
    (await put("{}", `${VALUES}?valueInputOptions=RAW`)).message,
    /Unknown name "valueInputOptions": Cannot bind query parameter/,
  );
  assert.match((await put("{}", `${VALUES}?alt=proto`)).message, /alt=json/);
  assert.match((await put(`{"values":${"[".repeat(100_000)}`)).message, /Invalid JSON payload/);
});

test("a body over 10 MB is refused before it has arrived", async (t) => {
  const w = await world(t);
  const { port } = w.emulator.server.address() as AddressInfo;
  const socket = net.connect(port, "127.0.0.1");
  socket.write(`PUT ${VALUES} HTTP/1.1\r\nHost: x\r\nContent-Length: 10485761\r\n\r\n`);
  const [chunk] = (await once(socket, "data")) as [Buffer];
  assert.match(
    chunk.toString(),
    /^HTTP\/1\.1 400 [\s\S]*Request payload size exceeds the limit: 10485760 bytes\./,
  );
  socket.destroy();
  const authorization = `Bearer ${await w.token()}`;
  const streamed = w.ask("PUT", VALUES, {
    headers: { authorization, "transfer-encoding": "chunked" },
    raw: Buffer.alloc(11_000_000, " "),
  });
  const outcome = await streamed.then(
    (r) => r.status,
    (e: NodeJS.ErrnoException) => e.code,
  );
  assert.ok([400, "EPIPE", "ECONNRESET"].includes(outcome ?? ""), String(outcome));
  assert.equal((await w.call("GET", VALUES)).status, 200);
});

test("quota: 429 without Retry-After, tokens and pages are free, the write pool is another", async (t) => {
  const w = await world(t, {
    quota: { perUser: perMinute(2), overshoot: 0, lockout: seconds(60) },
  });
  const statuses: number[] = [];
  for (let i = 0; i < 3; i += 1) statuses.push((await w.call("GET", VALUES)).status);
  assert.deepEqual(statuses, [200, 200, 429]);
  const refused = await w.call("GET", VALUES);
  assert.equal(refused.headers["retry-after"], undefined);
  assert.equal(
    refused.json().error.details[0].metadata.quota_limit,
    "ReadRequestsPerMinutePerUser",
  );
  assert.equal((await w.call("POST", APPEND, { values: [["a"]] })).status, 200);
  assert.deepEqual(w.emulator.counters.requests(), {
    reads: 4,
    writes: 1,
    tokens: 1,
    byMethod: { "sheets.spreadsheets.values.get": 4, "sheets.spreadsheets.values.append": 1 },
    byStatus: { 200: 4, 429: 2 },
  });
});

test("an exception of the engine is 500, and the next call is answered", async (t) => {
  const broken = (dump?: unknown): Engine => {
    const engine = createEngine(dump);
    return {
      ...engine,
      call(call) {
        if (call.method.endsWith("batchUpdate")) throw new Error("the engine has a fault");
        return engine.call(call);
      },
    };
  };
  const w = await world(t, { engine: broken });
  const failed = await w.call("POST", `/v4/spreadsheets/${SHEET}:batchUpdate`, { requests: [] });
  assert.deepEqual([failed.status, failed.json().error.status], [500, "INTERNAL"]);
  assert.equal((await w.call("GET", VALUES)).status, 200);
});

test("when the disk has failed, writes and reads are 503", async (t) => {
  const dir = folder();
  const failures: Error[] = [];
  const onFailure = (error: Error) => void failures.push(error);
  const w = await world(t, { dataDir: dir, keyFile: join(folder(), "key.json"), onFailure });
  assert.equal((await w.call("GET", VALUES)).status, 200);
  await rm(dir, { recursive: true });
  for (const [verb, path] of [
    ["POST", APPEND],
    ["GET", VALUES],
  ] as const) {
    const body = verb === "POST" ? { values: [["a"]] } : undefined;
    const refused = await w.call(verb, path, body);
    assert.deepEqual([refused.status, refused.json().error.status], [503, "UNAVAILABLE"]);
  }
  assert.equal(failures.length, 1);
});

/** An emulator whose pauses end when the test calls the functions, oldest first. */
async function paused(t: TestContext) {
  const pauses: (() => void)[] = [];
  const sleep = () => new Promise<void>((end) => void pauses.push(end));
  const w = await world(t, { latency: "slow", sleep });
  const authorization = `Bearer ${await w.token()}`;
  const ask = (method: string, path: string, body?: unknown) =>
    w.ask(method, path, { headers: { authorization }, body });
  return { w, ask, pause: () => eventually("the call waits", () => pauses.shift()) };
}

test("half of the latency passes before the effect, half after it", async (t) => {
  const { w, ask, pause } = await paused(t);
  const call = ask("POST", APPEND, { values: [["2"]] });
  const before = await pause();
  assert.equal((await w.emulator.rows(SHEET, "Sheet1")).length, 2);
  before();
  const after = await pause();
  assert.equal((await w.emulator.rows(SHEET, "Sheet1")).length, 3);
  after();
  assert.equal((await call).status, 200);
});

test("close lets calls in flight end, and tells their clients to leave", async (t) => {
  const { w, ask, pause } = await paused(t);
  const call = ask("GET", VALUES);
  (await pause())();
  const end = await pause();
  const closed = w.emulator.close(seconds(60));
  end();
  const answer = await call;
  assert.deepEqual([answer.status, answer.headers["connection"]], [200, "close"]);
  await closed;
});
