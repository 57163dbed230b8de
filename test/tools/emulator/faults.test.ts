/** Each fault over HTTP, as a client meets it; and which calls it hits. */
import assert from "node:assert/strict";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { test, type TestContext } from "node:test";
import { gunzipSync } from "node:zlib";
import { http } from "../../../src/base/http.ts";
import { type Instant, type Timestamp } from "../../../src/base/units.ts";
import { answerAdmin, type AdminPorts } from "../../../src/tools/emulator/admin.ts";
import { readFaultSpecs } from "../../../src/tools/emulator/fault-spec.ts";
import type { EmulatorOptions } from "../../../src/tools/emulator/server.ts";
import { request, SHEET, world, type Reply, type World } from "./world.ts";

const BOOK = `/v4/spreadsheets/${SHEET}`;
const VALUES = `${BOOK}/values/Sheet1`;
const ADMIN = "an-admin-token-of-tests";

interface Faulty extends World {
  /** Orders faults by spec. */
  order(spec: string): Promise<void>;
  admin(method: string, path: string, body?: string, headers?: OutgoingHttpHeaders): Promise<Reply>;
  get(): Promise<Reply>;
  append(...values: string[]): Promise<Reply>;
  /** First cells of the rows below the header, as the engine has them. */
  ids(): Promise<unknown[]>;
}

async function faulty(t: TestContext, options: Partial<EmulatorOptions> = {}): Promise<Faulty> {
  const w = await world(t, { adminToken: ADMIN, ...options });
  const admin: Faulty["admin"] = (method, path, body, headers = {}) =>
    w.ask(method, path, {
      headers: { authorization: `Bearer ${ADMIN}`, "content-type": "text/plain", ...headers },
      ...(body === undefined ? {} : { raw: body }),
    });
  return {
    ...w,
    admin,
    async order(spec) {
      const answer = await admin("POST", "/emulator/faults", spec);
      assert.equal(answer.status, 201, answer.body.toString());
    },
    get: () => w.call("GET", VALUES),
    append: (...values) =>
      w.call("POST", `${VALUES}:append?valueInputOption=RAW`, { values: [values] }),
    ids: async () => (await w.emulator.rows(SHEET, "Sheet1")).slice(1).map(([id]) => id),
  };
}

const reset = (call: Promise<unknown>): Promise<void> =>
  assert.rejects(call, { code: "ECONNRESET" });

/** Sends a read and gives its head and what comes of its body, which may never end. */
function begin(w: World, token: string, gzip = false): Promise<IncomingMessage> {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(gzip ? { "accept-encoding": "gzip" } : {}),
  };
  return new Promise((resolve, reject) => {
    http.get(`${w.url}${VALUES}`, { headers, agent: false }, resolve).on("error", reject);
  });
}

test("latency: the call is held, before its effect or after it", async (t) => {
  const w = await faulty(t);
  await w.get();
  const there = async (rows: number): Promise<number> => {
    while ((await w.ids()).length < rows) await new Promise((resolve) => setTimeout(resolve, 2));
    return performance.now();
  };
  await w.order("latency=300ms,method=write");
  const since = performance.now();
  const held = w.append("a");
  assert.ok((await there(2)) - since >= 299, "held before its effect");
  await held;
  await w.order("latency=1s,method=write,applied");
  let answered = false;
  const applied = w.append("b").then(() => (answered = true));
  await there(3);
  assert.equal(answered, false, "the row is there, and its answer is not");
  await applied;
});

test("1.1: quota: 429 with Google's body until the lock-out ends, to this pool alone, also without a quota", async (t) => {
  let at = 0;
  const began = Date.now();
  const clock = { now: () => at as Instant, wall: () => (began + at) as Timestamp };
  const w = await faulty(t, { clock });
  await w.order("quota=30s,method=write");
  const refused = await w.append("a");
  assert.equal(refused.status, 429);
  const { error } = refused.json();
  assert.match(
    error.message,
    /^Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute per user'/,
  );
  assert.equal(error.details[0].metadata.quota_limit_value, "60");
  assert.equal(error.details[0].metadata.window_start_time, String(Math.floor(began / 1_000)));
  assert.equal((await w.get()).status, 200, "reads go on");
  at += 29_999;
  assert.equal((await w.append("b")).status, 429);
  at += 1;
  assert.equal((await w.append("c")).status, 200);
  assert.deepEqual(await w.ids(), ["1", "c"]);
});

