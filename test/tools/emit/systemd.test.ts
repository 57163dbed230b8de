import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { DroverError, type ErrorCode } from "../../../src/base/errors.ts";
import { emit } from "../../../src/tools/emit/command.ts";
import { obstacles, type Place } from "../../../src/tools/emit/place.ts";
import { filled } from "../../../src/tools/emit/systemd.ts";
import { write } from "../../../src/tools/emit/write.ts";
import { addresses, type BindAddress } from "../../../src/settings/addresses.ts";
import { emptyFolder } from "./emitted.ts";

const root = resolve(import.meta.dirname, "../../..");
const place = (more: Partial<Place> = {}): Place => ({
  root,
  node: process.execPath,
  systemd: 252,
  ffi: true,
  ...more,
});
const coded =
  (code: ErrorCode, ...parts: string[]) =>
  (e: unknown) =>
    e instanceof DroverError && e.code === code && parts.every((p) => e.message.includes(p));

function bind(text: string): readonly BindAddress[] {
  const found = addresses.parse(text, "/");
  assert.ok(found.ok);
  return found.value;
}

/** What a command prints, while it runs. */
async function printed(t: TestContext, run: () => Promise<number>): Promise<string> {
  let text = "";
  const write = t.mock.method(process.stdout, "write", (chunk: string) => ((text += chunk), true));
  try {
    await run();
  } finally {
    write.mock.restore();
  }
  return text;
}

