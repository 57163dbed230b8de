import assert from "node:assert/strict";
import { test } from "node:test";
import { runInThisContext } from "node:vm";
import { applicationOf } from "../../src/worker/form.ts";

const formOf = (exported: unknown, rest: Record<string, unknown> = {}): string =>
  applicationOf({ default: exported, ...rest }, "app.js", false).form;
/** A function exactly as its author wrote it. */
const written = (text: string): object => runInThisContext(`(${text})`) as object;
const plain = (): void => {};

test("the form of a module follows from what it exports", () => {
  const marked = Object.assign(written("(a, b) => {}"), { [Symbol.for("skip-override")]: true });
  const cases: readonly (readonly [unknown, string])[] = [
    [written("async function (fastify) {}"), "fastify"],
    [written("async (fastify, options) => {}"), "fastify"],
    [written("(instance, options, done) => {}"), "fastify"],
    [written("(x, y, done) => {}"), "fastify"],
    [written("x => {}"), "fastify"],
    [marked, "fastify"],
    [written("(req, res) => {}"), "listener"],
    [written("async (request, response) => {}"), "listener"],
    [written("async req => {}"), "listener"],
    [written("function app(req, res, next) {}"), "listener"],
    [written("{ handler(req, res) {} }.handler"), "listener"],
    [{ fetch: () => new Response() }, "fetch"],
    [undefined, "script"],
    [{}, "script"],
    [{ __esModule: true, default: written("(req, res) => {}") }, "listener"],
  ];
  for (const [exported, expected] of cases) assert.equal(formOf(exported), expected, String(exported));
  assert.equal(applicationOf({ default: (req: unknown) => req }, "app.js", true).form, "script", "whoever has listened is a script");
});

test("an export `form` decides, also where CommonJS hides it", () => {
  const ambiguous = (a: unknown, b: unknown): void => void [a, b];
  assert.throws(() => formOf(ambiguous), { code: "DROVER_E_APP", message: /app\.js.*2 parameters.*called a.*export const form/ });
  assert.throws(() => formOf(plain), { code: "DROVER_E_APP" });
  assert.throws(() => formOf(written("class App {}")), { code: "DROVER_E_APP" });
  assert.equal(formOf(ambiguous, { form: "listener" }), "listener");
  assert.equal(formOf(ambiguous, { form: "fastify" }), "fastify");
  assert.equal(formOf(Object.assign((a: unknown, b: unknown) => void [a, b], { form: "listener" })), "listener");
  assert.equal(formOf(ambiguous, { form: "script" }), "script");
});

test("a form that the export can't have, and a form that does not exist, are refused", () => {
  assert.throws(() => formOf({}, { form: "listener" }), { message: /its form is listener.*must be a function/ });
  assert.throws(() => formOf(plain, { form: "fetch" }), { message: /object with a function `fetch`/ });
  assert.throws(() => formOf(plain, { form: "koa" }), { message: /export form is "koa"; expected/ });
  assert.throws(() => formOf(plain, { form: "fastify", options: 3 }), { message: /export options is number/ });
});
