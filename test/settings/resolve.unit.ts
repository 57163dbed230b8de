import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, mebibytes, ms, seconds } from "../../src/base/units.ts";
import { SettingsError } from "../../src/settings/resolve.ts";
import { renderCheck } from "../../src/settings/show.ts";
import { sourceText } from "../../src/settings/source.ts";
import { SETTINGS } from "../../src/settings/table.ts";
import { CWD, ENV_FILE, problems, resolved } from "./given.ts";

test("4.7: default < env file < environment < flag", () => {
  const files = "DROVER_BACKLOG=1";
  const env = { DROVER_BACKLOG: "2" };
  const flags = { backlog: "3" };
  assert.equal(resolved().settings.backlog, 2048);
  assert.equal(resolved({ files }).settings.backlog, 1);
  assert.equal(resolved({ files, env }).settings.backlog, 2);
  assert.equal(resolved({ files, env, flags }).settings.backlog, 3);
});

test("the own name beats an alias in the same place; a higher place beats a lower whatever the name", () => {
  const own = resolved({ env: { DROVER_WORKERS: "3", GUNICORN_WORKERS: "5", WEB_CONCURRENCY: "7" } });
  assert.equal(own.settings.workers, 3);
  const first = resolved({ env: { GUNICORN_WORKERS: "5", WEB_CONCURRENCY: "7" } });
  assert.deepEqual([first.settings.workers, sourceText(first.sources.workers)], [5, "environment GUNICORN_WORKERS"]);
  const higher = resolved({ files: "DROVER_WORKERS=3", env: { WEB_CONCURRENCY: "7" } });
  assert.deepEqual([higher.settings.workers, sourceText(higher.sources.workers)], [7, "environment WEB_CONCURRENCY"]);
  assert.equal(resolved({ files: "DROVER_WORKERS=3\nGUNICORN_WORKERS=9" }).settings.workers, 3);
});

test("PORT means every address; an own bind in the same place wins", () => {
  assert.deepEqual(resolved({ env: { PORT: "5000" } }).settings.bind, [{ kind: "tcp", host: "0.0.0.0", port: 5000 }]);
  assert.deepEqual(resolved({ env: { PORT: "5000", DROVER_BIND: ":80" } }).settings.bind, [{ kind: "tcp", host: "0.0.0.0", port: 80 }]);
  assert.deepEqual(resolved({ env: { PORT: "5000" }, files: "DROVER_BIND=:80" }).settings.bind, [
    { kind: "tcp", host: "0.0.0.0", port: 5000 },
  ]);
  for (const PORT of ["", "x", "65536", "-1", "127.0.0.1:80"])
    assert.match(problems({ env: { PORT } }).join(), /^bind: .*environment PORT.*a port/);
});

test("0.4: aliases that were seconds take a bare number; GUNICORN_TIMEOUT sets both timeouts", () => {
  const { settings } = resolved({ env: { GUNICORN_TIMEOUT: "120", SHEET_CACHE_TTL: "300" } });
  assert.deepEqual([settings.timeout, settings.request_timeout, settings.cache_ttl], [seconds(120), seconds(120), seconds(300)]);
  assert.equal(resolved({ env: { SHEET_CACHE_TTL: "500ms" } }).settings.cache_ttl, ms(500));
  const one = resolved({ env: { GUNICORN_TIMEOUT: "120", DROVER_TIMEOUT: "10s" } }).settings;
  assert.deepEqual([one.timeout, one.request_timeout], [seconds(10), seconds(120)]);
  assert.match(problems({ env: { GUNICORN_TIMEOUT: "0" } }).join("\n"), /timeout: "0" \(environment GUNICORN_TIMEOUT\)/);
  assert.match(problems({ env: { DROVER_TIMEOUT: "30" } }).join(), /needs its unit/);
});

