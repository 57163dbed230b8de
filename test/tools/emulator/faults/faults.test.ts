/** Each fault as a client meets it. */
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { http } from "../../../../src/base/http.ts";
import type { Instant, Timestamp } from "../../../../src/base/units.ts";
import { eventually } from "../../../support/wait.ts";
import type { World } from "../world.ts";
import { BOOK_PATH, faulty, reset, VALUES } from "./faulty.ts";

/** Sends a read. Resolves with the head: the body may be too large to keep. */
async function begin(w: World, encoding = "identity"): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${await w.token()}`, "accept-encoding": encoding };
  return new Promise((resolve, reject) => {
    http.get(`${w.url}${VALUES}`, { headers, agent: false }, resolve).on("error", reject);
  });
}

test("latency: the call is held, before its effect or after it", async (t) => {
  const w = await faulty(t);
  await w.get();
  for (const [spec, held] of [
    ["latency=300ms,method=write", ["1"]],
    ["latency=2s,method=write,applied", ["1", "a", "b"]],
  ] as const) {
    await w.order(spec);
    const call = w.append(held.length === 1 ? "a" : "b");
    const pause = await eventually("the call is held", () => w.pauses.pop());
    assert.equal(pause.wait, held.length === 1 ? 300 : 2_000);
    assert.deepEqual(await w.ids(), held);
    pause.end();
    assert.equal((await call).status, 200);
  }
  assert.deepEqual(await w.ids(), ["1", "a", "b"]);
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
  const { metadata } = error.details[0];
  assert.equal(metadata.quota_limit_value, "60");
  assert.equal(metadata.window_start_time, String(Math.floor(began / 1_000)));
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

test("late: an inconclusive answer now, and the effect later", async (t) => {
  const w = await faulty(t);
  await w.get();
  await w.order("late=1500ms,method=write;late=1500ms,method=write,answer=503");
  await reset(w.append("a"));
  assert.equal((await w.append("b")).status, 503);
  assert.equal((await w.append("retry of a")).status, 200);
  assert.deepEqual(await w.ids(), ["1", "retry of a"]);
  assert.deepEqual(
    w.pauses.map(({ wait }) => wait),
    [1_500, 1_500],
  );
  for (const pause of w.pauses) pause.end();
  await eventually("both have run", async () => (await w.ids()).length === 4);
  assert.deepEqual(await w.ids(), ["1", "retry of a", "a", "b"], "an attempt behind its retry");
});

test("late: a call without a valid token does not run later either", async (t) => {
  const w = await faulty(t);
  await w.order("late=1s,method=write");
  const body = { values: [["x"]] };
  await reset(w.ask("POST", `${VALUES}:append?valueInputOption=RAW`, { body }));
  assert.deepEqual(w.pauses, []);
});

test("hang: no answer, while the effect is there; the emulator's end ends it", async (t) => {
  const w = await faulty(t);
  await w.get();
  await w.order("hang,method=write,applied");
  const hung = w.append("a").then(
    () => "answered",
    () => "cut",
  );
  await eventually("it took effect", async () => (await w.ids()).length === 2);
  await w.emulator.close();
  assert.equal(await hung, "cut");
});

test("malformed: 200 with half of the JSON, and the effect is there", async (t) => {
  const w = await faulty(t);
  await w.order("malformed");
  const torn = await w.append("a");
  assert.equal(torn.status, 200);
  assert.throws(() => torn.json(), SyntaxError);
  assert.deepEqual(await w.ids(), ["1", "a"]);
});

test("huge: 100 MB of JSON; with gzip in a hundredth of the bytes", async (t) => {
  const w = await faulty(t);
  await w.order("huge=100MB;huge=100MB,gzip");
  let bytes = 0;
  for await (const piece of (await begin(w)) as AsyncIterable<Buffer>) bytes += piece.length;
  assert.equal(bytes, 100_000_001);
  const bomb = await begin(w, "gzip");
  assert.equal(bomb.headers["content-encoding"], "gzip");
  const zipped = Buffer.concat((await bomb.toArray()) as Buffer[]);
  assert.ok(zipped.length < 1_000_000, `${zipped.length} bytes`);
  assert.throws(() => gunzipSync(zipped, { maxOutputLength: 50_000_000 }), {
    code: "ERR_BUFFER_TOO_LARGE",
  });
});

test("huge: a client that closes the connection ends it", async (t) => {
  const w = await faulty(t);
  await w.order("huge=1GB");
  (await begin(w)).destroy();
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
  const headers = { authorization: `Bearer ${await w.token()}` };
  assert.equal((await w.ask("GET", VALUES, { headers })).status, 200);
});

test("denied: 403 as without a share, until its time is over", async (t) => {
  let at = 0;
  const w = await faulty(t, {
    clock: { now: () => at as Instant, wall: () => Date.now() as Timestamp },
  });
  await w.order("denied,for=10s");
  for (let i = 0; i < 3; i += 1) {
    const { status, json } = await w.get();
    assert.deepEqual([status, json().error.message], [403, "The caller does not have permission"]);
  }
  at += 10_000;
  assert.equal((await w.get()).status, 200);
  assert.deepEqual(w.emulator.faults.list(), []);
});

test("html: a page where JSON is expected", async (t) => {
  const w = await faulty(t);
  await w.order("html=502;html=429;html=200");
  for (const status of [502, 429, 200]) {
    const page = await w.get();
    const type = page.headers["content-type"];
    assert.deepEqual([page.status, type], [status, "text/html; charset=UTF-8"]);
    assert.match(page.body.toString(), /^<!DOCTYPE html>/);
  }
});

test("an edit happens before the call; one that is impossible does not stop it", async (t) => {
  const w = await faulty(t);
  await w.order("rename=Sheet1,to=Spieler;sort=Nowhere");
  const gone = await w.get();
  const { message } = gone.json().error;
  assert.deepEqual([gone.status, message], [400, "Unable to parse range: Sheet1"]);
  const players = await w.call("GET", `${BOOK_PATH}/values/Spieler!A2`);
  assert.deepEqual(players.json().values, [["1"]]);
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