test("1.1: status: 500 and 503 before the effect and after it", async (t) => {
  const w = await faulty(t);
  for (const status of [500, 503]) {
    await w.order(`status=${status},method=write;status=${status},method=write,applied`);
    const before = await w.append(`not ${status}`);
    assert.deepEqual([before.status, before.json().error.code], [status, status]);
    assert.equal((await w.append(`yes ${status}`)).status, status);
  }
  assert.deepEqual(await w.ids(), ["1", "yes 500", "yes 503"]);
});

test("drop: reset before the effect, after it without an answer, and within the answer", async (t) => {
  const w = await faulty(t);
  await w.get();
  for (const spec of ["drop", "drop,applied", "drop,applied,partial"]) {
    await w.order(`${spec},method=values.append`);
    await reset(w.append(spec));
  }
  assert.deepEqual(await w.ids(), ["1", "drop,applied", "drop,applied,partial"]);
});

test("late: answered now in a way that says nothing, carried out later", async (t) => {
  const w = await faulty(t);
  await w.get();
  await w.order("late=1500ms,method=write;late=1500ms,method=write,answer=503");
  const since = performance.now();
  await reset(w.append("a"));
  assert.equal((await w.append("b")).status, 503);
  assert.deepEqual(await w.ids(), ["1"], "nothing yet");
  assert.equal((await w.append("retry of a")).status, 200);
  while ((await w.ids()).length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(performance.now() - since >= 1_499);
  assert.deepEqual(
    await w.ids(),
    ["1", "retry of a", "a", "b"],
    "the first attempt comes after its retry",
  );
});

test("late: a call that is refused is not carried out later either", async (t) => {
  const w = await faulty(t);
  await w.order("late=1ms,method=write;status=503,method=write,applied");
  await reset(
    w.ask("POST", `${VALUES}:append?valueInputOption=RAW`, { body: { values: [["x"]] } }),
  );
  await w.append("a");
  assert.deepEqual(await w.ids(), ["1", "a"]);
});

test("hang: no answer, while the effect is there; the emulator's end ends it", async (t) => {
  const w = await faulty(t);
  await w.get();
  await w.order("hang,method=write,applied");
  const hung = w.append("a").then(
    () => "answered",
    () => "cut",
  );
  while ((await w.ids()).length < 2) await new Promise(setImmediate);
  await w.emulator.close();
  assert.equal(await hung, "cut");
});

test("drip: the true answer, a byte at a time", async (t) => {
  const w = await faulty(t);
  const token = await w.token();
  await w.order("drip=1ms");
  const res = await begin(w, token);
  let pieces = 0;
  let text = "";
  for await (const piece of res as AsyncIterable<Buffer>) {
    pieces += 1;
    text += piece.toString();
  }
  assert.equal(JSON.parse(text).range, "Sheet1!A1:Z1000");
  assert.ok(pieces > 10, `${pieces} pieces`);
});

test("malformed and truncated: a whole answer of half the JSON, and of half the gzip", async (t) => {
  const w = await faulty(t);
  await w.get();
  await w.order("malformed;truncated");
  const torn = await w.get();
  assert.equal(torn.status, 200);
  assert.throws(() => torn.json(), SyntaxError);
  const cut = await w.get();
  assert.equal(cut.headers["content-encoding"], "gzip");
  assert.throws(() => gunzipSync(cut.body), { code: "Z_BUF_ERROR" });
  assert.equal((await w.get()).json().values.length, 2, "and then all is well");
});

test("huge: 100 MB of JSON; bomb: the same in a hundredth of the bytes", async (t) => {
  const w = await faulty(t);
  const token = await w.token();
  await w.order("huge=100MB;bomb=100MB");
  const huge = await begin(w, token);
  let bytes = 0;
  for await (const piece of huge as AsyncIterable<Buffer>) bytes += piece.length;
  assert.equal(bytes, 100_000_001);
  const bomb = await begin(w, token, true);
  assert.equal(bomb.headers["content-encoding"], "gzip");
  const zipped = Buffer.concat(
    await (bomb as AsyncIterable<Buffer> & { toArray(): Promise<Buffer[]> }).toArray(),
  );
  assert.ok(zipped.length < 1_000_000, `${zipped.length} bytes`);
  assert.throws(() => gunzipSync(zipped, { maxOutputLength: 50_000_000 }), {
    code: "ERR_BUFFER_TOO_LARGE",
  });
});

test("huge: a client that hangs up ends it", async (t) => {
  const w = await faulty(t);
  const token = await w.token();
  await w.order("huge=1GB");
  (await begin(w, token)).destroy();
  assert.equal((await w.get()).status, 200);
});

test("expired: every token so far is 401 until the client asks for another", async (t) => {
  const w = await faulty(t);
  await w.get();
  await w.order("expired");
  for (let i = 0; i < 2; i += 1) {
    const refused = await w.get();
    assert.equal(refused.status, 401);
    assert.equal(refused.json().error.details[0].reason, "ACCESS_TOKEN_EXPIRED");
    assert.match(String(refused.headers["www-authenticate"]), /error="invalid_token"/);
  }
  const fresh = await w.ask("GET", VALUES, {
    headers: { authorization: `Bearer ${await w.token()}` },
  });
  assert.equal(fresh.status, 200);
});

test("denied: 403 as when the sheet is not shared any more, for as long as it is told", async (t) => {
  let at = 0;
  const w = await faulty(t, {
    clock: { now: () => at as Instant, wall: () => Date.now() as Timestamp },
  });
  await w.order("denied,for=10s");
  for (let i = 0; i < 3; i += 1) {
    const refused = await w.get();
    assert.deepEqual(
      [refused.status, refused.json().error.message],
      [403, "The caller does not have permission"],
    );
  }
  at += 10_000;
  assert.equal((await w.get()).status, 200);
  assert.deepEqual(w.emulator.faults.list(), []);
});

test("html: a page where JSON is expected; redirect: another address", async (t) => {
  const w = await faulty(t);
  await w.order("html=502;html=429;html=200;redirect=https://accounts.google.com/");
  for (const status of [502, 429, 200]) {
    const page = await w.get();
    assert.deepEqual(
      [page.status, page.headers["content-type"]],
      [status, "text/html; charset=UTF-8"],
    );
    assert.match(page.body.toString(), /^<!DOCTYPE html>/);
  }
  const away = await w.get();
  assert.deepEqual([away.status, away.headers.location], [302, "https://accounts.google.com/"]);
});

test("rename: the tab has another name when the call comes to it", async (t) => {
  const w = await faulty(t);
  await w.order("rename=Sheet1,to=Spieler");
  const gone = await w.get();
  assert.deepEqual(
    [gone.status, gone.json().error.message],
    [400, "Unable to parse range: Sheet1"],
  );
  assert.deepEqual((await w.call("GET", `${BOOK}/values/Spieler!A2`)).json().values, [["1"]]);
});

test("the token endpoint fails like any other", async (t) => {
  const w = await faulty(t);
  await w.order(
    "status=500,method=oauth.token;html=502,method=oauth.token;drop,method=oauth.token",
  );
  const ask = () => w.ask("POST", "/token", { raw: "" });
  assert.deepEqual([(await ask()).status, (await ask()).status], [500, 502]);
  await reset(ask());
  assert.equal((await ask()).json().error, "invalid_request");
});

const hits = async (w: Faulty, calls: number): Promise<string> => {
  const statuses: string[] = [];
  for (let i = 0; i < calls; i += 1) statuses.push((await w.get()).status === 200 ? "." : "x");
  return statuses.join("");
};

test("which calls: the next ones, every so manieth, after some, by chance, by method", async (t) => {
  const w = await faulty(t);
  await w.order("status=503,times=2");
  assert.equal(await hits(w, 4), "xx..");
  await w.order("status=503,every=3,times=2");
  assert.equal(await hits(w, 8), "..x..x..");
  await w.order("status=503,skip=2,times=1");
  assert.equal(await hits(w, 4), "..x.");
  await w.order("status=503,method=write,times=1");
  assert.equal(await hits(w, 2), "..");
  assert.equal((await w.append("a")).status, 503);
  await w.order("status=503,chance=0.5,seed=7");
  const first = await hits(w, 20);
  assert.match(first, /x.*\./);
  await w.admin("DELETE", "/emulator/faults");
  await w.order("status=503,chance=0.5,seed=7");
  assert.equal(await hits(w, 20), first, "the same seed, the same calls");
  await w.admin("DELETE", "/emulator/faults");
  await w.order("latency=1ms;sort=Sheet1;status=503;status=500");
  assert.equal(
    (await w.get()).status,
    503,
    "delays and edits take hold together, of those that decide the answer one",
  );
  assert.equal((await w.get()).status, 500);
});

test("faults from the start, and their counters", async (t) => {
  const faults = readFaultSpecs("status=503,method=read;drop,method=values.append,times=2");
  assert.ok(typeof faults !== "string");
  const w = await faulty(t, { faults });
  assert.equal((await w.get()).status, 503);
  await reset(w.append("a"));
  const { waiting, delivered } = (await w.admin("GET", "/emulator/faults")).json();
  assert.deepEqual(waiting, [
    { kind: "drop", method: "sheets.spreadsheets.values.append", applied: false, times: 1 },
  ]);
  const byMethod = { "sheets.spreadsheets.values.get": 1, "sheets.spreadsheets.values.append": 1 };
  assert.deepEqual(delivered, { total: 2, byKind: { status: 1, drop: 1 }, byMethod });
  assert.equal((await w.admin("GET", "/emulator/requests")).json().reads, 1);
});

test("without a token there are no such routes; with one they ask for it, and no page may", async (t) => {
  const closed = await world(t);
  assert.match((await closed.ask("GET", "/emulator/faults")).body.toString(), /404/);
  const w = await faulty(t);
  const bare = await request(`${w.url}/emulator/faults`, "GET", {}, undefined);
  assert.equal(bare.status, 401);
  for (const authorization of ["Bearer wrong", `Basic ${ADMIN}`, `Bearer ${await w.token()}`])
    assert.equal(
      (await w.admin("POST", "/emulator/faults", "hang", { authorization })).status,
      401,
    );
  assert.equal(
    (await w.admin("POST", "/emulator/faults", "hang", { origin: "http://evil.example" })).status,
    403,
  );
  assert.equal(
    (
      await w.admin("POST", "/emulator/faults", "hang", {
        "content-type": "application/x-www-form-urlencoded",
      })
    ).status,
    415,
  );
  assert.equal((await w.admin("GET", "/emulator/nothing")).status, 404);
  assert.equal((await w.admin("POST", "/emulator/faults", "x".repeat(70_000))).status, 413);
  assert.deepEqual(w.emulator.faults.list(), []);
  assert.equal((await w.get()).status, 200);
});

test("JSON says the same as a spec, and what is wrong is said in words", async (t) => {
  const w = await faulty(t);
  const json = { "content-type": "application/json" };
  const post = (body: unknown) => w.admin("POST", "/emulator/faults", JSON.stringify(body), json);
  const made = await post({ kind: "status", status: 503, method: "values.get", times: 2 });
  assert.deepEqual(made.json(), [
    {
      kind: "status",
      status: 503,
      method: "sheets.spreadsheets.values.get",
      applied: false,
      times: 2,
    },
  ]);
  for (const bad of [
    null,
    {},
    { kind: "nope" },
    { kind: "status", status: 200 },
    { kind: "hang", times: 0 },
    { kind: "__proto__" },
  ])
    assert.equal((await post(bad)).status, 400, JSON.stringify(bad));
  for (const bad of [
    { kind: "huge", bytes: 1e12 },
    { kind: "redirect", location: "a\r\nb" },
    { kind: "hang", method: "values.got" },
  ])
    assert.equal((await post(bad)).status, 400, JSON.stringify(bad));
  await w.admin("DELETE", "/emulator/faults");
  for (let i = 0; i < 1_000; i += 1)
    w.emulator.faults.arm({ kind: "hang", method: "*", times: 1, applied: false });
  assert.equal((await w.admin("POST", "/emulator/faults", "hang")).status, 409);
});

/** Sends a fenced batch until it is known to have landed. @returns how often it was sent. */
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
    const answer = await w.call("POST", `${BOOK}:batchUpdate`, { requests }).catch(() => undefined);
    if (answer?.status === 200) return sent;
    if (answer?.status === 400) {
      assert.match(
        answer.json().error.message,
        /Cannot add developer metadata with ID \[\d+\] because .* already exists\.$/,
      );
      return sent;
    }
  }
}

