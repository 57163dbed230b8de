import assert from "node:assert/strict";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { actingAsOwnerOf } from "../../../src/base/owner.ts";

const ROOT_ONLY = process.getuid?.() === 0 ? false : "needs root: it changes users";
const ID = 61_234;

test(
  "root acts as the owner of the data directory without its own groups, and is root again afterwards",
  { skip: ROOT_ONLY },
  (t) => {
    const dir = mkdtempSync(join(tmpdir(), "drover-owner-"));
    const groups = process.getgroups?.() ?? [];
    t.after(() => (process.setgroups?.(groups), rmSync(dir, { recursive: true })));
    process.setgroups?.([0, ID + 1]);
    const ids = (): unknown => [process.geteuid?.(), process.getegid?.(), process.getgroups?.()];
    const before = ids();
    chownSync(dir, ID, ID);
    assert.deepEqual(actingAsOwnerOf(dir, ids), [ID, ID, [ID]]);
    assert.deepEqual(ids(), before);
  },
);
