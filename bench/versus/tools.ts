/** What is installed, what is not, and the command that would install it. */
import { execFileSync } from "node:child_process";
import { accessSync, constants, readFileSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** Where PM2 is looked for beside the PATH: outside of the repository, which does not depend on it. */
export const TOOLS = join(tmpdir(), "drover-bench-tools");

export interface Tool {
  readonly program: string;
  readonly install: string;
  /** @returns its version, or throws. */
  version(path: string): string;
}

const output = (program: string, args: readonly string[]): string => execFileSync(program, args, { encoding: "utf8", stdio: "pipe" });
const number = (text: string): string => /\d+\.\d+(?:\.\d+)?/.exec(text)?.[0] ?? "unknown";
/** Some print their version as an error, and some leave with a code. */
function anyOutput(program: string, args: readonly string[]): string {
  try {
    return execFileSync("/bin/sh", ["-c", '"$0" "$@" 2>&1 || true', program, ...args], { encoding: "utf8" });
  } catch {
    return "";
  }
}
/** By the interpreter that the script itself names: another one on the PATH has other packages. */
function python(script: string): string {
  const [program = "python3", ...args] = (/^#!(.*)$/m.exec(readFileSync(script, "utf8"))?.[1] ?? "python3").trim().split(/\s+/);
  const ask = "from importlib.metadata import version as v; import platform; print(v('gevent'), v('flask'), platform.python_version())";
  const [gevent, flask, own] = output(program, [...args, "-c", ask])
    .trim()
    .split(" ");
  return `gevent ${gevent}, Flask ${flask}, Python ${own}`;
}

export const TOOL = {
  gunicorn: {
    program: "gunicorn",
    install: "apt-get install gunicorn python3-gevent python3-flask",
    version: (path) => `gunicorn ${number(output(path, ["--version"]))}, ${python(path)}`,
  },
  pm2: {
    program: "pm2",
    install: `npm install --prefix "\${TMPDIR:-/tmp}/drover-bench-tools" pm2`,
    version: (path) => `PM2 ${number(readFileSync(join(realpathSync(path), "../../package.json"), "utf8").split('"version"')[1] ?? "")}`,
  },
  puma: {
    program: "puma",
    install: "apt-get install puma",
    version: (path) => `puma ${number(output(path, ["--version"]))}, ${output("ruby", ["--version"]).split(" ").slice(0, 2).join(" ")}`,
  },
  nginx: { program: "nginx", install: "apt-get install nginx-light", version: (path) => `nginx ${number(anyOutput(path, ["-v"]))}` },
  haproxy: { program: "haproxy", install: "apt-get install haproxy", version: (path) => `HAProxy ${number(anyOutput(path, ["-v"]))}` },
  wrk: { program: "wrk", install: "apt-get install wrk", version: (path) => `wrk ${number(anyOutput(path, ["-v"]))}` },
  ab: { program: "ab", install: "apt-get install apache2-utils", version: (path) => `ab ${number(anyOutput(path, ["-V"]))}` },
} as const satisfies Readonly<Record<string, Tool>>;
export type ToolName = keyof typeof TOOL;

/** @returns its path, or undefined: on the PATH, in the system's own folders, or in {@link TOOLS}. */
export function find(name: ToolName): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin", join(TOOLS, "node_modules/.bin")];
  return folders.map((folder) => join(folder, TOOL[name].program)).find(runs);
}

function runs(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Installed, and able to tell its version: half an installation is none. */
export function usable(name: ToolName): { readonly path: string; readonly version: string } | undefined {
  const path = find(name);
  try {
    return path === undefined ? undefined : { path, version: TOOL[name].version(path) };
  } catch {
    return undefined;
  }
}
