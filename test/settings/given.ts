import type { Machine } from "../../src/settings/machine.ts";
import { resolveSettings, SettingsError, type Resolved } from "../../src/settings/resolve.ts";
import { bytes } from "../../src/base/units.ts";

export const machine = (over: Partial<Machine> = {}): Machine => ({
  cpus: 2,
  memory: bytes(8 * 1_073_741_824),
  constrainedBy: "ram",
  nofile: 20_000,
  container: false,
  ...over,
});

export const CWD = "/srv/x";
export const ENV_FILE = "/srv/x/.env";

const missing = (path: string): never => {
  throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: "ENOENT" });
};

export interface Given {
  readonly flags?: Readonly<Record<string, string>>;
  readonly env?: NodeJS.ProcessEnv;
  /** Files by path; a string alone is the text of ./.env. */
  readonly files?: string | Readonly<Record<string, string>>;
  readonly machine?: Partial<Machine>;
}

export function resolved(given: Given = {}): Resolved {
  const files = typeof given.files === "string" ? { [ENV_FILE]: given.files } : (given.files ?? {});
  return resolveSettings({
    flags: new Map(Object.entries(given.flags ?? {})),
    env: given.env ?? {},
    cwd: CWD,
    machine: machine(given.machine),
    readFile: (path) => files[path] ?? missing(path),
  });
}

/** What is wrong with it. Fails when nothing is. */
export function problems(given: Given): readonly string[] {
  try {
    resolved(given);
  } catch (thrown) {
    if (thrown instanceof SettingsError) return thrown.problems;
    throw thrown;
  }
  throw new Error("expected a SettingsError");
}
