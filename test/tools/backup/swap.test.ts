/** What a restore has on disk at each step: what a power cut leaves is the old state, the new one, or a folder by which it is ended. */
import assert from "node:assert/strict";
import fs, {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename, join } from "node:path";
import test, { type TestContext } from "node:test";
import { readArchive, writeArchive } from "../../../src/tools/backup/archive.ts";
import { accept, finishRestore, NEW } from "../../../src/tools/backup/swap.ts";
import { temporaryFolder } from "../../support/folder.ts";

function watched(t: TestContext): string[] {
  const calls: string[] = [];
  const names = new Map<number, string>();
  const { openSync: open, fsyncSync, renameSync } = fs;
  t.mock.method(fs, "openSync", (...args: Parameters<typeof open>) => {
    const fd = open(...args);
    names.set(fd, basename(String(args[0])));
    return fd;
  });
  t.mock.method(
    fs,
    "fsyncSync",
    (fd: number) => (calls.push(`sync ${names.get(fd)}`), fsyncSync(fd)),
  );
  t.mock.method(
    fs,
    "renameSync",
    (from: string, to: string) => (
      calls.push(`move ${basename(from)} ${basename(to)}`),
      renameSync(from, to)
    ),
  );
  syncBuiltinESMExports();
  t.after(() => (t.mock.restoreAll(), syncBuiltinESMExports()));
  return calls;
}

test("every file and every name of a restore is on disk before the next step", (t) => {
  const dir = join(temporaryFolder("restore"), "data");
  mkdirSync(dir);
  writeFileSync(join(dir, "session.key"), "old");
  const file = join(dir, "..", "backup");
  const fd = openSync(file, "w+");
  const about = { drover: "0.1.0", at: new Date(0).toISOString(), journal: undefined };
  const content = function* (): Generator<Buffer> {
    yield Buffer.from("new");
  };
  writeArchive(fd, about, [{ name: "session.key", open: content }]);
  mkdirSync(join(dir, NEW));
  const calls = watched(t);
  readArchive(fd, file, join(dir, NEW));
  closeSync(fd);
  accept(dir);
  finishRestore(dir, new Date(0));
  assert.deepEqual(
    calls.filter(
      (call) => !call.startsWith("move session.key") || call === "move session.key session.key",
    ),
    [
      "sync session.key",
      "sync restore.new",
      "move restore.new restore.ready",
      "sync data",
      "move session.key session.key",
      "sync before-restore-19700101T000000.000Z",
      "sync data",
      "move restore.ready restore.placing",
      "sync data",
      "move session.key session.key",
      "sync data",
    ],
  );
  assert.equal(readFileSync(join(dir, "session.key"), "utf8"), "new");
  assert.deepEqual(readdirSync(dir), ["before-restore-19700101T000000.000Z", "session.key"]);
});
