/** kill -9 at any moment loses and doubles no acknowledged row. Real processes, real disk. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { random } from "../../../src/tools/emulator/latency.ts";
import { times } from "../../support/times.ts";
import { assertion, folder, FORM, grant, request, SHEET } from "./world.ts";
import { seed } from "../../support/seed.ts";

const KILLS = times(3);
const WRITERS = 6;
const SEED = seed("kills of the emulator");
const VALUES = `/v4/spreadsheets/${SHEET}/values/Sheet1`;

async function start(dir: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("./kill-child.ts", import.meta.url)), dir],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const [chunk] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return { child, url: `http://127.0.0.1:${Number(chunk.toString())}` };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

const name = `${KILLS} kills: every acknowledged row is there, once (SEED=${SEED})`;
test(name, { timeout: times(120_000) }, async () => {
  const dir = folder();
  const chance = random(SEED);
  const acknowledged = new Set<string>();
  let token = "";
  let sent = 0;
  const ask = (url: string, method: string, body?: string) =>
    request(url, method, { authorization: `Bearer ${token}` }, body);
  const write = async (url: string): Promise<boolean> => {
    const id = `r${(sent += 1)}`;
    const body = JSON.stringify({ values: [[id, "x".repeat(100)]] });
    try {
      const { status } = await ask(`${url}${VALUES}:append?valueInputOption=RAW`, "POST", body);
      if (status === 200) acknowledged.add(id);
      return status === 200;
    } catch {
      return false; // killed meanwhile: the row may have landed or not
    }
  };
  for (let kill = 0; kill < KILLS; kill += 1) {
    const { child, url } = await start(dir);
    try {
      const signed = grant(await assertion(`${dir}/key.json`, {}));
      token ||= (await request(`${url}/token`, "POST", FORM, signed)).json().access_token;
      const { values } = (await ask(`${url}${VALUES}`, "GET")).json() as { values: string[][] };
      const there = values.map(([id = ""]) => id);
      const missing = [...acknowledged].filter((id) => !there.includes(id));
      assert.deepEqual(missing, [], `after kill ${kill}`);
      assert.equal(new Set(there).size, there.length, "no row twice");
      const goal = acknowledged.size + 1 + Math.floor(chance() * 60);
      const writers = Array.from({ length: WRITERS }, async () => {
        while (acknowledged.size < goal && (await write(url)));
        await end(child);
      });
      await Promise.all(writers);
    } finally {
      await end(child);
    }
  }
  assert.ok(acknowledged.size > KILLS * 5, `${acknowledged.size} rows were acknowledged`);
});
