import assert from "node:assert/strict";
import { readFileSync, readdirSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pino } from "pino";
import { SnapshotFiles, type Saved } from "../../src/broker/disk.ts";
import { tinyDisk } from "../support/tiny-disk.ts";

test("a disk that fills up while a snapshot is written keeps the good one: no short file takes its name", async (t) => {
  const dir = tinyDisk(t, 128 * 1_024);
  if (dir === undefined) return;
  const lines: string[] = [];
  const files = new SnapshotFiles(dir, pino({}, { write: (line: string) => void lines.push(line) }));
  const saved = (size: number): Saved => ({ head: { table: "players" }, bytes: new Uint8Array(size) }) as unknown as Saved;
  files.write(saved(8_000), "cut");
  await files.written("players");
  const snapshot = join(dir, "snapshots", "players.snap");
  const good = readFileSync(snapshot);
  const { bavail, bsize } = statfsSync(dir);
  writeFileSync(join(dir, "full"), Buffer.alloc((bavail - 4) * bsize));
  files.write(saved(40_000), "cut");
  await files.written("players");
  assert.ok(good.equals(readFileSync(snapshot)));
  assert.match(lines.join(""), /the snapshot can't be written, a restart will have to ask Google: ENOSPC/);
  assert.deepEqual(readdirSync(join(dir, "snapshots")), ["players.snap"]);
});
