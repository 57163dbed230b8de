/**
 * Where in `src` a place of `dist` comes from: the build joins modules (ADR 25), and whoever reads a stack wants the file that he can open.
 * Only when a stack is shown: Node's own --enable-source-maps makes every start 6 to 8 % dearer.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ownPath } from "./place.ts";

export interface SourcePlace {
  /** Absolute. */
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
}

type Maps = InstanceType<ReturnType<typeof nodeModule>["SourceMap"]>;

const nodeModule = (): typeof import("node:module") => process.getBuiltinModule("node:module");

const BUILT = ownPath("dist/");
/** By file: at most as many as the build has made; undefined: it has none. */
const maps = new Map<string, Maps | undefined>();

/** @param file absolute. @returns undefined where no source map tells. */
export function sourcePlace({ file, line, column }: SourcePlace): SourcePlace | undefined {
  if (!file.startsWith(BUILT)) return undefined;
  if (!maps.has(file)) maps.set(file, mapOf(file));
  const found = maps.get(file)?.findEntry(line - 1, column - 1);
  if (found === undefined || !("originalSource" in found)) return undefined;
  return { file: resolve(dirname(file), found.originalSource), line: found.originalLine + 1, column: found.originalColumn + 1 };
}

function mapOf(file: string): Maps | undefined {
  try {
    const { SourceMap } = nodeModule();
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, "utf8")) as ConstructorParameters<typeof SourceMap>[0]);
  } catch {
    return undefined; // the places of the built files are true as well
  }
}

/** `file:///…/dist/parts/x.js:12:3`, in brackets or not. */
const PLACE = /(?:file:\/\/)?(\/[^\s():]+\.js):(\d+):(\d+)/g;

/** A stack, as `error.stack` gives it, with the places of drover's own code as they are in `src`. */
export function readableStack(stack: string): string {
  return stack.replace(PLACE, (whole: string, file: string, line: string, column: string) => {
    const found = sourcePlace({ file: pathOf(file), line: Number(line), column: Number(column) });
    return found === undefined ? whole : `${found.file}:${found.line}:${found.column}`;
  });
}

function pathOf(file: string): string {
  try {
    return decodeURI(file);
  } catch {
    return file; // a name with a lone %: as it is
  }
}
