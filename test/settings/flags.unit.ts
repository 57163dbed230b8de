import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../support/fast-check.ts";
import { DroverError } from "../../src/base/errors.ts";
import { parseFlags, type CommandFlag } from "../../src/settings/flags.ts";
import { flagOf } from "../../src/settings/setting.ts";
import { SETTINGS } from "../../src/settings/table.ts";

const OWN: readonly CommandFlag[] = [{ name: "json" }, { name: "help", short: "h" }, { name: "follow", short: "f", takes: "value" }];
const read = (...argv: string[]): readonly [flags: object, own: object, positional: readonly string[]] => {
  const { flags, own, positional } = parseFlags(argv, SETTINGS, OWN);
  return [Object.fromEntries(flags), Object.fromEntries(own), positional];
};

test("values after a space or an equals sign, switches, and the rest", () => {
  const cases: readonly (readonly [argv: string[], flags: object, positional: string[]])[] = [
    [["--workers", "3", "app.js"], { workers: "3" }, ["app.js"]],
    [["--workers=3"], { workers: "3" }, []],
    [["--log-file", "-", "-"], { log_file: "-" }, ["-"]],
    [["--app="], { app: "" }, []],
    [["--app=a=b"], { app: "a=b" }, []],
    [["--app=a\nb"], { app: "a\nb" }, []],
    [["--env-file", "x"], { env_file: "x" }, []],
    [["--access-log", "app.js"], { access_log: "on" }, ["app.js"]],
    [["--access-log", "off", "app.js"], { access_log: "off" }, ["app.js"]],
    [["--access-log", "1"], { access_log: "on" }, ["1"]],
    [["--access-log=0"], { access_log: "0" }, []],
    [["--no-access-log"], { access_log: "off" }, []],
    [["--demo"], { demo: "on" }, []],
    [["--demo", "auto"], { demo: "auto" }, []],
    [["--no-demo"], { demo: "off" }, []],
    [["--bind", ":1", "--bind=:2"], { bind: ":1,:2" }, []],
    [["--workers", "1", "--workers", "2"], { workers: "2" }, []],
    [["--", "--workers", "--"], {}, ["--workers", "--"]],
    [["--max-requests", "-1"], { max_requests: "-1" }, []],
    [["", "a"], {}, ["", "a"]],
  ];
  for (const [argv, flags, positional] of cases) assert.deepEqual(read(...argv), [flags, {}, positional], argv.join(" "));
});

test("a command's own flags", () => {
  assert.deepEqual(read("--json", "-h", "--follow", "x", "1"), [{}, { json: "", help: "", follow: "x" }, ["1"]]);
  assert.deepEqual(read("-f", "x"), [{}, { follow: "x" }, []]);
});

test("what makes no sense is a usage error, exit 64", () => {
  const cases: readonly (readonly [argv: string[], message: RegExp])[] = [
    [["--wokers", "3"], /unknown flag --wokers: did you mean --workers\?/],
    [["--workers=3", "--jsno=secret"], /unknown flag --jsno: did you mean --json\?/],
    [["-x"], /unknown flag -x/],
    [["--no-workers"], /unknown flag --no-workers/],
    [["--workers"], /--workers needs a value/],
    [["--workers", "--json"], /--workers needs a value/],
    [["--json=1"], /--json takes no value/],
    [["--no-access-log=1"], /--no-access-log takes no value/],
    [["--worker_connections", "3"], /did you mean --worker-connections\?/],
    [["--__proto__"], /unknown flag/],
  ];
  for (const [argv, message] of cases)
    assert.throws(
      () => read(...argv),
      (e) => e instanceof DroverError && e.exit === 64 && message.test(e.message) && !e.message.includes("secret"),
      argv.join(" "),
    );
});

test("property: any row's flag carries any text that doesn't look like a flag, in both notations", () => {
  const rows = SETTINGS.filter((row) => !("alone" in row.codec));
  fc.assert(
    fc.property(
      fc.constantFrom(...rows),
      fc.string().filter((text) => !text.startsWith("--")),
      (row, text) => {
        assert.deepEqual(read(flagOf(row), text), [{ [row.name]: text }, {}, []]);
        assert.deepEqual(read(`${flagOf(row)}=${text}`), [{ [row.name]: text }, {}, []]);
      },
    ),
  );
});
