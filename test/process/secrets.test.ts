/** Secrets of every kind go through a real daemon, in good times and bad: none is ever written, shown or handed on. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { promisify } from "node:util";
import { answerJson, FakeGoogle, googleError, keyFile, SPREADSHEET } from "../broker/upstream.ts";
import { cleanEnv, descendants, DROVER, get, start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";
import { Visitor } from "./people.ts";

const CODE = "CANA-RY11-CODE";
const SESSION_KEY = "canary-session-key-of-more-than-32-characters";
const TOKEN = "ya29.canary-token";
const TYPED = { secret: "canary-typed-secret", name: "canary-secret-in-the-name-field", bearer: "canary-bearer", query: "canary-query" };

/** What the daemon has written and says, and what its processes were given. */
async function everything(daemon: Daemon, env: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const { dir, stdout, stderr } = daemon;
  const files = readdirSync(join(dir, "var"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const written = files.map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name), "latin1")]);
  const given = descendants(daemon.pid).flatMap((pid) =>
    ["cmdline", "environ"].flatMap((what) => {
      try {
        return [[`${what} of ${pid}`, readFileSync(`/proc/${pid}/${what}`, "latin1")]];
      } catch {
        return []; // one that has just ended
      }
    }),
  );
  assert.ok(given.length >= 6, `${given.length} command lines and environments were read`);
  const check = await promisify(execFile)(DROVER, ["check"], { cwd: dir, env: cleanEnv(env) }).catch(
    (e: { stdout: string; stderr: string }) => e,
  );
  const said = { stdout, stderr, status: JSON.stringify(await daemon.status()), check: check.stdout + check.stderr };
  return { ...said, ...(Object.fromEntries([...written, ...given]) as Record<string, string>) };
}

test("keys, tokens, codes, cookies and what people type by mistake are in no log, file, answer, command line or environment", async (t) => {
  const fake = await new FakeGoogle().start();
  t.after(() => fake.stop());
  fake.tabs.set("people", [
    ["id", "name", "code"],
    ["p1", "Ada", CODE],
  ]);
  const cwd = folder(t);
  const people = { ttl: "200ms", read: "public", columns: { code: { hidden: true } } };
  writeFileSync(
    join(cwd, "tables.json"),
    JSON.stringify({ users: { table: "people", name: "name", secret: "code" }, tables: { people, members: { read: "signed-in" } } }),
  );
  const credentials = keyFile();
  const env = {
    DROVER_SPREADSHEET_ID: SPREADSHEET,
    DROVER_SHEETS_ENDPOINT: `${fake.url}/`,
    DROVER_OAUTH_ENDPOINT: `${fake.url}/token`,
    GOOGLE_APPLICATION_CREDENTIALS: credentials,
    DROVER_TABLES: join(cwd, "tables.json"),
    DROVER_SESSION_KEY: SESSION_KEY,
    DROVER_LOG_LEVEL: "trace",
    DROVER_ACCESS_LOG: "on",
  };
  const daemon = await start(t, { cwd, env });
  const ada = new Visitor(daemon.url, {
    Authorization: `Bearer ${TYPED.bearer}`,
    "User-Agent": TYPED.bearer,
    Referer: `http://x/?${TYPED.query}`,
  });
  t.after(() => ada.leave());
  const answers: string[] = [];
  const ask = async (method: string, path: string, body?: unknown): Promise<number> => {
    const heard = await ada.ask(method, path, body);
    const { "set-cookie": _, ...headers } = heard.headers;
    answers.push(JSON.stringify(headers) + heard.body);
    return heard.status;
  };
  assert.equal(await ask("POST", "/api/login", { name: "Ada", secret: TYPED.secret }), 401);
  assert.equal(await ask("POST", "/api/login", { name: TYPED.name, secret: TYPED.secret }), 401);
  assert.equal(await ask("POST", "/api/login", `{"name":"${TYPED.secret}`), 422);
  assert.equal(await ask("POST", "/api/login", { name: "Ada", secret: CODE }), 200);
  const cookie = ada.cookie.split("=")[1] ?? "";
  assert.ok(cookie.length > 80);
  const odd = [`/api/me?key=${TYPED.query}`, `/api/tables/people?limit=1&key=${TYPED.query}`, `/nowhere?key=${TYPED.query}`];
  for (const path of [...odd, "/api/me", "/api/tables/people", "/api/tables/people/export?format=csv", "/api/openapi.json"])
    await ask("GET", path);
  await ask("POST", `/api/tables/people?key=${TYPED.query}`, { code: TYPED.secret });
  const faults: Record<string, () => void> = {
    upstream: () => (fake.standing = answerJson(500, { error: { code: 500, message: "boom" } })),
    denied: () => (fake.standing = googleError(401, "UNAUTHENTICATED", "no")),
    malformed: () => (fake.standing = answerJson(200, { valueRanges: [{ values: CODE }] })),
  };
  for (const [name, begin] of Object.entries(faults)) {
    fake.tokenFault = answerJson(200, { access_token: TOKEN, expires_in: 3_599, token_type: "Bearer" });
    begin();
    await eventually(`the rows are stale: ${name}`, async () => {
      await ask("GET", "/api/tables/people");
      return (await get(`${daemon.url}/api/tables/people`)).headers["x-cache-reason"] === name;
    });
    fake.standing = undefined;
  }
  assert.ok(
    fake.apiCalls.some(({ authorization }) => authorization?.includes(TOKEN)),
    "the token was used",
  );
  const killed = (await daemon.place("broker/0")).child?.pid ?? 0;
  process.kill(killed, "SIGKILL");
  await eventually("the next broker serves", async () => {
    const { state, child } = await daemon.place("broker/0");
    return state === "ready" && child?.pid !== killed;
  });
  await ask("GET", "/api/me");

  const { private_key: pem } = JSON.parse(readFileSync(credentials, "utf8")) as { private_key: string };
  const secrets = { ...TYPED, code: CODE, spelled: CODE.replaceAll("-", ""), SESSION_KEY, TOKEN, cookie, pem: pem.split("\n")[3] ?? "" };
  const seen = await everything(daemon, env);
  const found = Object.entries(seen).flatMap(([where, text]) =>
    Object.entries(secrets).flatMap(([what, secret]) => (text.includes(secret) ? [`${what} in ${where}`] : [])),
  );
  const { query: _, ...private_ } = secrets; // an answer may repeat a parameter's name to whoever sent it
  const told = Object.entries(private_).filter(([, secret]) => answers.some((text) => text.includes(secret)));
  assert.deepEqual([found, told.map(([what]) => what)], [[], []]);
  assert.ok(
    daemon.log().some(({ msg }) => msg === "request"),
    "requests were logged",
  );
});
