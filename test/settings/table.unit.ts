import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { loadEnvFile, parseEnvFile } from "../../src/settings/envfile.ts";
import { renderEnvExample, renderHelp, renderReference, renderServiceEnv, serviceLines } from "../../src/settings/reference.ts";
import { resolveRows } from "../../src/settings/resolve.ts";
import { flagOf, GROUPS, variableOf, type AnySetting } from "../../src/settings/setting.ts";
import { sourceText } from "../../src/settings/source.ts";
import { SETTINGS } from "../../src/settings/table.ts";
import { CWD, ENV_FILE, machine, problems, resolved } from "./given.ts";

const ROWS: readonly AnySetting[] = SETTINGS;
/** No row takes this. */
const NONSENSE = "~/\u0007 nonsense {";

test("names, variables, flags and aliases are well formed and belong to one row", () => {
  const variables = ROWS.map(variableOf);
  assert.equal(new Set(variables).size, ROWS.length);
  for (const row of ROWS) {
    assert.match(row.name, /^[a-z]+(?:_[a-z]+)*$/);
    assert.match(flagOf(row), /^--[a-z]+(?:-[a-z]+)*$/);
    assert.ok(GROUPS.includes(row.group));
    assert.match(row.help, /^[A-Z].*\.$/, row.name);
    for (const { name } of row.aliases ?? []) assert.ok(!variables.includes(name), `${name} is a row's own name`);
  }
});

test("every default passes its own parser, on any machine", () => {
  for (const over of [{}, { cpus: 256 }, { container: true }, { memory: 1 as never, constrainedBy: "cgroup" as const }]) {
    for (const env of [{}, { STATE_DIRECTORY: "/var/lib/drover:/x", RUNTIME_DIRECTORY: "relative", LOGS_DIRECTORY: "/var/log/drover" }]) {
      const { settings, sources } = resolved({ machine: over, env });
      for (const row of SETTINGS) {
        assert.equal(sources[row.name].from, "default");
        const value = settings[row.name];
        assert.deepEqual((row as AnySetting).codec.parse((row as AnySetting).codec.format(value), CWD), { ok: true, value }, row.name);
      }
    }
  }
});

test("every example passes its row's parser", () => {
  for (const row of ROWS) if (typeof row.default !== "string") assert.ok(row.codec.parse(row.default.example, CWD).ok, row.name);
});

test("every row takes its value from file, environment and flag, and says so", () => {
  for (const row of SETTINGS) {
    const { name }: AnySetting = row;
    const variable = variableOf(row);
    const text = row.codec.format(resolved().settings[row.name] as never);
    const { sources } = resolved({ files: `\n${variable}='${text}'` });
    assert.deepEqual(sources[row.name], { from: "file", file: ENV_FILE, line: 2, name: variable });
    const env = resolved({ files: `${variable}=${text}`, env: { [variable]: text } });
    assert.deepEqual(env.sources[row.name], { from: "environment", name: variable });
    const flag = resolved({ env: { [variable]: text }, flags: { [name]: text } });
    assert.deepEqual(flag.sources[row.name], { from: "flag", flag: flagOf(row) });
  }
});

test("every error names the setting, the value, what was expected, and the place", () => {
  for (const row of ROWS) {
    for (const name of [variableOf(row), ...(row.aliases ?? []).map((alias) => alias.name)]) {
      for (const [given, place] of [
        [{ files: `# x\n${name}='${NONSENSE}'` }, `${ENV_FILE}:2 ${name}`],
        [{ env: { [name]: NONSENSE } }, `environment ${name}`],
        [{ flags: { [row.name]: NONSENSE } }, `flag ${flagOf(row)}`],
      ] as const) {
        const problem = problems(given).find((p) => p.startsWith(`${row.name}: `)) ?? "";
        assert.ok(problem.includes(`(${place})`), `${problem} lacks ${place}`);
        assert.match(problem, /: ("~\/\\u0007 nonsense \{"|\*\*\*) .*: expected \S+/);
      }
    }
  }
});

test("a row's text that is secret appears in no error", () => {
  const key: AnySetting = {
    ...ROWS[0],
    name: "key",
    secret: true,
    default: "",
    codec: { looksLike: "x", format: String, parse: () => ({ ok: false, problem: "a key", hide: false }) },
  } as AnySetting;
  const codec = { ...key.codec, parse: (text: string) => (text === "" ? ({ ok: true, value: "" } as const) : key.codec.parse(text, "")) };
  const input = { flags: new Map([["key", "hunter2"]]), env: {}, cwd: CWD, machine: machine() };
  const outcome = resolveRows([{ ...key, codec }], input, undefined);
  assert.deepEqual(outcome.problems, ["key: *** (flag --key): expected a key"]);
});

const committed = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

test("docs/SETTINGS.md and config/.env.example are what the table renders (node src/settings/write-reference.ts)", () => {
  assert.equal(committed("docs/SETTINGS.md"), renderReference());
  assert.equal(committed("config/.env.example"), renderEnvExample());
  const service = { keyFile: "/etc/drover/google-key.json", lines: serviceLines("drover") };
  assert.equal(committed("systemd/drover.env"), renderServiceEnv(service));
});

test("the reference and --help know every row", () => {
  for (const row of ROWS) {
    assert.ok(renderReference().includes(`### \`${variableOf(row)}\``));
    assert.ok(renderHelp().includes(`  ${flagOf(row)}`));
    for (const { name } of row.aliases ?? []) assert.ok(renderReference().includes(`\`${name}\``));
  }
  assert.ok(
    renderHelp()
      .split("\n")
      .every((line) => line.length <= 105),
  );
});

test(".env.example sets nothing as it is, and is a valid env file without its comment signs", () => {
  assert.deepEqual([...parseEnvFile("x", renderEnvExample()).entries], []);
  const file = renderEnvExample().replaceAll(/^#(?=[A-Z])/gm, "");
  const { settings, sources, warnings } = resolved({ files: file, machine: { container: false } });
  assert.deepEqual(warnings, []);
  for (const row of SETTINGS) assert.equal(sources[row.name].from, "file", `${row.name}: ${sourceText(sources[row.name])}`);
  const plain = resolved().settings;
  for (const row of SETTINGS) if (typeof row.default === "string") assert.deepEqual(settings[row.name], plain[row.name]);
  assert.equal(loadEnvFile({ flag: "/dev/null", variable: undefined }, "/")?.entries.size, 0);
});

test("settings are plain data: they survive JSON", () => {
  const { settings } = resolved({ env: { DROVER_TRUSTED_PROXIES: "10.0.0.0/8", DROVER_BIND: "unix:/a,:0" } });
  const { undefined: _, ...given } = { ...settings, undefined: undefined };
  const there = JSON.parse(JSON.stringify(given)) as Record<string, unknown>;
  for (const [name, value] of Object.entries(given)) assert.deepEqual(there[name], value, name);
  assert.ok(Object.isFrozen(settings));
});