test("0.3, 0.5: the names of a Gunicorn deployment are read, each with its source, and gevent is answered with a line", () => {
  const env = {
    GUNICORN_WORKERS: "16",
    GUNICORN_WORKER_CLASS: "gevent",
    GUNICORN_WORKER_CONNECTIONS: "1000",
    GUNICORN_TIMEOUT: "120",
    SHEET_CACHE_TTL: "120",
  };
  const here = { cpus: 4, memory: mebibytes(20_480) };
  const found = resolved({ env, machine: here });
  const text = renderCheck(found);
  for (const line of [
    /^workers +16 +environment GUNICORN_WORKERS$/m,
    /^worker_connections +1000 +environment GUNICORN_WORKER_CONNECTIONS$/m,
    /^timeout +2m +environment GUNICORN_TIMEOUT$/m,
    /^request_timeout +2m +environment GUNICORN_TIMEOUT$/m,
    /^cache_ttl +2m +environment SHEET_CACHE_TTL$/m,
  ])
    assert.match(text, line);
  assert.match(found.warnings.join("\n"), /GUNICORN_WORKER_CLASS .* every worker runs an event loop already/);
  for (const workers of ["8", "16", "32"]) assert.equal(resolved({ env: { GUNICORN_WORKERS: workers } }).settings.workers, Number(workers));
  for (const ttl of ["60", "300"]) assert.equal(resolved({ env: { SHEET_CACHE_TTL: ttl } }).settings.cache_ttl, seconds(Number(ttl)));
  const { settings: usual } = resolved({ machine: here });
  assert.deepEqual([usual.workers, usual.worker_connections], [16, 1_000], "CPU × 4, and Gunicorn's default");
});

const keyPath = (env: NodeJS.ProcessEnv): string | undefined => resolved({ env }).settings.google_application_credentials;

test("the Google key's variable has its own name, and ours is an alias", () => {
  assert.equal(keyPath({ GOOGLE_APPLICATION_CREDENTIALS: "key.json" }), `${CWD}/key.json`);
  assert.equal(keyPath({ DROVER_GOOGLE_APPLICATION_CREDENTIALS: "/k" }), "/k");
  assert.equal(keyPath({ GOOGLE_APPLICATION_CREDENTIALS: "/a", DROVER_GOOGLE_APPLICATION_CREDENTIALS: "/b" }), "/a");
  assert.equal(keyPath({ GOOGLE_APPLICATION_CREDENTIALS: "" }), undefined);
  const message = problems({ env: { GOOGLE_APPLICATION_CREDENTIALS: '{"private_key":"hunter2"}' } }).join();
  assert.match(message, /\*\*\*/);
  assert.doesNotMatch(message, /hunter2/);
});

const workersOn = (cpus: number, memory: number): readonly [number, string] => {
  const { settings, sources } = resolved({ machine: { cpus, memory: bytes(memory), constrainedBy: "cgroup" } });
  return [settings.workers, sourceText(sources.workers)];
};

test("workers: CPU × 4, or what half the memory holds, and the reason", () => {
  assert.deepEqual(workersOn(2, mebibytes(8_192)), [8, "default (CPU decides: 2 × 4; half of 8g would hold 45)"]);
  assert.deepEqual(workersOn(4, mebibytes(512)), [2, "default (memory decides: half of 512m holds 2 of 90m each; CPU × 4 would be 16)"]);
  assert.equal(workersOn(4, mebibytes(100))[0], 1);
  assert.equal(workersOn(200, mebibytes(1_000_000))[0], 256);
  const budget = resolved({ env: { DROVER_MEMORY: "540m" }, machine: { cpus: 8 } });
  assert.equal(budget.settings.workers, 3, "the budget given counts, not the machine");
});

const placesOf = (given: Parameters<typeof resolved>[0]): unknown[] => {
  const { settings } = resolved(given);
  return [settings.data_dir, settings.run_dir, settings.log_file];
};