test("answers are lost, and first attempts land behind their retries: with a fence each batch is there once", async (t) => {
  const w = await faulty(t);
  await w.get();
  await w.order("drop,applied,every=3;late=30ms,every=4;status=503,applied,every=5;drop,every=7");
  let sent = 0;
  for (let nr = 0; nr < 100; nr += 1) sent += await land(w, nr);
  await new Promise((resolve) => setTimeout(resolve, 100)); // the last late one comes within 30 ms, and would be a duplicate
  const expected = ["1", ...Array.from({ length: 100 }, (_, nr) => `batch ${nr}`)];
  assert.deepEqual(new Set(await w.ids()), new Set(expected));
  assert.equal((await w.ids()).length, expected.length);
  assert.equal((await w.emulator.metadata(SHEET)).length, 100);
  const { byKind, total } = w.emulator.faults.delivered();
  t.diagnostic(`100 batches, ${sent} requests, ${total} faults: ${JSON.stringify(byKind)}`);
  assert.ok(sent > 140 && (byKind["late"] ?? 0) > 10);
});

test("only from this machine", async () => {
  const answers: number[] = [];
  const res = {
    writeHead: (status: number) => (answers.push(status), { end: () => {} }),
  } as unknown as ServerResponse;
  for (const remoteAddress of [
    "10.0.0.7",
    "::ffff:10.0.0.7",
    "fe80::1",
    "128.0.0.1",
    "127.0.0.1",
    "::ffff:127.0.0.1",
    "::1",
  ]) {
    const req = {
      socket: { remoteAddress },
      headers: {},
      url: "/emulator/faults",
      method: "GET",
    } as unknown as IncomingMessage;
    await answerAdmin(req, res, { token: ADMIN } as AdminPorts);
  }
  assert.deepEqual(answers, [403, 403, 403, 403, 401, 401, 401]);
});