test("every hole of every template has a value, whatever the systemd", () => {
  for (const systemd of [245, 252, 253, 257])
    for (const { text, path } of filled(place({ systemd }), bind("127.0.0.1:8080"), "/etc")) {
      assert.doesNotMatch(text, /<%|%>/, path);
      assert.match(text, /^# Written by `drover emit systemd`/, path);
      assert.ok(text.endsWith("\n") && !text.endsWith("\n\n"), path);
    }
});

const service = (more: Partial<Place>): string =>
  filled(place(more), bind("127.0.0.1:8080"), "/etc").find(({ path }) => path.endsWith(".service"))
    ?.text ?? "";

describe("what the unit says", () => {
  test("an old systemd gets nothing it does not know", () => {
    assert.match(service({}), /^Type=notify$/m);
    assert.doesNotMatch(service({}), /OpenFile=|RestartSteps=/);
  });

  test("a newer one passes the descriptor and waits longer every time", () => {
    const text = service({ systemd: 257, ffi: false });
    assert.match(text, /^OpenFile=\/run\/systemd\/notify:notify:graceful$/m);
    assert.match(text, /^NotifyAccess=main$/m);
    assert.match(text, /^RestartMaxDelaySec=30s$/m);
  });

  test("only systemd-notify needs NotifyAccess=all", () => {
    assert.match(service({ ffi: true }), /^NotifyAccess=main$/m);
    assert.match(service({ ffi: false }), /^NotifyAccess=all$/m);
  });

  test("0.8: the unit waits for READY, has a watchdog, ends the master alone, reloads without a restart, and names no user's settings", () => {
    const text = service({});
    for (const line of [
      /^Type=notify$/m,
      /^WatchdogSec=60s$/m,
      /^KillMode=mixed$/m,
      /^ExecReload=\S*drover reload$/m,
      /^Restart=on-failure$/m,
    ])
      assert.match(text, line);
    assert.doesNotMatch(text, /^User=root|^Environment=(?!DROVER_ENV_FILE=)/m);
  });

  test("settings are not frozen by PID 1, and final exit codes come from the table", () => {
    assert.match(service({}), /^Environment=DROVER_ENV_FILE=\/etc\/drover\/drover.env$/m);
    assert.doesNotMatch(service({}), /^EnvironmentFile=/m);
    assert.match(service({}), /^RestartPreventExitStatus=64 78$/m);
    assert.match(service({}), /^WatchdogSec=60s$/m);
  });

  test("a path is quoted as systemd reads it, or refused", () => {
    const line = (path: string, name: string) =>
      new RegExp(`^${name}=(.*)$`, "m").exec(service({ root: path }))?.[1];
    const exec = (path: string) => line(path, "ExecStart");
    assert.equal(exec("/opt/drover"), "/opt/drover/bin/drover serve");
    assert.equal(exec("/opt/my drover"), '"/opt/my drover/bin/drover" serve');
    assert.equal(exec("/opt/100%/@X@"), "/opt/100%%/@X@/bin/drover serve");
    for (const bad of ['/opt/"x', "/opt/a\nb", "/opt/$HOME", "/opt/a\\b", "/opt/a;b", "/opt/a'b"])
      assert.throws(() => exec(bad), coded("DROVER_E_USAGE", "unit file"));
    assert.equal(line("/home/ann/drover", "ProtectHome"), "read-only");
    assert.equal(line("/homestead/drover", "ProtectHome"), "yes");
  });

  test("the socket's addresses", () => {
    const listen = (text: string) =>
      filled(place(), bind(text), "/etc")
        .find(({ path }) => path.endsWith(".socket"))
        ?.text.match(/^(?:ListenStream|Socket[MG]\w+)=.*$/gm);
    assert.deepEqual(listen("localhost:80,[::]:80,:81"), [
      "ListenStream=127.0.0.1:80",
      "ListenStream=[::]:80",
      "ListenStream=0.0.0.0:81",
    ]);
    assert.deepEqual(listen("unix:/run/drover.sock"), [
      "ListenStream=/run/drover.sock",
      "SocketMode=0660",
      "SocketGroup=drover",
    ]);
    for (const bad of ["example.org:80", "127.0.0.1:0", "fd://3", "unix:/run/drover/http.sock"])
      assert.throws(() => listen(bad), coded("DROVER_E_USAGE", "--bind"));
  });
});

describe("drover emit systemd", () => {
  const names = (dir: string) =>
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((e) => e.isFile())
      .map((e) => join(e.parentPath, e.name).slice(dir.length))
      .sort();
  const FILES = [
    "/logrotate.d/drover",
    "/systemd/system/drover.service",
    "/systemd/system/drover.socket",
    "/sysusers.d/drover.conf",
    "/tmpfiles.d/drover.conf",
  ];

  test("writes below root and prefix, says what it wrote, and is content the second time", async (t) => {
    const dir = emptyFolder(t);
    const args = ["systemd", "--prefix", "/usr/lib", "--root", dir, "--systemd-version", "252"];
    const first = await printed(t, () => emit(args));
    assert.deepEqual(names(join(dir, "usr/lib")), FILES);
    for (const file of FILES) assert.ok(first.includes(`wrote ${dir}/usr/lib${file}\n`));
    const second = await printed(t, () => emit(args));
    for (const file of FILES) assert.ok(second.includes(`unchanged ${dir}/usr/lib${file}\n`));
  });

  test("--dry-run prints every file and writes none", async (t) => {
    const dir = emptyFolder(t);
    const text = await printed(t, () =>
      emit(["systemd", "--prefix", dir, "--systemd-version", "252", "--dry-run"]),
    );
    for (const file of FILES) assert.ok(text.includes(`# ${dir}${file}\n`));
    assert.deepEqual(names(dir), []);
  });

  test("a file that drover did not write stays, and nothing is written", async (t) => {
    const dir = emptyFolder(t);
    mkdirSync(join(dir, "systemd/system"), { recursive: true });
    const theirs = join(dir, "systemd/system/drover.socket");
    writeFileSync(theirs, "[Socket]\n");
    await assert.rejects(
      emit(["systemd", "--prefix", dir, "--systemd-version", "252"]),
      coded("DROVER_E_USAGE", theirs, "Nothing was changed"),
    );
    assert.equal(readFileSync(theirs, "utf8"), "[Socket]\n");
    assert.deepEqual(names(dir), ["/systemd/system/drover.socket"]);
  });

  test("an error names the path that can't be written", (t) => {
    const dir = emptyFolder(t);
    writeFileSync(join(dir, "file"), "");
    assert.throws(
      () => write({ path: join(dir, "file", "x"), text: "" }),
      coded("DROVER_E_USAGE", join(dir, "file", "x")),
    );
    assert.throws(() => write({ path: dir, text: "" }), coded("DROVER_E_USAGE", dir));
  });

  test("obstacles to the unit's start are reported", (t) => {
    const dir = emptyFolder(t);
    mkdirSync(join(dir, "closed", "bin"), { recursive: true, mode: 0o755 });
    writeFileSync(join(dir, "closed", "bin", "drover"), "", { mode: 0o755 });
    const said = () => obstacles(place({ root: join(dir, "closed") })).join("\n");
    chmodSync(dir, 0o755);
    chmodSync(join(dir, "closed"), 0o700);
    assert.ok(said().includes(`${join(dir, "closed")} is closed to the user drover`));
    assert.ok(said().includes("is not built"));
    chmodSync(join(dir, "closed"), 0o755);
    assert.ok(!said().includes(`${join(dir, "closed")} is closed`));
  });

  test("a command line that makes no sense", async () => {
    for (const [argv, part] of [
      [[], "systemd"],
      [["systemd", "--prefix"], "--prefix"],
      [["systemd", "--prefix", ""], "--prefix"],
      [["systemd", "--prefxi", "/x"], "--prefxi"],
      [["systemd", "surplus"], "surplus"],
      [["systemd", "--systemd-version", "new"], "new"],
      [["systemd", "--bind", "nowhere"], "nowhere"],
      [
        ["systemd", "--systemd-version", "252", "--prefix", "/nonexistent", "--bind", "fd://3"],
        "fd://3",
      ],
    ] as const)
      await assert.rejects(emit(argv), coded("DROVER_E_USAGE", part), argv.join(" "));
  });
});
