import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { assertion, FORM, grant, SHEET, world } from "./world.ts";

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
  assert.equal(w.emulator.counters.requests().tokens, 1);
});

const WINDOW =
  "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.";
const LOOKALIKE = "http://127.0.0.1.evil.example/token";
/** Claims that are refused, by the description that Google gives. */
const REFUSED: Readonly<Record<string, readonly Record<string, unknown>[]>> = {
  "Invalid grant: account not found": [{ iss: "someone@else.invalid" }],
  [WINDOW]: [
    { iat: now - 7_200, exp: now - 3_601 },
    { iat: now + 3_000, exp: now + 6_000 },
    { exp: now + 86_400 },
  ],
  "Invalid JWT: iat (issued at) is not set.": [{ iat: undefined }],
  "Invalid JWT: exp (expiration time) is not set.": [{ exp: undefined }],
  "Invalid OAuth scope or ID token audience provided.": [{ scope: "" }],
  "Invalid JWT: Failed audience check.": [
    { aud: "https://evil.example/token" },
    { aud: LOOKALIKE },
    { aud: undefined },
    { aud: "http://127.0.0.1:1/other" },
  ],
};

test("assertions are refused in Google's words", async (t) => {
  const w = await world(t);
  const post = (raw: string) => w.ask("POST", "/token", { headers: FORM, raw });
  for (const [error_description, all] of Object.entries(REFUSED))
    for (const claims of all) {
      const signed = await assertion(w.emulator.keyFile, { scope: SCOPE, ...claims });
      const answer = await post(grant(signed));
      const error = "scope" in claims ? "invalid_scope" : "invalid_grant";
      const body = { error, error_description };
      assert.deepEqual([answer.status, answer.json()], [400, body], JSON.stringify(claims));
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
