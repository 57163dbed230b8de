import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { systemClock } from "../../src/base/clock.ts";
import { DroverError } from "../../src/base/errors.ts";
import { ms, type Timestamp } from "../../src/base/units.ts";
import { lockedUntil } from "../../src/broker/answers.ts";
import { readServiceAccount } from "../../src/broker/credentials.ts";
import { createGoogle } from "../../src/broker/google.ts";
import type { Upstream } from "../../src/broker/upstream.ts";
import { temporaryFolder } from "../support/folder.ts";
import { answerJson, EMAIL, FakeGoogle, googleError, keyFile, quotaError, SPREADSHEET, truncated } from "./upstream.ts";

const account = readServiceAccount(keyFile());
let fake: FakeGoogle;
let google: Upstream;
const connect = (timeout = 5_000): Upstream =>
  createGoogle({
    spreadsheetId: SPREADSHEET,
    account,
    sheetsEndpoint: fake.url,
    oauthEndpoint: fake.url,
    timeout: ms(timeout),
    clock: systemClock,
  });

beforeEach(async () => {
  fake = await new FakeGoogle().start();
  fake.tabs
    .set("players", [
      ["id", "name"],
      ["p1", "Ada"],
    ])
    .set("log", [["id"]]);
  google = connect();
});
afterEach(async () => {
  google.close();
  await fake.stop();
});
after(() => {});

test("values of another tab than the one asked for are no values", async () => {
  const valueRanges = [{ range: "players!A1:B2", values: [["id"]] }, { range: "players!A1", values: [["id"]] }]; // prettier-ignore
  fake.faults.push(answerJson(200, { valueRanges }));
  fake.faults.push(answerJson(200, { valueRanges: [{ values: [["id"]] }] }));
  const outcome = await google.read(["'PLAYERS'!A:B", "'A1'"]);
  assert.equal((await google.read(["'PLAYERS'"])).is, "malformed");
  assert.deepEqual(outcome, { is: "noRange", range: "'A1'", message: "Google read players!A1 in place of 'A1', another tab" });
});

test("one batchGet: the query, the token, the values in order", async () => {
  assert.deepEqual(await google.read(["players", "log"]), {
    is: "ok",
    value: [
      [
        ["id", "name"],
        ["p1", "Ada"],
      ],
      [["id"]],
    ],
  });
  const [call] = fake.apiCalls;
  assert.equal(call?.path, `/v4/spreadsheets/${SPREADSHEET}/values:batchGet`);
  assert.deepEqual(call.query.getAll("ranges"), ["'players'", "'log'"]);
  assert.deepEqual(
    ["majorDimension", "valueRenderOption", "dateTimeRenderOption", "fields", "prettyPrint"].map((name) => call.query.get(name)),
    ["ROWS", "UNFORMATTED_VALUE", "FORMATTED_STRING", "valueRanges(range,values)", "false"],
  );
  assert.equal(call.authorization, "Bearer token-1");
  assert.deepEqual(await google.tabs(), { is: "ok", value: ["players", "log"] });
  assert.equal(fake.tokenCalls, 1);
});

