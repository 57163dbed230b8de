/** `npm run test:google` as a process, with the emulator as its Google. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { http } from "../../src/base/http.ts";
import { world } from "../tools/emulator/world.ts";
import { temporaryFolder } from "../support/folder.ts";
import { CLAIMS } from "./claims.ts";

const PROGRAM = fileURLToPath(new URL("google.ts", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

/** @param printed hears of all output so far. */
async function run(env: NodeJS.ProcessEnv, args: readonly string[], printed?: (text: string, pid: number) => void): Promise<Ended> {
  const quota = { DROVER_READS_PER_MINUTE: "100000", DROVER_WRITES_PER_MINUTE: "100000" };
  const cwd = temporaryFolder("contract");
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd, env: { PATH: process.env["PATH"], ...quota, ...env } });
  let [out, errors] = ["", ""];
  child.stdout.on("data", (piece: Buffer) => {
    out += piece.toString();
    printed?.(out, child.pid ?? 0);
  });
  child.stderr.on("data", (piece: Buffer) => void (errors += piece.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, errors };
}

const ID = "an-empty-spreadsheet-to-throw-away";
const BOOK = { id: ID, title: "Throw-away", tabs: [{ title: "Sheet1", rows: [] }] };
const OTHERS = [
  { id: "a-spreadsheet-with-another-title", title: "Budget", tabs: [{ title: "Sheet1", rows: [["mine"]] }] },
  { id: "a-throw-away-shared-as-viewer", title: "Throw-away", tabs: [{ title: "Sheet1", rows: [] }], sharing: "viewer" as const },
];
async function emulated(t: TestContext) {
  const { emulator, url } = await world(t, { spreadsheets: [BOOK, ...OTHERS] });
  const at = (address: string) => ({ DROVER_SHEETS_ENDPOINT: `${address}/`, DROVER_OAUTH_ENDPOINT: `${url}/` });
  return { emulator, url, at, env: { ...at(url), GOOGLE_APPLICATION_CREDENTIALS: emulator.keyFile } };
}

test("one line a claim, exit code 0, and nothing is left behind", async (t) => {
  const { emulator, env } = await emulated(t);
  const { code, out, errors } = await run(env, [`https://docs.google.com/spreadsheets/d/${ID}/edit?gid=0`]);
  assert.equal(code, 0, out + errors);
  for (const id of CLAIMS.keys()) assert.match(out, new RegExp(`^(holds|not tested) +${id}: .*\\. (Saw|Because): .`, "m"));
  assert.match(out, /\nNothing is left behind\. .*\n45 claims: 37 hold, 0 do not hold, 8 not tested\n$/);
  assert.deepEqual(await emulator.metadata(ID), []);
});

test("what can't be used is named in one line, and nothing is changed", async (t) => {
  const { emulator, env } = await emulated(t);
  const [title, viewer] = OTHERS.map(({ id }) => id);
  for (const [args, more, exit, says] of [
    [[], {}, 64, /^expected: npm run test:google -- SPREADSHEET /],
    [["short"], {}, 64, /^expected: npm run test:google/],
    [[ID], { GOOGLE_APPLICATION_CREDENTIALS: "" }, 78, /^GOOGLE_APPLICATION_CREDENTIALS is not set/],
    [[ID], { GOOGLE_APPLICATION_CREDENTIALS: "/nowhere/key.json" }, 78, /key file \/nowhere\/key\.json does not exist/],
    [["1".repeat(44)], {}, 78, /404 Requested entity was not found\. Is the id right, and is it shared as Editor with \S+@\S+\?$/m],
    [[viewer], {}, 78, /the service account can't write to it\. Share it as Editor with \S+@\S+$/m],
    [[title], {}, 78, /its title "Budget" lacks “throw-away”/],
  ] as const) {
    const { code, out, errors } = await run({ ...env, ...more }, args.map(String));
    assert.deepEqual([code, out, errors.trim().split("\n").length], [exit, "", 1], errors);
    assert.match(errors, says);
  }
  assert.deepEqual(await emulator.rows(title ?? "", "Sheet1"), [["mine"]]);
});

test("a claim that does not hold is exit code 1, and so is Ctrl-C, which clears up first, also when it comes twice", async (t) => {
  const { emulator, url, at, env } = await emulated(t);
  const front = http.createServer((req, res) => {
    const { method, headers } = req;
    const ask = http.request(`${url}${req.url}`, { method: method ?? "GET", headers }, (answer) => {
      const etag = req.url?.includes("batchGet") === true ? { etag: '"1"' } : {};
      answer.pipe(res.writeHead(answer.statusCode ?? 0, { ...answer.headers, ...etag }));
    });
    req.pipe(ask);
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  t.after(() => front.closeAllConnections());
  t.after(() => front.close());
  const { port } = front.address() as AddressInfo;
  const broken = { ...env, ...at(`http://127.0.0.1:${port}`) };
  const stops = ["no-validators:", "Stopping:"]; // npm sends a second signal
  const { code, out } = await run(broken, [ID], (text, pid) => {
    if (stops[0] === undefined || !text.includes(stops[0])) return;
    stops.shift();
    process.kill(pid, "SIGINT");
  });
  assert.equal(code, 1, out);
  assert.match(out, /^does not hold +no-validators: .*Saw: .*Then: Nothing is lost/m);
  assert.match(out, /^Stopping: [^]*^not tested .*the run was stopped$[^]*^Nothing is left behind/m);
  assert.deepEqual(await emulator.metadata(ID), []);
});
