import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { seconds, type Instant, type Timestamp } from "../../../src/base/units.ts";
import { createEngine } from "../../../src/tools/emulator/engine/engine.ts";
import { createEmulator } from "../../../src/tools/emulator/server.ts";
import { assertion, BOOK, folder, FORM, grant, SHEET, silent, world } from "./world.ts";

const SCOPE = "https://www.googleapis.com/auth/spreadsheets";
const now = Math.floor(Date.now() / 1_000);

test("a signed assertion becomes a token for 3599 s, and the token opens the API", async (t) => {
  const w = await world(t);
  const answer = await w.ask("POST", "/token", {
    headers: FORM,
    raw: grant(await assertion(w.emulator.keyFile, { scope: SCOPE })),
  });
  assert.equal(answer.status, 200);
  const { access_token, expires_in, token_type } = answer.json();
  assert.equal(expires_in, 3_599);
  assert.equal(token_type, "Bearer");
  const got = await w.ask("GET", `/v4/spreadsheets/${SHEET}`, {
    headers: { authorization: `Bearer ${access_token}` },
  });
  assert.equal(got.status, 200);
  assert.equal(w.emulator.requests().tokens, 1);
});

const WINDOW =
  "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.";
const REFUSED: readonly [
  what: string,
  claims: Record<string, unknown>,
  error: string,
  description: string,
][] = [
  [
    "another account",
    { iss: "someone@else.invalid" },
    "invalid_grant",
    "Invalid grant: account not found",
  ],
  ["expired", { iat: now - 7_200, exp: now - 3_601 }, "invalid_grant", WINDOW],
  ["from the future", { iat: now + 3_000, exp: now + 6_000 }, "invalid_grant", WINDOW],
  ["longer than an hour", { exp: now + 86_400 }, "invalid_grant", WINDOW],
  ["without iat", { iat: undefined }, "invalid_grant", "Invalid JWT: iat (issued at) is not set."],
  [
    "without exp",
    { exp: undefined },
    "invalid_grant",
    "Invalid JWT: exp (expiration time) is not set.",
  ],
  [
    "without scope",
    { scope: "" },
    "invalid_scope",
    "Invalid OAuth scope or ID token audience provided.",
  ],
  [
    "for another host",
    { aud: "https://evil.example/token" },
    "invalid_grant",
    "Invalid JWT: Failed audience check.",
  ],
  [
    "for a host that looks like loopback",
    { aud: "http://127.0.0.1.evil.example/token" },
    "invalid_grant",
    "Invalid JWT: Failed audience check.",
  ],
  ["for nobody", { aud: undefined }, "invalid_grant", "Invalid JWT: Failed audience check."],
  [
    "for no /token",
    { aud: "http://127.0.0.1:1/other" },
    "invalid_grant",
    "Invalid JWT: Failed audience check.",
  ],
];

test("assertions are refused in Google's words", async (t) => {
  const w = await world(t);
  const post = (raw: string) => w.ask("POST", "/token", { headers: FORM, raw });
  for (const [what, claims, error, error_description] of REFUSED) {
    const answer = await post(
      grant(await assertion(w.emulator.keyFile, { scope: SCOPE, ...claims })),
    );
    assert.equal(answer.status, 400, what);
    assert.deepEqual(answer.json(), { error, error_description }, what);
  }
  for (const aud of [`${w.url}/token`, "http://localhost:9/token", "http://[::1]:9/token"])
    assert.equal(
      (await post(grant(await assertion(w.emulator.keyFile, { scope: SCOPE, aud })))).status,
      200,
      aud,
    );
  const good = await assertion(w.emulator.keyFile, { scope: SCOPE });
  const forged = `${good.slice(0, -6)}AAAAAA`;
  assert.deepEqual((await post(grant(forged))).json(), {
    error: "invalid_grant",
    error_description: "Invalid JWT Signature.",
  });
  const none = await assertion(w.emulator.keyFile, { scope: SCOPE }, "none");
  assert.equal((await post(grant(none))).json().error_description, "Invalid JWT Signature.");
  for (const broken of ["", "a.b", "a.b.c", "...", `${good}.x`])
    assert.equal((await post(grant(broken))).json().error, "invalid_request", broken);
  assert.equal((await post("grant_type=password&x=1")).json().error, "unsupported_grant_type");
  assert.equal((await post("")).json().error, "invalid_request");
});

