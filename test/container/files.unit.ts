/** Containerfile and compose.yaml, read as a careful engine would: no engine runs here. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import test from "node:test";
import { duration } from "../../src/settings/parsers.ts";
import { ms } from "../../src/base/units.ts";
import { variableOf, type AnySetting } from "../../src/settings/setting.ts";
import { TIMEOUTS } from "../../src/settings/rows/timeouts.ts";
import { SETTINGS } from "../../src/settings/table.ts";
import { filesOf, installed } from "../tools/emit/emitted.ts";
import { parseYaml, type Yaml } from "./yaml.ts";

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

const KNOWN = "FROM WORKDIR COPY RUN ENV USER VOLUME EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD".split(" ");
const instructions: readonly Instruction[] = readFileSync("Containerfile", "utf8")
  .replaceAll(/^\s*#.*\n/gm, "")
  .replaceAll(/\\\n\s*/g, "")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => {
    const [, name = "", rest = ""] = /^([A-Z]+)\s+(.+)$/.exec(line) ?? [];
    assert.ok(KNOWN.includes(name), line);
    return { name, rest };
  });
const last = instructions.slice(instructions.findLastIndex(({ name }) => name === "FROM"));
const all = (name: string, of = instructions): string[] => of.filter((one) => one.name === name).map(({ rest }) => rest);
const one = (name: string): string => {
  const found = all(name, last);
  assert.equal(found.length, 1, `one ${name}`);
  return found[0] ?? "";
};
const words = (json: string): string[] => JSON.parse(json) as string[];
const env = Object.fromEntries(
  one("ENV")
    .split(/\s+/)
    .map((pair) => pair.split("=") as [string, string]),
);

const settings: readonly AnySetting[] = SETTINGS;
const milliseconds = (text: string): number => {
  const parsed = duration(ms(0), ms(3_600_000)).parse(text, "/");
  assert.ok(parsed.ok, text);
  return parsed.value;
};
const GRACE = milliseconds(TIMEOUTS.find(({ name }) => name === "graceful_timeout")?.default as string);

/** Every DROVER_ name is a setting, and its value one it can have. */
function checkSettings(values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values).filter(([known]) => known.startsWith("DROVER_"))) {
    const row = settings.find((setting) => variableOf(setting) === name);
    assert.ok(row !== undefined, `${name} is a setting`);
    assert.equal(row.codec.parse(value, "/").ok, true, `${name}=${value}`);
  }
}

test("the image: pinned bases, nobody's root, words and no shell, an init, a stop that drains, a health check", () => {
  for (const from of all("FROM")) assert.match(from, /^docker\.io\/library\/[a-z]+:(?!latest)[\w.-]+(?: AS \w+)?$/);
  for (const copy of all("COPY").filter((rest) => !rest.startsWith("--from")))
    for (const source of copy.split(/\s+/).slice(0, -1)) assert.ok(existsSync(source), `COPY ${source}`);
  for (const name of ["ENTRYPOINT", "CMD"]) assert.ok(words(one(name)).length > 0);
  assert.deepEqual(words(one("ENTRYPOINT")).slice(0, 2), ["/usr/bin/tini", "--"]);
  assert.match(one("USER"), /^[1-9]\d{3,}:[1-9]\d{3,}$/);
  assert.ok(
    last.findLastIndex(({ name }) => name === "RUN") < last.findIndex(({ name }) => name === "USER"),
    "nothing is changed as root after USER",
  );
  assert.equal(one("STOPSIGNAL"), "SIGTERM");
  const health = one("HEALTHCHECK");
  assert.deepEqual(words(health.slice(health.indexOf("CMD ") + 4)), ["drover", "status"]);
  for (const option of ["interval", "timeout", "start-period", "retries"]) assert.ok(health.includes(`--${option}=`));
  assert.equal(one("VOLUME"), env["DROVER_DATA_DIR"]);
  assert.equal(env["DROVER_BIND"], `0.0.0.0:${one("EXPOSE")}`);
  assert.ok(env["container"], "drover knows that it is in one");
  checkSettings(env);
  const runs = all("RUN").join("\n");
  assert.match(runs, /npm ci --omit=dev --ignore-scripts/);
  assert.doesNotMatch(runs, /curl|wget|ADD |sudo|chmod 777/);
  assert.ok(runs.split("apt-get install").length === runs.split("rm -rf /var/lib/apt/lists").length);
  const ignored = readFileSync(".dockerignore", "utf8").split("\n");
  for (const path of [".git", ".env", "node_modules", "var", "dist"]) assert.ok(ignored.includes(path), `${path} stays outside`);
});

