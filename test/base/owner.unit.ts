import assert from "node:assert/strict";
import { linkSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { giveTree, isRoot } from "../../src/base/owner.ts";

test("a directory is given with what is in it, and nothing outside of it", { skip: !isRoot() && "needs root" }, (t) => {
  const root = mkdtempSync(join(tmpdir(), "drover-owner-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const [tree, outside] = [join(root, "data"), join(root, "outside")];
  mkdirSync(join(tree, "snapshots"), { recursive: true });
  writeFileSync(join(tree, "snapshots/one"), "");
  mkdirSync(outside);
  writeFileSync(join(outside, "secret"), "");
  linkSync(join(outside, "secret"), join(tree, "second-name"));
  symlinkSync(outside, join(tree, "link"));
  giveTree(tree, { uid: 4_711, gid: 4_711 });
  const ownerOf = (...path: string[]): number => lstatSync(join(root, ...path)).uid;
  assert.deepEqual([ownerOf("data"), ownerOf("data/snapshots"), ownerOf("data/snapshots/one")], [4_711, 4_711, 4_711]);
  assert.deepEqual([ownerOf("outside"), ownerOf("outside/secret"), ownerOf("data/link")], [0, 0, 0]);
});

test("what a symlink leads to keeps its owner", { skip: !isRoot() && "needs root" }, (t) => {
  const root = mkdtempSync(join(tmpdir(), "drover-owner-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, "elsewhere"));
  symlinkSync(join(root, "elsewhere"), join(root, "data"));
  giveTree(join(root, "data"), { uid: 4_711, gid: 4_711 });
  assert.equal(lstatSync(join(root, "elsewhere")).uid, 0);
});
