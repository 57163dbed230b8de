import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../support/fast-check.ts";
import { editDistance, nearest } from "../../src/settings/nearest.ts";
import { problems, resolved } from "./given.ts";

test("an unknown DROVER_ name is an error that names the nearest and its place", () => {
  assert.deepEqual(problems({ env: { DROVER_WORKRES: "secret" } }), [
    "DROVER_WORKRES (environment) is not a setting: did you mean DROVER_WORKERS?",
  ]);
  assert.deepEqual(problems({ files: "\nDROVER_GRACEFULL_TIMEOUT=secret" }), [
    "DROVER_GRACEFULL_TIMEOUT (/srv/x/.env:2) is not a setting: did you mean DROVER_GRACEFUL_TIMEOUT?",
  ]);
  assert.match(problems({ env: { DROVER_: "" } }).join(), /DROVER_ \(environment\)/);
  assert.match(problems({ env: { DROVER_ENVFILE: "" } }).join(), /DROVER_ENV_FILE/);
  assert.match(problems({ files: "DROVER_PORT=80" }).join(), /did you mean DROVER_BIND/);
});

test("what container platforms inject is ignored, and so are the tests' own names and everyone else's", () => {
  const env = {
    DROVER_PORT: "tcp://10.0.0.1:80",
    DROVER_PORT_80_TCP: "tcp://10.0.0.1:80",
    DROVER_PORT_80_TCP_ADDR: "10.0.0.1",
    DROVER_SERVICE_HOST: "10.0.0.1",
    DROVER_SERVICE_PORT: "80",
    DROVER_SERVICE_PORT_HTTP: "80",
    DROVER_WEB_SERVICE_HOST: "10.0.0.1",
    DROVER_WEB_SERVICE_PORT: "80",
    DROVER_WEB_PORT: "tcp://10.0.0.1:80",
    DROVER_WEB_PORT_80_TCP_PROTO: "tcp",
    DROVER_TEST_ANYTHING: "1",
    PATH: "/bin",
    drover_workers: "x",
  };
  assert.deepEqual(resolved({ env }).warnings, []);
  assert.match(
    resolved({ env: { DROVER_PORT: "9000" } }).warnings.join(),
    /DROVER_PORT \(environment\) is not read: did you mean DROVER_BIND/,
  );
  assert.match(problems({ env: { DROVER_WEB_PORT: "80" } }).join(), /DROVER_WEB_PORT/);
});

test("names near ours draw a warning while the setting itself is not set", () => {
  for (const name of ["SPREADSHEET_ID", "SHEET_ID", "GOOGLE_SHEET_ID"]) {
    assert.match(resolved({ env: { [name]: "x" } }).warnings.join(), new RegExp(`^${name} \\(environment\\) .*DROVER_SPREADSHEET_ID`));
    assert.match(resolved({ files: `${name}=x` }).warnings.join(), new RegExp(`^${name} \\(/srv/x/\\.env:1\\)`));
    assert.deepEqual(resolved({ env: { [name]: "x", DROVER_SPREADSHEET_ID: "x".repeat(20) } }).warnings, []);
  }
});

test("GUNICORN_CMD_ARGS and FORWARDED_ALLOW_IPS are answered with one line each", () => {
  const { warnings } = resolved({ env: { GUNICORN_CMD_ARGS: "--workers 9", FORWARDED_ALLOW_IPS: "*" } });
  assert.deepEqual(warnings.length, 2);
  assert.match(warnings.join("\n"), /GUNICORN_CMD_ARGS \(environment\) is not read: .*DROVER_WORKERS/);
  assert.match(warnings.join("\n"), /FORWARDED_ALLOW_IPS \(environment\) is not read: .*DROVER_TRUSTED_PROXIES/);
});

test("GUNICORN_WORKER_CLASS is answered with one line", () => {
  const { warnings } = resolved({ env: { GUNICORN_WORKER_CLASS: "gevent" } });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /GUNICORN_WORKER_CLASS \(environment\) means nothing here .*event loop/);
});

test("DROVER_ENV_FILE inside an env file has no effect and says so", () => {
  assert.match(resolved({ files: "DROVER_ENV_FILE=/x" }).warnings.join(), /no effect/);
});

test("edit distance: a metric on small words, with a swap counting one", () => {
  assert.equal(editDistance("workres", "workers"), 1);
  assert.equal(editDistance("kitten", "sitting"), 3);
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(editDistance("abc", ""), 3);
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      assert.equal(distance, editDistance(b, a));
      assert.equal(distance === 0, a === b);
      assert.ok(distance >= Math.abs(a.length - b.length) && distance <= Math.max(a.length, b.length));
    }),
  );
});

test("the nearest of none is none, and a monstrous name costs little", () => {
  assert.equal(nearest("x", []), undefined);
  assert.equal(nearest("DROVER_WORKERS".padEnd(5_000_000, "x"), ["DROVER_WORKERS", "PATH"]), "DROVER_WORKERS");
});
