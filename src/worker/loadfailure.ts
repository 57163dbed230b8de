/** What an operator is told of an application that could not be loaded: one sentence, and where in their own code it happened. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { pathToFileURL } from "node:url";
import { DroverError, ERRORS, errnoOf, messageOf } from "../base/errors.ts";

/** Frames of the application below the sentence: enough to find the line. */
const MOST_FRAMES = 5;
const CHECK_WITHIN = 5_000;
/** What V8 says of an ES module that is read as CommonJS. */
const MODULES_ONLY =
  /^(?:Cannot use import statement outside a module|Unexpected token 'export'|Cannot use 'import\.meta' outside a module)/;
const PROGRAMS = ".js, .mjs, .cjs, .ts, .mts or .cts";

/**
 * @param what the application's file, or a name for what is loaded.
 * @returns errors that say themselves what the process ends with, as they are; all others as DROVER_E_APP.
 */
export function loadFailure(thrown: unknown, what: string): DroverError {
  if (thrown instanceof DroverError && ERRORS[thrown.code].exit !== undefined) return thrown;
  return new DroverError("DROVER_E_APP", `${sentence(thrown, what)}${framesOf(thrown)}`, { cause: thrown });
}

function sentence(thrown: unknown, what: string): string {
  const text = messageOf(thrown);
  switch (errnoOf(thrown)) {
    case "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX":
      return `${placeOf(thrown, what)} could not be loaded: ${text}: only types that can be erased are taken away, so write it without or build it`;
    case "ERR_INVALID_TYPESCRIPT_SYNTAX":
      return `${placeOf(thrown, what)} does not parse: SyntaxError: ${text}`;
    case "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING":
      return `${what} could not be loaded: ${text}: copy it out of there, or build it`;
    case "ERR_UNKNOWN_FILE_EXTENSION":
    case "ERR_IMPORT_ATTRIBUTE_MISSING":
      return `${what} could not be loaded: ${text}: the name of a module ends in ${PROGRAMS}`;
    case "ERR_MODULE_NOT_FOUND":
      return `${what} could not be loaded: ${text}${/'drover'/.test(text) ? ": make drover a dependency of the application" : ""}`;
    default:
      if (thrown instanceof SyntaxError) return parseFailure(text, what);
      return `${what} could not be loaded: ${thrown instanceof Error ? `${thrown.name}: ` : "it threw "}${text}`;
  }
}

/** Of an error of syntax the stack begins with the place: `file:///app.mjs:3`, then the line itself. */
function placeOf(thrown: unknown, what: string): string {
  const [first = ""] = ((thrown as Error).stack ?? "").split("\n", 1);
  const place = /^(?:file:\/\/)?(\/.*:\d+)$/.exec(first)?.[1];
  return place === undefined ? what : decodePath(place);
}

/** Where JavaScript does not parse, Node.js says only to a terminal, so another one is asked: whether it is this file, and the line. */
function parseFailure(text: string, file: string): string {
  const commonJs = MODULES_ONLY.test(text) ? commonJsBy(file) : undefined;
  if (commonJs !== undefined)
    return `${file} could not be loaded: SyntaxError: ${text}: ${commonJs} says "type": "commonjs", so .js and .ts files can't import and export: make it "module"`;
  const { status, stderr } = spawnSync(process.execPath, ["--check", file], { encoding: "utf8", env: {}, timeout: CHECK_WITHIN });
  if (status === 0) return `${file} could not be loaded: something that it imports does not parse: SyntaxError: ${text}`;
  const place = /^(?:file:\/\/)?(\/.*:\d+)$/m.exec(stderr)?.[1];
  return `${place === undefined ? file : decodePath(place)} does not parse: SyntaxError: ${text}`;
}

/** @returns the package.json that takes a file and its neighbours for CommonJS (`npm init` writes it so), if there is one. */
function commonJsBy(file: string): string | undefined {
  const found = findPackageJSON(pathToFileURL(file));
  if (found === undefined) return undefined;
  try {
    const { type } = Object(JSON.parse(readFileSync(found, "utf8"))) as { type?: unknown };
    return type === "commonjs" ? found : undefined;
  } catch {
    return undefined; // what Node.js can't read decides nothing
  }
}

function decodePath(place: string): string {
  try {
    return decodeURI(place);
  } catch {
    return place; // a name with a lone %: as it is
  }
}

/** @returns the lines of the stack that are not Node's own, each after a line break. */
function framesOf(thrown: unknown): string {
  if (!(thrown instanceof Error) || thrown instanceof SyntaxError) return "";
  const frames = (thrown.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line) && !/\(?node:|\/drover\/(?:dist|src)\//.test(line));
  return frames
    .slice(0, MOST_FRAMES)
    .map((line) => `\n${line}`)
    .join("");
}
