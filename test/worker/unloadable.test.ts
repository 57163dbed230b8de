/** What keeps an application from loading is told in one sentence, with the exit code of the table. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ms } from "../../src/base/units.ts";
import { startRig, type Rig } from "./rig.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`apps/${name}`, import.meta.url));

async function refused(app: string, expected: RegExp, exit: number, bootTimeout = ms(60_000)): Promise<Rig> {
  const rig = startRig({ config: { app, bootTimeout } });
  const fatal = await rig.until("fatal");
  assert.match(fatal.message, expected);
  assert.deepEqual([fatal.exit, fatal.code], [exit, exit === 4 ? "DROVER_E_APP" : "DROVER_E_BOOT"], fatal.message);
  assert.equal(await rig.exited, exit);
  return rig;
}

test("an application that throws, exports nothing it could be served by, or imports what is not there", async () => {
  await refused(fixture("throws.mjs"), /^\S+throws\.mjs could not be loaded: TypeError: broken on purpose\n +at .*throws\.mjs:1:\d+$/, 4);
  await refused(fixture("missing.mjs"), /^\S+missing\.mjs could not be loaded: Cannot find module \S+/, 4);
  await refused(fixture("needs.mjs"), /^\S+needs\.mjs could not be loaded: Cannot find package 'a-package-that-is-not-there'[^\n]*$/, 4);
  await refused(fixture("number.mjs"), /^\S+number\.mjs: its default export is a number; expected a \(req, res\) listener[^\n]*$/, 4);
  await refused(fixture("calls-listen.mjs"), /^\S+calls-listen\.mjs is a Fastify plugin and calls listen\(\)[^\n]*$/, 4);
});

test("what does not parse is named with its line, in JavaScript, in TypeScript, and in what is imported", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "drover-unloadable-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const file = (name: string, text: string): string => (writeFileSync(join(dir, name), text), join(dir, name));
  const broken = "// one line\nexport default (req, res) => { res.end( };\n";
  await refused(file("broken.mjs", broken), /^\S+broken\.mjs:2 does not parse: [^\n]+$/, 4);
  await refused(file("broken.ts", broken), /^\S+broken\.ts:2 does not parse: [^\n]+$/, 4);
  await refused(
    file("imports.mjs", 'import "./broken.mjs";'),
    /^\S+imports\.mjs could not be loaded: something that it imports [^\n]+$/,
    4,
  );
  const enumeration = file("enum.ts", "enum A { B }\nexport default (req, res) => res.end(String(A.B));\n");
  await refused(enumeration, /^\S+enum\.ts:1 could not be loaded: TypeScript enum is not supported [^\n]+ build it$/, 4);
  await refused(file("app.txt", "hello"), /^\S+app\.txt could not be loaded: [^\n]+ ends in \.js, \.mjs[^\n]+$/, 4);
});

test("an ES module in a package of CommonJS, and TypeScript below node_modules: what is to be done about it", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "drover-unloadable-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const file = (name: string, text: string): string => (writeFileSync(join(dir, name), text), join(dir, name));
  file("package.json", '{ "type": "commonjs" }');
  const advice = /^\S+ could not be loaded: SyntaxError: [^\n]+: \S+package\.json says "type": "commonjs", [^\n]+ make it "module"$/;
  await refused(file("app.ts", 'import "node:fs";\nexport default (req: unknown, res: { end(): void }) => res.end();\n'), advice, 4);
  await refused(file("app.js", "export default (req, res) => res.end();\n"), advice, 4);
  file("other.js", "export const other = 1;\n");
  await refused(file("app.mjs", 'import "./other.js";'), advice, 4);
  await refused(file("broken.js", "module.exports = (req, res) => { res.end( };\n"), /^\S+broken\.js:1 does not parse: [^\n]+$/, 4);
  mkdirSync(join(dir, "node_modules/game"), { recursive: true });
  await refused(
    file("node_modules/game/app.ts", "export default (req, res) => res.end();\n"),
    /node_modules[^\n]+: copy it out of there, or build it$/,
    4,
  );
});

test("an application that never becomes ready: the worker says what it waited for before the master loses patience", async () => {
  const soon = ms(400);
  await refused(
    fixture("never.mjs"),
    /^the Fastify plugin \S+never\.mjs was not ready within 0\.4 s \(DROVER_BOOT_TIMEOUT\): [^\n]+$/,
    3,
    soon,
  );
  await refused(fixture("awaits.mjs"), /^\S+awaits\.mjs was not loaded within 0\.4 s [^\n]+ top-level await[^\n]+$/, 3, soon);
  await refused(fixture("nothing.mjs"), /^\S+nothing\.mjs exports no application, and has not called listen\(\)[^\n]+$/, 3, soon);
});

// The boot timeout ends in another message and exit code (above).
test("nothing to serve, and nothing under way that could change it: it is not waited for", async () => {
  await refused(fixture("nothing.mjs"), /^\S+nothing\.mjs exports no application and listens nowhere, and nothing is under way[^\n]+$/, 4);
});

test("an error that nobody catches while it loads, and a process that ends itself, are told", async () => {
  const rig = startRig({ config: { app: fixture("awaits.mjs") } });
  while (!rig.happens("uncaughtException", new Error("the database said no"))) await new Promise(setImmediate);
  assert.match((await rig.until("fatal")).message, /awaits\.mjs could not be loaded: Error: the database said no/);
  assert.equal(await rig.exited, 4);
  const leaving = startRig({ config: { app: fixture("awaits.mjs") } });
  while (!leaving.happens("exit", 7)) await new Promise(setImmediate);
  const { message, exit } = await leaving.until("fatal");
  assert.match(message, /awaits\.mjs ended its process with exit code 7 while it was loaded$/);
  assert.equal(exit, 3);
  leaving.happens("uncaughtException", new Error("so that this rig ends"));
  await leaving.exited;
});