test("under systemd and in a container, places are where those expect them", () => {
  assert.deepEqual(placesOf({}), [`${CWD}/var`, `${CWD}/var/run`, { file: `${CWD}/var/log/drover.log` }]);
  const systemd = { STATE_DIRECTORY: "/var/lib/drover", RUNTIME_DIRECTORY: "/run/drover:/run/x", LOGS_DIRECTORY: "/var/log/drover" };
  const unit = ["/var/lib/drover", "/run/drover", { file: "/var/log/drover/drover.log" }];
  assert.deepEqual(placesOf({ env: systemd }), unit);
  assert.deepEqual(placesOf({ env: systemd, machine: { container: true } }), unit);
  assert.equal(sourceText(resolved({ env: systemd }).sources.run_dir), "default (systemd's RUNTIME_DIRECTORY)");
  assert.deepEqual(placesOf({ machine: { container: true } })[2], { fd: 1 });
  assert.deepEqual(placesOf({ env: { DROVER_DATA_DIR: "d" } }), [`${CWD}/d`, `${CWD}/d/run`, { file: `${CWD}/d/log/drover.log` }]);
  assert.deepEqual(placesOf({ flags: { log_file: "-" } })[2], { fd: 1 });
});

test("all problems are reported at once, file, names, values and contradictions alike", () => {
  const found = problems({
    files: "DROVER_BACKLOG=x\nbroken line\nDROVER_WORKRES=3\nDROVER_LOG_LEVEL=loud\n",
    env: { DROVER_TIMEOUT: "30", DROVER_NONSENSE: "1" },
    flags: { workers: "0" },
  });
  assert.equal(found.length, 7, found.join("\n"));
  const error = new SettingsError(found, resolved());
  assert.deepEqual([error.code, error.exit], ["DROVER_E_SETTINGS", 78]);
  assert.match(error.message, /^7 settings are wrong:\n {2}/);
  for (const problem of found) assert.ok(error.message.includes(problem));
});

test("an empty value is a value: it unsets what may be empty, and is refused elsewhere", () => {
  assert.equal(resolved({ files: "DROVER_APP=x", env: { DROVER_APP: "" } }).settings.app, undefined);
  assert.match(problems({ env: { DROVER_WORKERS: "" } }).join(), /workers: "" \(environment DROVER_WORKERS\): expected a whole number/);
});

test("a spreadsheet's id", () => {
  const id = "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms";
  assert.equal(resolved({ env: { DROVER_SPREADSHEET_ID: id } }).settings.spreadsheet_id, id);
  for (const text of [`https://docs.google.com/spreadsheets/d/${id}/edit`, "short", `${id}\n`, `${id}!`])
    assert.match(problems({ env: { DROVER_SPREADSHEET_ID: text } }).join(), /between \/d\/ and \/edit/);
});

test("values in errors are cut and escaped", () => {
  const [problem = ""] = problems({ env: { DROVER_LOG_LEVEL: `\u001B[31m${"x".repeat(10_000)}` } });
  assert.ok(problem.length < 400);
  assert.ok(!problem.includes("\u001B"));
});

test("resolving changes neither the environment nor the flags, and gives frozen results", () => {
  const env = Object.freeze({ DROVER_WORKERS: "3" });
  const result = resolved({ env, files: "DROVER_BACKLOG=5" });
  assert.throws(() => Object.assign(result.settings, { backlog: 1 }), TypeError);
  assert.ok(Object.isFrozen(result.settings.bind[0]));
  assert.equal(result.envFile, ENV_FILE);
  assert.equal(resolved().envFile, undefined);
});

test("check prints every setting, aligned, with its source", () => {
  const text = renderCheck(resolved({ files: "DROVER_BACKLOG=5", env: { PORT: "90" }, flags: { workers: "3" } }));
  for (const row of SETTINGS) assert.match(text, new RegExp(`^${row.name} `, "m"));
  assert.match(text, /^env file: \/srv\/x\/\.env$/m);
  assert.match(text, /^bind +0\.0\.0\.0:90 +environment PORT$/m);
  assert.match(text, /^backlog +5 +\/srv\/x\/\.env:1 DROVER_BACKLOG$/m);
  assert.match(text, /^workers +3 +flag --workers$/m);
  const columns = text
    .split("\n")
    .filter((line) => /^(?:bind|workers|backlog) /.test(line))
    .map((line) => line.search(/environment|flag|\/srv/));
  assert.equal(new Set(columns).size, 1);
});