test("a person edits between any two calls: tags follow their rows, and values written by tag find them", async (t) => {
  const w = await faulty(t);
  for (const id of ["5", "3", "9", "7"]) await w.append(id, `name of ${id}`);
  const lookup = (id: number) => ({ developerMetadataLookup: { metadataId: id } });
  const tag = (row: number, metadataId: number): object => ({
    createDeveloperMetadata: {
      developerMetadata: {
        metadataId,
        metadataKey: "row",
        location: {
          dimensionRange: { sheetId: 0, dimension: "ROWS", startIndex: row, endIndex: row + 1 },
        },
        visibility: "PROJECT",
      },
    },
  });
  await w.call("POST", `${BOOK}:batchUpdate`, {
    requests: [1, 2, 3, 4, 5].map((row) => tag(row, 100 + row)),
  });
  await w.order(
    "sort=Sheet1,column=B,descending,every=3;insert=Sheet1,row=2,every=2;move=Sheet1,row=6,to=3,every=5;delete=Sheet1,row=2,skip=11",
  );
  const names = ["1", "5", "3", "9", "7"];
  for (let round = 0; round < 20; round += 1) {
    const nr = round % names.length;
    const body = {
      valueInputOption: "RAW",
      data: [{ dataFilter: lookup(101 + nr), values: [[null, null, `round ${round}`]] }],
    };
    await w.call("POST", `${BOOK}/values:batchUpdateByDataFilter`, body);
    const read = await w.call("POST", `${BOOK}/values:batchGetByDataFilter`, {
      dataFilters: [lookup(101 + nr)],
    });
    const [found] = read.json().valueRanges ?? [];
    if (found !== undefined)
      assert.deepEqual(
        [found.valueRange.values[0][0], found.valueRange.values[0][2]],
        [names[nr], `round ${round}`],
      );
  }
  const { byKind } = w.emulator.faults.delivered();
  assert.deepEqual(byKind, { sort: 13, insert: 20, move: 8, delete: 1 });
});

