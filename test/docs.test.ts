/** What the pages name must be there: files, headings, settings, errors, commands and their flags. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import test from "node:test";
import { PLAN_FLAGS } from "../src/tools/plan/flags.ts";
import { LOAD_FLAGS } from "../src/cli/load/flags.ts";
import { ERRORS } from "../src/base/errors.ts";
import { COMMANDS } from "../src/cli/commands.ts";
import { ARTEFACTS } from "../src/tools/emit/artefacts.ts";
import { corrections, publishedTables } from "./tools/plan/published.ts";
import { ENV_FILE_VARIABLE, WORKER_VARIABLE } from "../src/settings/names.ts";
import { flagOf, variableOf, type AnySetting } from "../src/settings/setting.ts";
import { SETTINGS } from "../src/settings/table.ts";
import { CLAIMS } from "./contract/claims.ts";

interface Page {
  readonly path: string;
  readonly text: string;
}

const paths = [
  ...["README.md"].filter((path) => existsSync(path)),
  ...readdirSync("docs", { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => join("docs", path))
    .sort(),
];
const pages: readonly Page[] = paths.map((path) => ({ path, text: readFileSync(path, "utf8") }));
const emitted = Object.values(ARTEFACTS).flatMap(({ options = [] }) => options);
const settings: readonly AnySetting[] = SETTINGS;

const FENCE = /^ *```[^]*?^ *```$/gm;
const CODE = /`[^`\n]*`/g;
/** A page's prose: what stands in code is no link and no heading. */
const prose = (text: string): string => text.replaceAll(FENCE, "").replaceAll(CODE, (code) => code.replaceAll(/[[\]()#]/g, " "));

const lineOf = (text: string, at: number): number => text.slice(0, at).split("\n").length;

/** Every match on every page, with the place it stands at. */
function found(pattern: RegExp, of: (text: string) => string = (text) => text): { readonly where: string; readonly match: string[] }[] {
  return pages.flatMap(({ path, text }) => {
    const searched = of(text);
    return Array.from(searched.matchAll(pattern), (match) => ({
      where: searched === text ? `${path}:${lineOf(text, match.index)}` : path,
      match: Array.from(match, (group) => group ?? ""),
    }));
  });
}

/** A heading's anchor as GitHub and GitLab make it. */
const anchor = (heading: string): string =>
  heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll("`", "")
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
    .replaceAll(" ", "-");

function anchorsOf(path: string): ReadonlySet<string> {
  const counts = new Map<string, number>();
  const headings = readFileSync(path, "utf8")
    .replaceAll(FENCE, "")
    .matchAll(/^#{1,6} +(.+?)(?: +#+)?$/gm);
  return new Set(
    Array.from(headings, ([, heading = ""]) => {
      const base = anchor(heading);
      const nr = counts.get(base) ?? 0;
      counts.set(base, nr + 1);
      return nr === 0 ? base : `${base}-${nr}`;
    }),
  );
}

/** @returns what is wrong with a link of a page, or undefined. */
function brokenLink(from: string, target: string): string | undefined {
  const [file = "", fragment] = target.split("#", 2);
  const path = file === "" ? from : normalize(join(dirname(from), decodeURIComponent(file)));
  if (path.startsWith("..")) return "leads out of the repository";
  if (!existsSync(path)) return `${path} is not there`;
  if (fragment === undefined) return undefined;
  if (statSync(path).isDirectory() || !path.endsWith(".md")) return "a fragment needs a page";
  return anchorsOf(path).has(fragment) ? undefined : `${path} has no heading #${fragment}`;
}

test("every relative link leads to a file, and every anchor to a heading", () => {
  const links = found(/\[[^\]]*\]\(([^)\s]+)\)/g, prose).filter(({ match }) => !/^[a-z][a-z0-9+.-]*:/i.test(match[1] ?? ""));
  assert.ok(links.length > 50, `${links.length} links were found`);
  const broken = links.flatMap(({ where, match }) => {
    const why = brokenLink(where, match[1] ?? "");
    return why === undefined ? [] : [`${where}: (${match[1]}): ${why}`];
  });
  assert.deepEqual(broken, []);
});

test("the index names every page", () => {
  const index = readFileSync("docs/README.md", "utf8");
  const unnamed = paths.filter((path) => path.startsWith("docs/") && path !== "docs/README.md" && !index.includes(`(${path.slice(5)}`));
  assert.deepEqual(unnamed, []);
});

/** Names that pages use as examples of a mistake, or as what others inject. */
const NOT_OURS = /^DROVER_(?:PORT|PORT_|SERVICE_|TEST_[A-Z]*|_TCP|WORKRS)$/;

test("every DROVER_ name is a setting, every DROVER_E_ one an error", () => {
  const known = new Set([
    ...settings.flatMap((row) => [variableOf(row), ...(row.aliases ?? []).map(({ name }) => name)]),
    ENV_FILE_VARIABLE,
    WORKER_VARIABLE,
  ]);
  const names = found(/\bDROVER_[A-Z0-9_]*/g).filter(({ match }) => match[0] !== "DROVER_" && !NOT_OURS.test(match[0] ?? ""));
  assert.ok(names.length > 50, `${names.length} names were found`);
  const unknown = names.filter(({ match: [name = ""] }) => !known.has(name) && !(name in ERRORS));
  assert.deepEqual(
    unknown.map(({ where, match }) => `${where}: ${match[0]}`),
    [],
  );
});

test("every Gunicorn name that is promised is read", () => {
  const known = new Set(settings.flatMap((row) => (row.aliases ?? []).map(({ name }) => name)));
  const unknown = found(/\bGUNICORN_[A-Z_]*[A-Z]/g).filter(
    ({ match: [name = ""] }) => !known.has(name) && !["GUNICORN_WORKER_CLASS", "GUNICORN_CMD_ARGS"].includes(name),
  );
  assert.deepEqual(
    unknown.map(({ where, match }) => `${where}: ${match[0]}`),
    [],
  );
});

/** What stands in a template is anything. */
const nameOf = (text: string): string => text.replaceAll(/\$\{[^}]*\}/g, "…").replaceAll(/\\(.)/g, "$1");

/** The names of all tests. */
function testNames(): ReadonlySet<string> {
  const files = readdirSync("test", { recursive: true, encoding: "utf8" }).filter((path) => /\.(?:unit|test|full|soak)\.ts$/.test(path));
  const named = /(?:\btest\(\s*|^ {2}async )(?:"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/gm;
  return new Set(
    files.flatMap((path) =>
      [...readFileSync(join("test", path), "utf8").matchAll(named)].map(([, plain, made]) => nameOf(plain ?? made ?? "")),
    ),
  );
}

test("0.6, 0.9, 1.11: the page for those who come from Gunicorn has every name of their notes, and what takes its place", () => {
  const page = readFileSync("docs/from-gunicorn.md", "utf8");
  const names = [
    "GUNICORN_WORKERS",
    "GUNICORN_WORKER_CLASS=gevent",
    "GUNICORN_WORKER_CONNECTIONS=1000",
    "GUNICORN_TIMEOUT=120",
    "SHEET_CACHE_TTL=120",
    "gevent==23.9.1",
    "venv",
    "pip install",
    "requirements.txt",
    ".env.production",
    "scp ",
    "systemctl restart killer",
    "systemctl reload drover",
    "tail -f /var/log/killer.log",
    "ps aux",
    "htop",
    "ss -tuln",
    "ab -n 1000 -c 10",
    "Flask-Limiter",
    "get_remote_address",
    "drover: worker 3 [app]",
    "drover status",
    "drover top",
    "drover logs",
  ];
  assert.deepEqual(
    names.filter((name) => !page.includes(name)),
    [],
  );
  assert.match(page, /`ss -tuln` lists sockets that listen, not connections/);
});

test("each threat names a test that is there", () => {
  const known = testNames();
  const page = readFileSync("docs/security.md", "utf8");
  const section = page.slice(page.indexOf("## Threats and their tests"), page.indexOf("## Files"));
  const rows = section.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| threat |"));
  const named = rows.map((row) => row.split(" | ").at(-1)?.replace(/ \|$/, "") ?? "");
  assert.ok(named.length > 30, `${named.length} threats were found`);
  assert.deepEqual(
    named.filter((name) => !known.has(name)),
    [],
  );
});

/** A command line of drover's as it is typed, in code: what stands behind the program's name. */
function invocations(): { readonly where: string; readonly words: readonly string[] }[] {
  const program = /^\s*(?:\$ |sudo |[A-Z_]+=\S+ )*(?:\S*\/)?drover(?: +(?<rest>.*))?$/;
  return pages.flatMap(({ path, text }) =>
    [...text.matchAll(FENCE), ...text.replaceAll(FENCE, "").matchAll(CODE)]
      .flatMap(([code]) =>
        code
          .replaceAll("`", "")
          .replaceAll("\\\n", " ")
          .split(/\n|&&|[;|&#]/),
      )
      .flatMap((line) => {
        const { rest = "" } = program.exec(line)?.groups ?? {};
        return rest === "" ? [] : [{ where: `${path}: ${line.trim()}`, words: rest.trim().split(/\s+/) }];
      }),
  );
}

test("every refusal is explained", () => {
  const page = readFileSync("docs/limits.md", "utf8");
  const table = page.slice(0, page.indexOf("## "));
  const sources = ["src/app", "src/worker"].flatMap((dir) =>
    readdirSync(dir, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => readFileSync(join(dir, path), "utf8")),
  );
  const words = sources.flatMap((text) => [...text.matchAll(/"X-Drover-Refused": "([a-z-]+)"/g)].map(([, word]) => `\`${word}\``));
  assert.ok(words.length > 10, `${words.length} refusals were found`);
  assert.deepEqual(
    words.filter((word) => !table.includes(word)),
    [],
  );
});

test("every command is there", () => {
  const known = new Set(COMMANDS.map(({ name }) => name));
  const commands = invocations().filter(({ words: [word = ""] }) => /^[a-z]+$/.test(word));
  assert.ok(commands.length > 40, `${commands.length} commands were found`);
  const unknown = commands.filter(({ words: [word = ""] }) => !known.has(word));
  assert.deepEqual(
    unknown.map(({ where }) => where),
    [],
  );
});

/** Flags that are no settings: the commands' own. */
const OWN_FLAGS =
  "--help --env-file --output --force --json --watch --interval --now --port --dir --csv --faults --fault --dry-run --prefix --root --systemd-version --record --spreadsheet --yes --anyway --exhaust --by-hand --count --users --rate --burst --writes --bytes --cpus --ram --upstream-ms --ttl --quota --limit --from --verify --prices --preset --tiers --explain --ladder --stages --find-max --profile --mix --hold --think --requests --patience --threshold --user-file --seed --threads --html --i-own-this-host --name --key --purge --token --days --revoke --all --allow-live --level --worker --request --since --lines --follow --no-follow".split(
    " ",
  );

test("every flag of a command is a setting's or the command's own", () => {
  const declared = COMMANDS.flatMap(({ flags = [] }) =>
    (typeof flags === "function" ? [] : flags).map(([flag]) => flag.split(/[ ,]/, 1)[0] ?? ""),
  );
  const known = new Set([
    ...settings.map(flagOf),
    ...OWN_FLAGS,
    ...declared,
    ...[...LOAD_FLAGS, ...PLAN_FLAGS, ...emitted].map(({ name }) => `--${name}`),
  ]);
  const flags = invocations().flatMap(({ where, words }) =>
    // What stands behind -- is the application's own.
    words
      .slice(0, words.includes("--") ? words.indexOf("--") : words.length)
      .filter((word) => word.startsWith("--"))
      .map((flag) => ({ where, flag: flag.replace(/=.*/, "") })),
  );
  assert.ok(flags.length > 5, `${flags.length} flags were found`);
  assert.deepEqual(
    flags.filter(({ flag }) => !known.has(flag)).map(({ where, flag }) => `${flag}: ${where}`),
    [],
  );
});

test("the example of npm run test:google counts the claims of the page", () => {
  const all = [...CLAIMS.values()];
  const tried = all.filter(({ asked }) => !/--|no program/.test(asked)).length;
  const counts = `${all.length} claims: ${tried} hold, 0 do not hold, ${all.length - tried} not tested`;
  assert.ok(readFileSync("docs/sheets.md", "utf8").includes(`\n${counts}\n`), counts);
});

test("pages name no place of a development machine", () => {
  for (const { path, text } of pages) assert.doesNotMatch(text, /\/work\/|\/tmp\/w\b|docs-run|registry\.npmjs/, path);
});

test("1.3, 2.8: docs/plan.md has the corrected figures of the presets' notes, as the plan computes them", () => {
  assert.ok(readFileSync("docs/plan.md", "utf8").includes(publishedTables()), publishedTables());
});

test("2.5, 2.7, 2.9: the page on leaving Google Sheets is short, its figures add up, and its commands exist", () => {
  const page = readFileSync("docs/when-sheets-must-go.md", "utf8");
  assert.ok(page.split(/\s+/).filter((word) => /\w/.test(word)).length <= 900);
  const perMinute = Number(/\*\*([\d,]+) a minute\*\* measured, 25,500/.exec(page)?.[1]?.replace(",", ""));
  assert.ok(perMinute > 60 && perMinute <= 51 * 500, `${perMinute}: between a row and 500 rows in each of 51 calls`);
  assert.ok(page.includes(`100,000 rows is full after ${Math.round(100_000 / perMinute)} minutes`));
  assert.ok(page.includes(`10 million cells in 8 columns after ${Math.round(10_000_000 / 8 / perMinute)}`));
  const sum = corrections("internet").find(({ subject }) => subject === "the sum")?.ours ?? "";
  assert.ok(sum.includes("$74,194") && page.includes("74,194"), sum);
  for (const name of ["cloudformation", "cloudwatch", "deploy-100k"]) {
    assert.ok(Object.hasOwn(ARTEFACTS, name), name);
    assert.ok(page.includes(`drover emit ${name}`), name);
  }
});
