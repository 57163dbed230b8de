import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { ERRORS } from "../../src/base/errors.ts";
import { EXIT } from "../../src/base/exit.ts";
import { renderCompose, renderEmit, renderErrors, renderMetricsPage, renderSignals } from "../../src/cli/reference.ts";

test("docs/ERRORS.md, SIGNALS.md, METRICS.md and EMIT.md are what the tables say (npm run docs writes them)", () => {
  assert.equal(readFileSync("docs/ERRORS.md", "utf8"), renderErrors());
  assert.equal(readFileSync("docs/SIGNALS.md", "utf8"), renderSignals());
  assert.equal(readFileSync("docs/METRICS.md", "utf8"), renderMetricsPage());
  assert.equal(readFileSync("docs/EMIT.md", "utf8"), renderEmit());
});

test("compose.yaml is what drover emit compose writes for default settings (npm run docs writes it)", () => {
  assert.equal(readFileSync("compose.yaml", "utf8"), renderCompose());
});

test("no two exit codes are the same, and each is a byte", () => {
  const codes = Object.values(EXIT).map((row) => row.code);
  assert.equal(new Set(codes).size, codes.length);
  assert.ok(codes.every((code) => code >= 0 && code < 126));
});

test("every error code is used somewhere: a table must not promise what nothing does", () => {
  const used = new Set([...grep("src")].flatMap((text) => text.match(/DROVER_E_[A-Z_]+/g) ?? []));
  for (const name of Object.keys(ERRORS)) assert.ok(used.has(name), name);
});

function* grep(folder: string): Generator<string> {
  const { readdirSync } = process.getBuiltinModule("node:fs");
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (file.endsWith(".ts") && !file.endsWith("base/errors.ts")) yield readFileSync(`${folder}/${file}`, "utf8");
  }
}