test("edits by hand: over HTTP and in process, refused in Google's words", async (t) => {
  const w = await faulty(t);
  await w.append("0", "Zoë");
  const edit = (spec: string) => w.admin("POST", `/emulator/edits?spreadsheet=${SHEET}`, spec);
  assert.equal(
    (await edit("sort=Sheet1;insert=Sheet1,row=2,count=2;type=Sheet1,at=B2,value=12.5")).status,
    200,
  );
  const rows = await w.admin("GET", `/emulator/rows?spreadsheet=${SHEET}&tab=Sheet1`);
  assert.deepEqual(rows.json(), [["id", "name"], ["", 12.5], [], ["0", "Zoë"], ["1", "Ada"]]);
  await w.emulator.edit(SHEET, { kind: "delete", tab: "Sheet1", row: 2, count: 2 });
  await w.emulator.edit(SHEET, { kind: "move", tab: "Sheet1", row: 3, to: 2 });
  await w.emulator.edit(SHEET, { kind: "rename", tab: "Sheet1", to: "It's" });
  assert.deepEqual(await w.emulator.rows(SHEET, "It's"), [
    ["id", "name"],
    ["1", "Ada"],
    ["0", "Zoë"],
  ]);
  assert.deepEqual((await edit("delete=It's,row=1,count=1000")).json(), {
    error: "You can't delete all the rows on the sheet.",
  });
  assert.match((await edit("sort=Sheet1")).json().error, /no tab Sheet1/);
  assert.match((await edit("hang")).json().error, /hang: kind must be one of/);
  assert.equal((await w.admin("GET", `/emulator/rows?spreadsheet=nowhere&tab=A`)).status, 404);
  assert.deepEqual((await w.admin("GET", `/emulator/metadata?spreadsheet=${SHEET}`)).json(), []);
  assert.equal(w.emulator.requests().reads, 0, "looking counts for nothing");
});
