/** `drover install` and what comes after it, on a real systemd (install.sh). */
import assert from "node:assert/strict";
import { availableParallelism, loadavg } from "node:os";
import { describe, test } from "node:test";
import { cannot, inside, leftovers } from "./private.ts";

const MOST_EXPOSED = 1.5;
const LONGEST_WAIT_MS = 1_000;

/** @returns answered, failed, slowest in ms. */
const load = (fact: string): readonly number[] => fact.split(" ").slice(0, 3).map(Number);

describe("drover install on a real systemd", { skip: cannot() }, () => {
  // How long a start takes says nothing on a machine that has other work: then it is only printed.
  const quiet = (loadavg()[0] ?? 0) < availableParallelism() / 2;

  test("installed, upgraded and taken back under 100 clients, given up when broken, backed up, taken away", (t) => {
    const { fact, is } = inside("install.sh", { at: "/opt/package", limitMs: 600_000 });
    t.diagnostic(`installed in ${fact("install_ms")} ms; enabled and asked for the first time in ${fact("first_ms")} ms`);
    t.diagnostic(`exposure ${fact("exposure")}; of an event ${fact("event_exposure")}`);
    t.diagnostic(`the upgrade took ${fact("upgrade_ms")} ms`);
    for (const name of ["upgrade_load", "back_load", "broken_load"])
      t.diagnostic(
        `${name}: ${fact(name)} (answered, failed, slowest in ms, connections; 100 clients, 10 that rest${quiet ? "" : `; the machine was busy: load ${loadavg()[0]}`})`,
      );

    for (const name of ["upgrade_steps", "back_steps"]) t.diagnostic(`${name}, in ms: ${fact(name)}`);

    const untouched = String.raw`Nothing was changed\s+/ 0 0$`;
    is("no_root", new RegExp(`^78 drover: drover install needs root.*${untouched}`));
    is("foreign", new RegExp(`^78 drover: /usr/local/lib/systemd/system/drover.service was not written by drover.*${untouched}`));
    is("port", new RegExp(String.raw`^75 drover: 127\.0\.0\.1:8080 can't be drover's: pid \d+ \(.*\) listens there already.*${untouched}`));
    is("setting", /^78 .*workers: "lots".*\/ 0 0$/);
    is("key", /^78 .*\/etc\/passwd.* \/ 0 0$/);
    is("no_systemd", new RegExp(`^78 drover: systemd does not run this machine.*${untouched}`));

    is("install", "0 0.1.0 current ");
    is("env_file", /^640 root:drover [3-9]\d \d+$/);
    is("log_folder", "750 drover:drover");
    is("again", "6");
    is("key_file", "600 root:root 0");
    is("first", '0 {"table"');
    is("runtime", "/opt/drover/0.1.0/runtime/node 1");
    is("nice", "0 10 0"); // of master and broker, of workers; nobody complained
    is("login", "200");
    is("session", '"name":"Haruka Hayashi" 600 drover:drover 600 drover:drover');
    is("board", /^<!doctype html> [1-9]\d* 1$/i);
    for (const name of ["upgrade_session", "restored_session"]) is(name, '"name":"Haruka Hayashi"');
    assert.ok(Number(fact("exposure")) <= MOST_EXPOSED && Number(fact("event_exposure")) <= MOST_EXPOSED);

    is("upgrade", "0 0.2.0 0.2.0");
    is("back", "0 0.1.0 0.1.0");
    for (const name of ["upgrade_load", "back_load"]) {
      const [answered = 0, failed, slowest = Infinity] = load(fact(name));
      assert.ok(answered > 100 && failed === 0, `${name}: ${fact(name)}`);
      if (quiet) assert.ok(slowest <= LONGEST_WAIT_MS, `${name}: ${fact(name)}`);
    }
    is("broken", /^78 0\.1\.0 0\.1\.0 .*0\.3\.0 was given up: drover\.service did not come up.*0\.1\.0 serves again/);
    assert.equal(load(fact("broken_load"))[1], 0, fact("broken_load"));
    is(
      "older",
      /^78 0\.1\.0 same 0\.1\.0 .*0\.4\.0 can't take over drover\.service: .*newer drover \(schema 2; this one knows 1\).*Nothing that runs was changed/,
    );
    is("other_build", /^78 drover: \/opt\/drover\/0\.1\.0 holds another build of 0\.1\.0.*Nothing was changed/);

    is("event_no_address", /^78 drover: the event party needs an address of its own/);
    is("event", '0 {"table" drover-party 640 root:drover-party 2');
    is("event_status", "1");
    is("both", "0 0.2.0 0.2.0");
    is("event_gone", "0 0 0 {");

    is("posted", "201");
    is("backup", "0 600 root 0");
    is("restore_onto", /^75 drover: a daemon \(pid \d+\) already uses the data directory \/var\/lib\/drover/);
    is("restore", "0 0");
    is("restored", '0 {"table"');
    is("uninstall", "0 inactive 0 0 0 3");
    is("purge", "0 0");
  });

  test("nothing is left on this machine", () => assert.deepEqual(leftovers(), []));
});