test("compose.yaml: read-only but for one volume, no rights, limits, and a grace longer than the drain", () => {
  const compose = parseYaml(readFileSync("compose.yaml", "utf8")) as Record<string, Record<string, Record<string, Yaml>>>;
  const service = compose["services"]?.["drover"] as Record<string, Yaml>;
  assert.equal(service["read_only"], "true");
  assert.equal(service["user"], one("USER"));
  assert.deepEqual(service["cap_drop"], ["ALL"]);
  assert.deepEqual(service["security_opt"], ["no-new-privileges:true"]);
  assert.ok(milliseconds(service["stop_grace_period"] as string) >= GRACE + 5_000, "the drain fits into the stop period");
  assert.deepEqual(service["volumes"], [`drover-data:${one("VOLUME")}`]);
  assert.deepEqual(Object.keys(compose["volumes"] ?? {}), ["drover-data"]);
  assert.deepEqual(service["ports"], [`127.0.0.1:${one("EXPOSE")}:${one("EXPOSE")}`], "the world comes through a proxy");
  assert.ok(service["init"] === undefined, "the image has one already");
  assert.equal((service["build"] as Record<string, Yaml>)["dockerfile"], "Containerfile");
  for (const limit of ["mem_limit", "pids_limit", "ulimits", "tmpfs", "restart"]) assert.ok(service[limit] !== undefined, limit);
  assert.equal(service["cpus"], undefined, "Docker starts no container that is given more CPUs than its host has");
  checkSettings(service["environment"] as Record<string, string>);
});

test("drover emit compose: the settings and limits of an installation, its files read-only, no secret", () => {
  const token = "a-secret-of-an-operator-0123456789abcdef";
  const flags = {
    bind: "10.0.0.7:9000",
    memory: "2g",
    workers: "3",
    graceful_timeout: "90s",
    cache_ttl: "10s",
    spreadsheet_id: "the-id-of-a-spreadsheet-of-ours",
    tables: "/srv/game/tables.json",
    admin_token: token,
    daily_quota: "5",
    time_zone: "Europe/Paris",
  };
  const [file] = filesOf("compose", { image: "registry.example.org/drover:1.2" }, installed(flags, 4));
  const text = file?.text ?? "";
  const compose = parseYaml(text) as Record<string, Record<string, Record<string, Yaml>>>;
  const service = compose["services"]?.["drover"] as Record<string, Yaml>;
  assert.deepEqual(service["environment"], {
    DROVER_WORKERS: "3",
    DROVER_SPREADSHEET_ID: "the-id-of-a-spreadsheet-of-ours",
    DROVER_CACHE_TTL: "10s",
    DROVER_GRACEFUL_TIMEOUT: "90s",
    DROVER_DAILY_QUOTA: "5",
    DROVER_TIME_ZONE: "Europe/Paris",
    DROVER_TABLES: "/etc/drover/tables.json",
  });
  checkSettings(service["environment"]);
  assert.deepEqual(
    ["image", "build", "mem_limit", "cpus", "stop_grace_period", "ports", "volumes", "read_only"].map((name) => service[name]),
    [
      "registry.example.org/drover:1.2",
      undefined,
      "2048m",
      undefined,
      "105s",
      ["10.0.0.7:9000:8080"],
      [`drover-data:${one("VOLUME")}`, "/srv/game:/etc/drover:ro"],
      "true",
    ],
  );
  assert.ok(!text.includes(token));
  assert.throws(() => filesOf("compose", { image: "a b" }, installed()), /--image a b/);
});
