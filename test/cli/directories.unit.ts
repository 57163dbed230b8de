import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { narrow } from "../../src/cli/directories.ts";

function folder(t: TestContext, mode: number, ...names: string[]): string {
  const path = mkdtempSync(join(tmpdir(), "drover-directories-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  for (const name of names) writeFileSync(join(path, name), "");
  chmodSync(path, mode);
  return path;
}
const modeOf = (path: string): number => statSync(path).mode & 0o777;

test("a private directory stays as it is; an open one of drover's own becomes private, with a line for the log", (t) => {
  assert.equal(narrow(folder(t, 0o700), "DROVER_DATA_DIR", false), undefined);
  const open = folder(t, 0o755, "journal.db");
  assert.match(narrow(open, "DROVER_DATA_DIR", false) ?? "", /was open to others \(mode 0755\): it is 0700 now/);
  assert.equal(modeOf(open), 0o700);
});

test("a directory that is shared with others is refused, and in a container only warned of", (t) => {
  const shared = folder(t, 0o777, "photos.zip");
  assert.throws(() => narrow(shared, "DROVER_DATA_DIR", false), { code: "DROVER_E_DATA_DIR" });
  assert.match(
    narrow(shared, "DROVER_DATA_DIR", true) ?? "",
    /DROVER_DATA_DIR: .* has mode 0777 \(expected 0700\) and holds .* photos\.zip/,
  );
  assert.equal(modeOf(shared), 0o777);
});
