import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pino } from "pino";
import { createEngine } from "../../../src/tools/emulator/engine/engine.ts";
import type { EngineCall } from "../../../src/tools/emulator/engine.types.ts";
import {
  createStateFile,
  openState,
  statePath,
  type DurableEngine,
  type StateOptions,
} from "../../../src/tools/emulator/state-file.ts";
import { folder, silent } from "./world.ts";

const append = (id: string): EngineCall => ({
  method: "sheets.spreadsheets.values.append",
  path: { spreadsheetId: "b", range: "T" },
  query: { valueInputOption: ["RAW"] },
  body: { values: [[id]] },
});
const get: EngineCall = {
  method: "sheets.spreadsheets.values.get",
  path: { spreadsheetId: "b", range: "T" },
  query: {},
  body: undefined,
};

async function open(dir: string, more: Partial<StateOptions> = {}): Promise<DurableEngine> {
  const onFailure = (error: Error) => assert.fail(error);
  const engine = await openState({ dir, engine: createEngine, log: silent, onFailure, ...more });
  if ((await engine.call(get)).status === 404)
    await engine.seed("b", "B", [{ title: "T", rows: [] }]);
  return engine;
}
const ids = async (engine: DurableEngine): Promise<string[]> =>
  (((await engine.call(get)).body as { values?: string[][] }).values ?? []).map((r) => r[0] ?? "");

test("an answered write is there without a clean end", async () => {
  const dir = folder();
  const engine = await open(dir);
  for (const id of ["a", "b", "c"]) await engine.call(append(id));
  assert.deepEqual(await ids(await open(dir)), ["a", "b", "c"]);
});

test("saves that are asked for during a save share the next one, which has the newest state", async () => {
  const path = join(folder(), "file");
  let state = 0;
  const written: number[] = [];
  const file = createStateFile(
    path,
    () => (written.push(state), state),
    (error) => assert.fail(String(error)),
  );
  assert.equal(file.pending(), undefined);
  state = 1;
  const first = file.save();
  await Promise.resolve();
  const later = [2, 3, 4].map((next) => ((state = next), file.save()));
  assert.equal(new Set(later).size, 1);
  assert.equal(file.pending(), later[0], "a read waits for the last change");
  await first;
  assert.equal(await readFile(path, "utf8"), "1");
  await later[0];
  assert.deepEqual([written, await readFile(path, "utf8")], [[1, 4], "4"]);
  assert.equal(file.pending(), undefined);
});

test("a read is answered after the writes that it has seen", async () => {
  const engine = await open(folder());
  const order: string[] = [];
  const write = engine.call(append("a")).then(() => order.push("write"));
  const read = engine.call(get).then(() => order.push("read"));
  await Promise.all([write, read]);
  assert.deepEqual(order, ["write", "read"]);
});

test("a damaged state is refused by name, and nothing is overwritten", async () => {
  const dir = folder();
  await (await open(dir)).call(append("a"));
  const good = await readFile(statePath(dir), "utf8");
  for (const bad of [good.slice(0, -3), "", "{}", "[]", '{"form":99}']) {
    await writeFile(statePath(dir), bad);
    await assert.rejects(open(dir), /state\.json is damaged: .*Restore it from a copy, or move it/);
    assert.equal(await readFile(statePath(dir), "utf8"), bad);
  }
});

test("the files of the former format are set aside, with one line in the log", async () => {
  const dir = folder();
  const former = ["emulator.journal", "emulator.state"];
  for (const name of former) await writeFile(join(dir, name), name);
  const lines: string[] = [];
  const log = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
  await open(dir, { log });
  await open(dir, { log });
  assert.match(lines.join(""), /^.*renamed to \*\.old, and the emulator begins.*\n$/);
  const names = (await readdir(dir)).toSorted();
  assert.deepEqual(names, ["emulator.journal.old", "emulator.state.old", "state.json"]);
  for (const name of former) assert.equal(await readFile(join(dir, `${name}.old`), "utf8"), name);
});

test("a data directory that can't be used is refused by name", async (t) => {
  const dir = folder();
  await writeFile(join(dir, "file"), "");
  await assert.rejects(open(join(dir, "file")), /can't use .*file for the emulator's data/);
  if (process.getuid?.() === 0) return t.skip("root may write anywhere");
  await chmod(dir, 0o500);
  await assert.rejects(open(join(dir, "data")), /can't use .*data for the emulator's data/);
});

test("when the disk fails no call is answered any more, and it is reported once", async () => {
  const failures: Error[] = [];
  const dir = folder();
  const engine = await open(dir, { onFailure: (error) => failures.push(error) });
  await rm(dir, { recursive: true });
  const calls = [append("a"), append("b"), get, get].map((call) => engine.call(call));
  for (const call of calls) await assert.rejects(call, /can't write/);
  await assert.rejects(engine.call(get), /can't write/);
  assert.equal(failures.length, 1);
  await engine.close();
});

test("a closed engine refuses calls, and its last change is on disk", async () => {
  const dir = folder();
  const engine = await open(dir);
  const last = engine.call(append("a"));
  await engine.close();
  assert.match(await readFile(statePath(dir), "utf8"), /"a"/);
  await last;
  await assert.rejects(engine.call(append("b")), /closing/);
  assert.equal(existsSync(`${statePath(dir)}.next`), false);
});