test("a token that is refused is renewed once, by one request for all who wait", async () => {
  await google.read(["log"]);
  fake.expireTokens();
  const all = await Promise.all(Array.from({ length: 10 }, () => google.read(["log"])));
  assert.ok(all.every(({ is }) => is === "ok"));
  assert.equal(fake.tokenCalls, 2);
  fake.standing = googleError(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
  const before = fake.apiCalls.length;
  assert.equal((await google.read(["log"])).is, "denied");
  assert.equal(fake.apiCalls.length - before, 2, "one retry, then no more");
});

test("no retries: one request each for 429, 500, 503 and a reset", async () => {
  const faults = [
    quotaError(),
    googleError(500, "INTERNAL", "Internal error"),
    googleError(503, "UNAVAILABLE", "The service is currently unavailable."),
  ];
  const outcomes: string[] = [];
  for (const fault of [...faults, (req: { socket: { destroy(): void } }) => req.socket.destroy()]) {
    fake.faults.push(fault);
    outcomes.push((await google.read(["log"])).is);
  }
  assert.deepEqual(outcomes, ["locked", "unavailable", "unavailable", "unavailable"]);
  assert.equal(fake.apiCalls.length, 4);
});

test("a spreadsheet that can't be seen names the address to share it with", async () => {
  for (const fault of [
    googleError(403, "PERMISSION_DENIED", "The caller does not have permission"),
    googleError(404, "NOT_FOUND", "Requested entity was not found."),
  ]) {
    fake.faults.push(fault);
    const outcome = await google.read(["log"]);
    assert.ok(outcome.is === "denied");
    assert.match(outcome.message, new RegExp(`can't see the spreadsheet ${SPREADSHEET}: share it with ${EMAIL}`));
  }
});

test("the end of a lock-out: from the window that the body names, else a minute and a second", async () => {
  const now = 1_800_000_030_000 as Timestamp;
  const body = (start: unknown) => ({ error: { details: [{ metadata: { window_start_time: start } }] } });
  assert.equal(lockedUntil(body("1800000000"), now), 1_800_000_060_000);
  assert.equal(lockedUntil(body(1_800_000_000_000), now), 1_800_000_060_000);
  assert.equal(lockedUntil(body("2027-01-15T08:00:00Z"), now), 1_800_000_060_000);
  for (const nonsense of ["1", "soon", null, -5, 9e15, {}]) assert.equal(lockedUntil(body(nonsense), now), now + 61_000);
  for (const data of [undefined, "<html>", [], { error: { details: 7 } }, { error: { details: [null] } }])
    assert.equal(lockedUntil(data, now), now + 61_000);
  fake.faults.push(quotaError());
  const outcome = await google.read(["log"]);
  assert.ok(outcome.is === "locked");
  assert.equal(outcome.message, "Google's read quota is used up (ReadRequestsPerMinutePerUser)");
});

test("a deadline for the whole call: a hang, a drip, a slow token", async () => {
  google = connect(300);
  await google.read(["log"]);
  const drip = (_: unknown, res: import("node:http").ServerResponse): void => {
    res.writeHead(200, { "content-type": "application/json" });
    const timer = setInterval(() => res.write(" "), 20);
    res.on("close", () => clearInterval(timer));
  };
  for (const fault of [() => {}, drip]) {
    fake.faults.push(fault);
    const outcome = await google.read(["log"]); // a deadline between two bytes would never end the drip
    assert.deepEqual(outcome, { is: "unavailable", cause: "timeout", message: "no answer within 300 ms" });
  }
  fake.tokenFault = () => {};
  google = connect(300);
  assert.equal((await google.read(["log"])).is, "unavailable");
});

test("what is no answer: HTML, JSON of another shape, half a gzip, half a body", async () => {
  const html = (status: number) => (_: unknown, res: import("node:http").ServerResponse) =>
    void res.writeHead(status, { "content-type": "text/html" }).end("<html>We're sorry...</html>");
  const cut = (_: unknown, res: import("node:http").ServerResponse): void => {
    res.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
    res.write('{"valueRanges":[', () => res.destroy());
  };
  const wanted: readonly [string, (req: never, res: never) => void][] = [
    ["malformed", html(200)],
    ["denied", html(404)],
    ["unavailable", html(502)],
    ["locked", html(429)],
    ["malformed", answerJson(200, { valueRanges: [] })],
    ["malformed", answerJson(200, { valueRanges: [{}, {}] })],
    ["malformed", answerJson(200, null)],
    ["malformed", answerJson(200, "text")],
    ["malformed", answerJson(418, {})],
    ["malformed", truncated(JSON.stringify({ valueRanges: [{ values: [["x".repeat(5_000)]] }] }))],
    ["unavailable", cut],
  ];
  for (const [is, fault] of wanted) {
    fake.faults.push(fault as never);
    assert.equal((await google.read(["log"])).is, is, fault.toString());
  }
});

test("a range that is not there is told by name", async () => {
  const outcome = await google.read(["log", "nope"]);
  assert.ok(outcome.is === "noRange");
  assert.equal(outcome.range, "nope");
});

test("a range beyond the grid is that table's fault alone, not Google's", async () => {
  fake.faults.push(
    googleError(400, "INVALID_ARGUMENT", "Range ('My Log'!AB5:AD1000) exceeds grid limits. Max rows: 1000, max columns: 26"),
  );
  const outcome = await google.read(["log"]);
  assert.ok(outcome.is === "noRange");
  assert.equal(outcome.range, "'My Log'!AB5:AD1000");
});

test("a reading that is refused without a range's name: it is one of its ranges, not all of them", async () => {
  fake.faults.push(googleError(400, "INVALID_ARGUMENT", "Request contains an invalid argument."));
  const outcome = await google.read(["log", "nope"]);
  assert.deepEqual([outcome.is, outcome.is === "noRange" && outcome.range], ["noRange", ""]);
});

test("a gzip bomb and an endless body end at 32 MB", async () => {
  const piece = gzipSync(Buffer.alloc(1_048_576, " ")); // members of a gzip file may follow each other without end
  fake.faults.push((_, res) => {
    res.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
    const more = (): void => {
      if (!res.closed) res.write(piece, () => setImmediate(more));
    };
    more();
  });
  const patient = connect(60_000);
  assert.equal((await patient.read(["log"])).is, "tooLarge");
  fake.faults.push((_, res) => void res.writeHead(200, { "content-length": String(10 ** 9) }).write("x"));
  assert.equal((await patient.read(["log"])).is, "tooLarge");
  patient.close();
});

test("a redirect is refused: nothing follows it, so the token goes nowhere", async () => {
  const other = await new FakeGoogle().start();
  try {
    for (const status of [301, 302, 307, 308]) {
      fake.faults.push((_, res) => void res.writeHead(status, { location: `${other.url}/v4/steal` }).end());
      assert.equal((await google.read(["log"])).is, "malformed");
    }
    fake.tokenFault = (_, res) => void res.writeHead(307, { location: `${other.url}/token` }).end();
    fake.expireTokens();
    assert.equal((await connect().read(["log"])).is, "malformed");
    assert.equal(other.asked.length, 0);
  } finally {
    await other.stop();
  }
});

test("the token endpoint: refused key, outage, nonsense; asked once each", async () => {
  fake.tokenFault = answerJson(400, { error: "invalid_grant", error_description: "Invalid JWT Signature." });
  const refused = await google.read(["log"]);
  assert.ok(refused.is === "denied");
  assert.match(refused.message, new RegExp(`does not accept the key of ${EMAIL} \\(invalid_grant: Invalid JWT Signature\\.\\)`));
  fake.tokenFault = googleError(503, "UNAVAILABLE", "x");
  assert.equal((await google.read(["log"])).is, "unavailable");
  fake.tokenFault = answerJson(200, { hello: 1 });
  assert.equal((await google.read(["log"])).is, "unavailable");
  assert.equal(fake.tokenCalls, 3);
  fake.tokenFault = undefined;
  assert.equal((await google.read(["log"])).is, "ok");
});

test("nobody there, no such name", async () => {
  await fake.stop();
  const outcome = await google.read(["log"]);
  assert.equal(outcome.is, "unavailable");
  await fake.start();
  const lost = createGoogle({
    spreadsheetId: SPREADSHEET,
    account: undefined,
    sheetsEndpoint: "http://nowhere.invalid",
    oauthEndpoint: undefined,
    timeout: ms(4_000),
    clock: systemClock,
  });
  assert.equal((await lost.read(["log"])).is, "unavailable");
});

test("no message holds a token or a key", async () => {
  fake.faults.push(googleError(403, "X", "no"), (_, res) => res.destroy(), answerJson(500, {}));
  for (let i = 0; i < 3; i += 1) assert.doesNotMatch(JSON.stringify(await google.read(["log"])), /token-\d|PRIVATE/);
});

test("a key file that can't be used: what is wrong, which file, never what is in it", () => {
  const folder = temporaryFolder("key");
  const file = (name: string, text: string): string => (writeFileSync(join(folder, name), text), join(folder, name));
  const locked = file("locked", "{}");
  chmodSync(locked, 0);
  const cases: readonly [string, RegExp][] = [
    [join(folder, "none"), /does not exist/],
    [folder, /is a directory/],
    [file("text", "-----BEGIN PRIVATE KEY----- s3cret"), /is not JSON/],
    [file("null", "null"), /holds no credential/],
    [file("user", '{"type": "authorized_user", "refresh_token": "s3cret"}'), /a credential of type "authorized_user"/],
    [keyFile({ client_email: 7 }), /has no client_email/],
    [keyFile({ private_key: undefined }), /has no private_key/],
    [keyFile({ private_key: "s3cret" }), /not a PEM key/],
    [file("big", `"${"s3cret".repeat(20_000)}"`), /it is larger than 65536 bytes/],
    ...(process.getuid?.() === 0 ? [] : [[locked, /can't be read by this user/] as [string, RegExp]]),
  ];
  for (const [path, message] of cases)
    assert.throws(
      () => readServiceAccount(path),
      (e: unknown) => {
        assert.ok(e instanceof DroverError && e.code === "DROVER_E_CREDENTIALS" && e.exit === 78);
        assert.match(e.message, message);
        assert.ok(e.message.includes(path) && !/s3cret|BEGIN/.test(e.message));
        return true;
      },
    );
});