test("a key of another pair under our account's name proves nothing", async (t) => {
  const w = await world(t);
  const other = join(w.dir, "other.json");
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2_048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  await writeFile(
    other,
    JSON.stringify({ client_email: "emulator@drover.invalid", private_key: privateKey }),
  );
  const answer = await w.ask("POST", "/token", {
    headers: FORM,
    raw: grant(await assertion(other, { scope: SCOPE })),
  });
  assert.equal(answer.json().error_description, "Invalid JWT Signature.");
});

test("no, wrong, expired and narrow credentials: 403, 401, 401, 403", async (t) => {
  let wall = Date.now();
  const clock = { now: () => performance.now() as Instant, wall: () => wall as Timestamp };
  const w = await world(t, { clock, tokenLifetime: seconds(60) });
  const path = `/v4/spreadsheets/${SHEET}`;
  const as = async (authorization: string | undefined, verb = "GET", at = path) => {
    const answer = await w.ask(verb, at, {
      headers: authorization === undefined ? {} : { authorization },
    });
    return {
      status: answer.status,
      error: answer.json().error,
      challenge: answer.headers["www-authenticate"],
    };
  };
  const missing = await as(undefined);
  assert.deepEqual([missing.status, missing.error.status], [403, "PERMISSION_DENIED"]);
  assert.match(missing.error.message, /^Method doesn't allow unregistered callers/);
  for (const wrong of [
    "Bearer nope",
    "Bearer ya29.emulator.e30.AAAA",
    "Basic YTpi",
    "Bearer ya29.emulator.",
  ]) {
    const answer = await as(wrong);
    assert.deepEqual([answer.status, answer.error.status], [401, "UNAUTHENTICATED"], wrong);
    assert.equal(
      answer.challenge,
      'Bearer realm="https://accounts.google.com/", error="invalid_token"',
    );
  }
  const token = await w.token();
  wall += 61_000;
  const expired = await as(`Bearer ${token}`);
  assert.deepEqual(
    [expired.status, expired.error.details[0].reason],
    [401, "ACCESS_TOKEN_EXPIRED"],
  );
  const narrow = await w.token("https://www.googleapis.com/auth/spreadsheets.readonly");
  const refused = await as(`Bearer ${narrow}`, "POST", "/v4/spreadsheets");
  assert.deepEqual(
    [refused.status, refused.error.details[0].reason],
    [403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"],
  );
  assert.equal((await as(`Bearer ${narrow}`)).status, 200);
});

test("a spreadsheet that is not shared is 403, one that is not there 404", async (t) => {
  const spreadsheets = [
    BOOK,
    { ...BOOK, id: "open", sharing: "public" as const },
    { ...BOOK, id: "theirs", sharing: "private" as const },
  ];
  const w = await world(t, { spreadsheets });
  const status = async (verb: string, path: string, body?: unknown) =>
    (await w.call(verb, path, body)).status;
  const append = { values: [["x"]] };
  assert.equal(await status("GET", "/v4/spreadsheets/theirs"), 403);
  assert.equal(await status("GET", "/v4/spreadsheets/nowhere"), 404);
  assert.equal(await status("GET", "/v4/spreadsheets/open"), 200);
  assert.equal(await status("POST", "/v4/spreadsheets/open/values/Sheet1:append", append), 403);
});

test("the key file: 0600, in Google's form, kept over restarts with its tokens, never another's overwritten", async (t) => {
  const dir = await folder();
  const w = await world(t, { dataDir: dir });
  const { keyFile } = w.emulator;
  assert.equal((await stat(keyFile)).mode & 0o777, 0o600);
  const token = await w.token();
  const key = JSON.parse(await readFile(keyFile, "utf8"));
  assert.deepEqual(
    [key.type, key.client_email, key.universe_domain],
    ["service_account", "emulator@drover.invalid", "googleapis.com"],
  );
  assert.equal(key.token_uri, `${w.url}/token`);
  await w.emulator.close();
  const again = await world(t, { dataDir: dir });
  assert.equal(
    (
      await again.ask("GET", `/v4/spreadsheets/${SHEET}`, {
        headers: { authorization: `Bearer ${token}` },
      })
    ).status,
    200,
  );
  assert.equal(JSON.parse(await readFile(keyFile, "utf8")).private_key, key.private_key);
  const foreign = join(dir, "real.json");
  for (const content of [
    '{"client_email":"me@real.iam.gserviceaccount.com","private_key":"x"}',
    "not json",
    "",
  ]) {
    await writeFile(foreign, content);
    const made = createEmulator({
      engine: createEngine,
      dataDir: join(dir, "d"),
      keyFile: foreign,
      latency: "none",
      quota: false,
      spreadsheets: [],
      log: silent,
    });
    await assert.rejects(made, /is not a key of the emulator/);
    assert.equal(await readFile(foreign, "utf8"), content);
  }
});
