/**
 * Writes into the emulator as drover's broker makes them: batches of rows with a fence, each on disk before its answer; first
 * at a steady rate, counted from when each was due, then as fast as one connection can. Afterwards one read of the whole tab.
 *
 *   npm run bench emulator          [RATE=20] [ROWS=100] [SECONDS=30]
 */
import http from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { assertion, FORM, grant } from "../test/tools/emulator/world.ts";
import { emulator } from "./stacks.ts";
import { cpuSeconds, pssMiB } from "./tree.ts";

const RATE = Number(process.env["RATE"] ?? 20);
const ROWS = Number(process.env["ROWS"] ?? 100);
const SECONDS = Number(process.env["SECONDS"] ?? 30);
const FENCES = 600;

const stack = await emulator();
const agent = new http.Agent({ keepAlive: true });
const url = `http://127.0.0.1:${stack.port}`;
const ask = (method: string, path: string, headers: http.OutgoingHttpHeaders, body?: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const req = http.request(`${url}${path}`, { method, headers, agent }, (res) => {
      let text = "";
      res.on("data", (chunk: Buffer) => (text += chunk.toString()));
      res.on("end", () => (res.statusCode === 200 ? resolve(text) : reject(new Error(`${res.statusCode}: ${text}`))));
    });
    req.on("error", reject).end(body);
  });
const signed = await assertion(join(stack.cwd, "data/key.json"), { scope: "https://www.googleapis.com/auth/spreadsheets" });
const { access_token: token } = JSON.parse(await ask("POST", "/token", FORM, grant(signed))) as { access_token: string };
const headers = { authorization: `Bearer ${token}` };
const { spreadsheetId } = JSON.parse(await ask("POST", "/v4/spreadsheets", headers, "{}")) as { spreadsheetId: string };

const cell = (text: string): object => ({ userEnteredValue: { stringValue: text } });
function batch(nr: number): string {
  const rows = Array.from({ length: ROWS }, (_, i) => ({
    values: [
      cell(`id-${nr}-${i}`),
      { userEnteredValue: { numberValue: i } },
      ...["b", "c", "d", "e", "f", "g"].map((c) => cell(`${c} of ${i}`)),
    ],
  }));
  const developerMetadata = {
    metadataId: nr + 1,
    metadataKey: "f",
    metadataValue: `${nr}`,
    location: { spreadsheet: true },
    visibility: "PROJECT",
  };
  const dropped = { deleteDeveloperMetadata: { dataFilter: { developerMetadataLookup: { metadataId: nr + 1 - FENCES } } } };
  return JSON.stringify({
    requests: [
      { createDeveloperMetadata: { developerMetadata } },
      ...(nr < FENCES ? [] : [dropped]),
      { appendCells: { sheetId: 0, fields: "userEnteredValue", rows } },
    ],
  });
}
const write = (nr: number): Promise<string> => ask("POST", `/v4/spreadsheets/${spreadsheetId}:batchUpdate`, headers, batch(nr));

function report(name: string, took: readonly number[], seconds: number): void {
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);
  const rate = took.length / seconds;
  console.log(`| ${name} | ${rate.toFixed(1)} | ${Math.round(rate * ROWS)} | ${at(0.5)} | ${at(0.99)} | ${at(1)} |`);
}

console.log(`batches of ${ROWS} rows of 8 cells and a fence, ${SECONDS} s each, Node.js ${process.versions.node}`);
console.log("| load | batches/s | rows/s | ms p50 | p99 | most |\n|---|---|---|---|---|---|");
let nr = 0;
const began = performance.now();
const took: Promise<number>[] = [];
for (; nr < RATE * SECONDS; nr += 1) {
  const due = began + (nr * 1_000) / RATE;
  await sleep(Math.max(0, due - performance.now()));
  took.push(write(nr).then(() => performance.now() - due));
}
const steady = await Promise.all(took);
report(`${RATE} a second`, steady, (performance.now() - began) / 1_000);
const hard: number[] = [];
const since = performance.now();
for (; performance.now() - since < SECONDS * 1_000; nr += 1) {
  const start = performance.now();
  await write(nr);
  hard.push(performance.now() - start);
}
report("one connection, at once", hard, (performance.now() - since) / 1_000);
const readBegan = performance.now();
const all = JSON.parse(await ask("GET", `/v4/spreadsheets/${spreadsheetId}/values/Sheet1?prettyPrint=false`, headers)) as {
  values: unknown[];
};
console.log(
  `\n${all.values.length} rows of ${nr * ROWS} there, read in ${(performance.now() - readBegan).toFixed(0)} ms; ` +
    `${cpuSeconds(stack.pid).toFixed(1)} CPU-seconds, ${pssMiB(stack.pid).toFixed(0)} MiB`,
);
agent.destroy();
await stack.stop();
