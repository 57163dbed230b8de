/**
 * The private systemd (sandbox.sh) for tests: whether this machine can run one, and this package shown inside it. DROVER_SANDBOX_ROOT=/dir
 * takes systemd from another root file system, a debootstrap of a newer release say.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after } from "node:test";
import { needs } from "../support/needs.ts";

const here = import.meta.dirname;
export const root = resolve(here, "..", "..");
const SANDBOX = join(here, "sandbox.sh");
const base = process.env["DROVER_SANDBOX_ROOT"] ?? "/";
/** What the sandbox exits with when the machine can't run it, as automake's tests do. */
const SKIPPED = 77;
/** For a slow, busy machine: only a hang takes so long. */
const LIMIT_MS = 150_000;

/** A folder of this test file's own. */
export const scratch = mkdtempSync(join(tmpdir(), "drover-service-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
const sandboxes = join(scratch, "sandboxes");
mkdirSync(sandboxes);
const tag = `${process.pid}.`;
const env = { ...process.env, TMPDIR: sandboxes, SANDBOX_TAG: tag };

/** @returns false when this machine can run a private systemd, else why not. */
export function cannot(): false | string {
  needs("systemd-analyze", "systemd"); // installs it where that is wanted; the trial says what is missing
  const trial = spawnSync("bash", [SANDBOX, "--root", base, "true"], { encoding: "utf8", timeout: 60_000, env });
  return (trial.status === SKIPPED || trial.error !== undefined) && (trial.error?.message ?? trial.stderr.trim());
}

/** Folders and control groups that sandboxes of this test file have left on this machine. */
export function leftovers(): string[] {
  const find = ["/sys/fs/cgroup", "-maxdepth", "5", "-name", `drover-sandbox.${tag}*`];
  const groups = spawnSync("find", find, { encoding: "utf8" }).stdout.split("\n");
  return [...readdirSync(sandboxes), ...groups.filter((path) => path !== "")];
}

/** What a script of this folder saw inside: its lines `fact NAME VALUE…`. */
export interface Seen {
  fact(name: string): string;
  is(name: string, expected: string | RegExp): void;
  /** Everything else it printed. */
  readonly out: string;
}

export interface Shown {
  /** Where this package is shown inside. */
  readonly at?: string;
  /** Another root file system than this machine's, or the one of DROVER_SANDBOX_ROOT. */
  readonly base?: string;
  /** How long the script may take. */
  readonly limitMs?: number;
  /** More files: where they are, and where they are copied to, writable. */
  readonly files?: readonly (readonly [from: string, to: string])[];
}

/**
 * Runs a script of this folder inside, as root, beside this package with a dist of its own: the one of the checkout may be old, or in use.
 */
export function inside(script: string, { at = "/opt/drover", files = [], limitMs = LIMIT_MS, base: below = base }: Shown = {}): Seen {
  const dist = built();
  const needed = ["bin", "config", "docs", "node_modules", "package.json", "src", "systemd"];
  const shown = [
    ...needed.map((name) => `${join(root, name)}:${at}/${name}`),
    `${dist}:${at}/dist`,
    `${here}:/opt/test`,
    ...files.map(([from], i) => `${from}:/opt/files/${i}`),
  ];
  const options = ["--root", below, ...shown.flatMap((pair) => ["--bind", pair])];
  const copies = files.map(([, to], i) => `cp /opt/files/${i} '${to}' && `).join("");
  const ran = spawnSync("bash", [SANDBOX, ...options, "bash", "-c", `${copies}exec /opt/test/${script}`], {
    encoding: "utf8",
    timeout: limitMs,
    env,
    killSignal: "SIGTERM",
    maxBuffer: 64 * 1_048_576,
  });
  const facts = new Map(Array.from(ran.stdout.matchAll(/^fact (\S+) ?(.*)$/gm), ([, name = "", value = ""]) => [name, value]));
  const all = [...facts].map(([name, value]) => `${name}: ${value}`).join("\n");
  const said = `${all}\n${ran.stdout.replaceAll(/^fact .*\n/gm, "").slice(-20_000)}${ran.stderr.slice(-10_000)}`;
  assert.equal(ran.status, 0, said);
  const fact = (name: string): string => facts.get(name) ?? "(not reached)";
  const is = (name: string, expected: string | RegExp): void =>
    typeof expected === "string"
      ? assert.equal(fact(name), expected, `${name}\n${said}`)
      : assert.match(fact(name), expected, `${name}\n${said}`);
  return { fact, is, out: ran.stdout };
}

let dist: string | undefined;

/** Whether the checkout's dist was built after the last change of a source. */
function builtAlready(): boolean {
  const main = join(root, "dist/cli/main.js");
  if (!existsSync(main)) return false;
  const { mtimeMs } = statSync(main);
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((name) => /\.(ts|json)$/.test(name));
  return ["../package-lock.json", "../tsconfig.json", ...sources].every((name) => statSync(join(root, "src", name)).mtimeMs < mtimeMs);
}

/** Copies the built package, or builds it where it is older than its sources; once for a test file. */
export function built(): string {
  if (dist !== undefined) return dist;
  dist = join(scratch, "dist");
  if (builtAlready()) cpSync(join(root, "dist"), dist, { recursive: true, filter: (path) => !path.endsWith("/.running") });
  else {
    const ran = spawnSync(process.execPath, [join(root, "bin/bundle.mjs"), dist], { encoding: "utf8" });
    assert.ok(existsSync(join(dist, "cli", "main.js")), ran.stderr);
  }
  spawnSync("chmod", ["-R", "a+rX", scratch]);
  return dist;
}
