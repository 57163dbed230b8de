/**
 * `drover doctor deployment PATH…`: reads the files of a deployment by Gunicorn or PM2, and says what they mean to drover, what they don't
 * and why, and what is wrong in them. It changes nothing and asks nobody. Exit 0: nothing is wrong; 1: something is.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { DroverError, messageOf } from "../../../base/errors.ts";
import { EXIT } from "../../../base/exit.ts";
import { parseFlags } from "../../../settings/flags.ts";
import { detectMachine } from "../../../settings/machine.ts";
import { resolveSettings, SettingsError, type Resolved } from "../../../settings/resolve.ts";
import { variableOf } from "../../../settings/setting.ts";
import { SETTINGS, type SettingName } from "../../../settings/table.ts";
import { across } from "./across.ts";
import { envFile } from "./env.ts";
import { findingText, plain, type Finding, type Read, type Value } from "./finding.ts";
import { gunicornFile } from "./gunicorn.ts";
import { found } from "./mapping.ts";
import { nginxFile, type NginxFacts } from "./nginx.ts";
import { ecosystem } from "./pm2.ts";
import { unitFile, type UnitFacts } from "./unit.ts";

/** More is none of these files. */
const LARGEST = 262_144;
const MOST_FILES = 50;

type Kind = "env" | "unit" | "nginx" | "gunicorn" | "pm2";

