/** The examples are what docs/applications.md shows, and they compile against the package as it is packed. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test from "node:test";
import { EXAMPLE_FILES, withExamples } from "../src/cli/examples.ts";

const PAGE = "docs/applications.md";

test("the page shows exactly the files, all of them", () => {
  const page = readFileSync(PAGE, "utf8");
  assert.equal(page, withExamples(page), "npm run docs writes it");
  assert.deepEqual(EXAMPLE_FILES.toSorted(), readdirSync("examples").toSorted());
  for (const name of EXAMPLE_FILES) assert.ok(page.includes(readFileSync(join("examples", name), "utf8")), name);
});

test("examples and applications compile against the packed types, with every check on", (t) => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "drover-types-")));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const npm = ["pack", "--ignore-scripts", "--json", "--loglevel=error", "--pack-destination", dir];
  const [packed] = Object.values(JSON.parse(execFileSync("npm", npm, { encoding: "utf8" })) as Record<string, { filename: string }>);
  mkdirSync(join(dir, "node_modules/drover"), { recursive: true });
  const unpack = ["-xzf", packed?.filename ?? "", "--exclude=package/src", "--strip-components=1", "-C", "node_modules/drover"];
  execFileSync("tar", unpack, { cwd: dir });
  for (const name of readdirSync("node_modules").filter((name) => !name.startsWith(".")))
    symlinkSync(resolve("node_modules", name), join(dir, "node_modules", name));
  cpSync("examples", join(dir, "examples"), { recursive: true });
  mkdirSync(join(dir, "application"));
  cpSync("test/types/application.txt", join(dir, "application/application.ts"));
  writeFileSync(join(dir, "package.json"), '{ "type": "module" }');
  // An application's own settings: none of ours that let a file end in .ts, and no library left unchecked.
  const compilerOptions = {
    target: "ES2024",
    module: "NodeNext",
    strict: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    types: ["node"],
  };
  for (const folder of ["examples", "application"]) {
    writeFileSync(join(dir, `${folder}.json`), JSON.stringify({ compilerOptions, include: [folder] }));
    try {
      execFileSync(resolve("node_modules/.bin/tsc"), ["-p", `${folder}.json`], { cwd: dir, encoding: "utf8" });
    } catch (error) {
      assert.fail((error as { stdout: string }).stdout);
    }
  }
});