/** By its name, else by what stands in it. @returns undefined when it is none that is known. */
export function kindOf(name: string, text: string): Kind | undefined {
  if (/^ecosystem\.config\.|^pm2.*\.(?:json|[cm]?js)$/.test(name)) return "pm2";
  if (name.endsWith(".py")) return "gunicorn";
  if (/\.(?:service|socket)$/.test(name) || /^\[Service\]$/m.test(text)) return "unit";
  if (/(?:^|\.)env(?:\.|$)/.test(name)) return "env";
  if (/^\s*(?:server|http|upstream|location)\b[^;=]*\{/m.test(text)) return "nginx";
  return /^\s*(?:export\s+)?[A-Z][A-Z0-9_]*=/m.test(text) ? "env" : undefined;
}

export async function deployment(argv: readonly string[]): Promise<number> {
  const { positional } = parseFlags(argv, [], []);
  if (positional.length === 0)
    throw new DroverError(
      "DROVER_E_USAGE",
      "drover doctor deployment needs the files to read: .env, the unit, nginx's, gunicorn.conf.py, ecosystem.config.js, or a folder with them",
    );
  const { findings, values } = examine(positional.flatMap(filesOf));
  const out = findings.map(findingText);
  process.stdout.write(`${out.join("")}${startText(values)}${countsText(findings)}\n`);
  return findings.some(({ is }) => is === "mistake") ? 1 : EXIT.done.code;
}

/** A folder's own files, by name: nothing in it is opened that is not known for one of these. */
function filesOf(path: string): string[] {
  if (!existsSync(path)) throw new DroverError("DROVER_E_USAGE", `${path} is not there`);
  if (!statSync(path).isDirectory()) return [path];
  const known = /^\.env(?:\.|$)|\.env$|\.service$|nginx.*\.conf$|gunicorn.*\.py$|^ecosystem\.config\./;
  const names = readdirSync(path).filter((name) => known.test(name) && !/example|sample|template/.test(name));
  if (names.length === 0)
    throw new DroverError(
      "DROVER_E_USAGE",
      `${path} holds none of .env, *.service, nginx*.conf, gunicorn*.py, ecosystem.config.*: name the files`,
    );
  return names.slice(0, MOST_FILES).map((name) => join(path, name));
}

/** Everything that is to be said of these files. */
export function examine(paths: readonly string[]): Read {
  const [reads, nginx, units]: [Read[], NginxFacts[], UnitFacts[]] = [[], [], []];
  for (const path of paths) {
    const { text, mode } = textOf(path);
    switch (kindOf(basename(path), text)) {
      case "env":
        reads.push(envFile(text, path, mode));
        break;
      case "unit":
        units.push(unitFile(text, path));
        break;
      case "nginx":
        nginx.push(nginxFile(text, path));
        break;
      case "gunicorn":
        reads.push(gunicornFile(text, path));
        break;
      case "pm2":
        reads.push(ecosystem(text, path));
        break;
      case undefined:
        reads.push(
          found({
            is: "ignored",
            where: path,
            what: "this file",
            why: "it looks like none of an env file, a unit, nginx's, Gunicorn's or PM2's configuration",
          }),
        );
    }
  }
  const all = [...reads, ...units, ...nginx];
  const said = all.flatMap((read) => read.values);
  const differing = conflictsOf(all);
  const conflicts = [...differing].map(([name, values]): Finding => ({
    is: "mistake",
    where: values.map(({ where }) => where).join(", "),
    what: `${variableOf({ name })} would have different values: it is left out of the env file`,
    mend: "two deployments? Read each by itself; else remove the value that does not count",
  }));
  const values = said.filter(({ name }) => !differing.has(name));
  const { settings, problems } = resolvedWith(values);
  const together = problems.map((what): Finding => ({
    is: "mistake",
    where: "all together",
    what,
    mend: "drover would refuse to start with these values",
  }));
  return {
    findings: [...all.flatMap((read) => read.findings), ...conflicts, ...together, ...across({ settings, values, nginx, units })],
    values,
  };
}

/** Settings that files of the same kind give different values: which of them counts can't be told. Files of different kinds outrank one another. */
function conflictsOf(all: readonly Read[]): ReadonlyMap<SettingName, readonly Value[]> {
  const kindOfRead = (path: string): string => kindOf(basename(path), "") ?? "";
  const lasts = all.flatMap(({ values }) => [...new Map(values.map((value) => [value.name, value])).values()]);
  const groups = Map.groupBy(lasts, ({ name, where }) => `${name} ${kindOfRead(where.replace(/:\d+$/, ""))}`);
  const differing = [...groups.values()].filter((values) => new Set(values.map(({ text }) => text)).size > 1);
  return new Map(differing.flatMap((values) => (values[0] === undefined ? [] : [[values[0].name, values]])));
}

function textOf(path: string): { readonly text: string; readonly mode: number } {
  try {
    const { size, mode } = statSync(path);
    if (!statSync(path).isFile()) throw new Error("it is no file");
    if (size > LARGEST) throw new Error(`it is larger than ${LARGEST} bytes`);
    return { text: readFileSync(path, "utf8"), mode };
  } catch (error) {
    throw new DroverError("DROVER_E_USAGE", `${path} can't be read: ${messageOf(error)}`, { cause: error });
  }
}

/** What drover would run with. The machine is this one; its own environment and env file don't count. */
function resolvedWith(values: readonly Value[]): { readonly settings: Resolved["settings"]; readonly problems: readonly string[] } {
  const flags = new Map([...values.map(({ name, text }) => [name, text] as const), ["env_file", "/dev/null"] as const]);
  try {
    return { settings: resolveSettings({ flags, env: {}, cwd: "/", machine: detectMachine({}) }).settings, problems: [] };
  } catch (error) {
    if (error instanceof SettingsError) return { settings: error.readable.settings, problems: error.problems };
    throw error;
  }
}

/** The env file to begin with. */
function startText(values: readonly Value[]): string {
  const lines = SETTINGS.flatMap((row) => {
    const value = values.findLast(({ name }) => name === row.name);
    return value === undefined ? [] : [`${variableOf(row)}=${plain(value.text)}`];
  });
  return lines.length === 0 ? "" : `\n# /etc/drover/drover.env to begin with (0640; drover check judges it):\n${lines.join("\n")}\n\n`;
}

function countsText(findings: readonly Finding[]): string {
  const count = (is: Finding["is"]): number => findings.filter((finding) => finding.is === is).length;
  return `${count("maps")} map, ${count("ignored")} ignored, ${count("mistake")} mistake${count("mistake") === 1 ? "" : "s"}`;
}
