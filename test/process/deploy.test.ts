/** What drover emit deploy writes, run with an ssh, a sudo and a systemctl of the test's own: they act on a folder and keep a list. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { installed, textOf } from "../tools/emit/emitted.ts";
import { atEnd, folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

interface Host {
  readonly root: string;
  /** Runs the script. */
  run(...args: readonly string[]): { readonly code: number | null; readonly said: string };
  /** The same without waiting, in a process group of its own. */
  start(...args: readonly string[]): { readonly pid: number; readonly code: Promise<number | null> };
  /** What its systemctl and its drover were told. */
  calls(): string[];
  env(): string;
}

/** Programs of the far machine. `refuse` and `sick` are files that make the reload fail and the service not answer. */
const programs = (root: string): Readonly<Record<string, string>> => ({
  ssh: 'shift 2; shift; if [ "$1" = sh ]; then exec "$@"; else exec sh -c "$*"; fi',
  sudo: '[ "$1" = -n ] && shift; exec "$@"',
  id: "echo 1000",
  drover: `echo "drover $*" >>${root}/calls; ! grep -q SLOW "$3" || exec /bin/sleep 60; ! grep -q BROKEN "$3" || { echo 'drover: a setting is wrong' >&2; exit 78; }`,
  systemctl: `echo "systemctl $*" >>${root}/calls; case $1 in reload) grep -q REFUSED ${root}/etc/drover.env && exit 1; exit 0 ;; esac`,
  curl: `! grep -q SICK ${root}/etc/drover.env`,
  sleep: ":",
  // Without -o and -g: the service's user is not here.
  install: `echo "install $1 $2 $3 $4 $5 $6" >>${root}/calls; shift 4; exec /usr/bin/install "$@"`,
});

function host(t: TestContext): Host {
  const root = folder(t);
  const bin = join(root, "bin");
  for (const dir of ["bin", "etc", "tmp", "srv/1"]) mkdirSync(join(root, dir), { recursive: true });
  for (const [name, text] of Object.entries(programs(root))) writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  writeFileSync(join(root, "etc/drover.env"), "DROVER_WORKERS=2\nDROVER_ADMIN_TOKEN=old-secret\n", { mode: 0o600 });
  symlinkSync("1", join(root, "srv/current"));
  const given = installed({ app: join(root, "srv/current/app.mjs"), probe_path: "/ready" });
  const script = join(root, "deploy.sh");
  writeFileSync(script, textOf("deploy", {}, { given }).replaceAll("/etc/drover/", `${join(root, "etc")}/`));
  const env = { PATH: `${bin}:${process.env["PATH"]}`, TMPDIR: join(root, "tmp") };
  return {
    root,
    start(...args) {
      const child = spawn("sh", [script, ...args], { env, cwd: root, stdio: "ignore", detached: true });
      const code = new Promise<number | null>((resolve) => child.once("exit", resolve));
      atEnd(t, async () => {
        child.kill("SIGKILL");
        await code;
      });
      assert.ok(child.pid !== undefined);
      return { pid: child.pid, code };
    },
    run(...args) {
      rmSync(join(root, "calls"), { force: true });
      const { status, stdout, stderr } = spawnSync("sh", [script, ...args], { encoding: "utf8", env, cwd: root });
      assert.deepEqual(readdirSync(join(root, "tmp")), [], "no copy of the settings is left");
      return { code: status, said: stdout + stderr };
    },
    calls: () => (existsSync(join(root, "calls")) ? readFileSync(join(root, "calls"), "utf8").trim().split("\n") : []),
    env: () => readFileSync(join(root, "etc/drover.env"), "utf8"),
  };
}

const NEW = "DROVER_WORKERS=4\nDROVER_ADMIN_TOKEN=new-secret\n";
const RUN_DIR = "DROVER_RUN_DIR=/run/drover\n";
const RELOAD = "systemctl reload drover.service";

test("0.7: deploy.sh checks and changes nothing without --go, then installs for root, 0640, and reloads", (t) => {
  const far = host(t);
  const before = far.env();
  writeFileSync(join(far.root, "new.env"), NEW);
  const dry = far.run("ops@www.example.org", "new.env");
  assert.equal(dry.code, 0, dry.said);
  assert.match(dry.said, /dry run: would install .*drover\.env \(root:\w+, 0640\)/);
  assert.match(dry.said, /warning: no DROVER_RUN_DIR .*: drover status finds the daemon only with DROVER_RUN_DIR=\/run\/drover/);
  assert.match(dry.said, /settings that change:[^]*DROVER_WORKERS/);
  assert.doesNotMatch(dry.said, /secret/, "values stay out of the terminal");
  assert.equal(far.env(), before);
  assert.ok(!far.calls().includes(RELOAD));
  assert.ok(far.calls()[0]?.startsWith("drover check --env-file "));

  writeFileSync(join(far.root, "new.env"), NEW + RUN_DIR);
  const done = far.run("--go", "ops@www.example.org", "new.env");
  assert.equal(done.code, 0, done.said);
  assert.doesNotMatch(done.said, /warning/);
  assert.equal(far.env(), NEW + RUN_DIR);
  assert.equal(statSync(join(far.root, "etc/drover.env")).mode & 0o777, 0o640);
  assert.match(far.calls().join("\n"), /^install -o root -g \w+ -m 0640$/m, "a worker that was broken into can't change its settings");
  assert.deepEqual(
    far.calls().filter((call) => /restart|reload|stop/.test(call)),
    [RELOAD],
  );

  const back = far.run("--rollback", "ops@www.example.org");
  assert.deepEqual([back.code, far.env()], [0, before], back.said);
  assert.ok(far.calls().includes(RELOAD));
});

test("C13: deploy.sh never restarts, and goes back by itself when the reload is refused or the service does not answer", (t) => {
  const far = host(t);
  const before = far.env();
  for (const [text, part] of [
    ["DROVER_X=BROKEN\n", "drover check refuses"],
    ["DROVER_X=REFUSED\n", "was rolled back"],
    ["DROVER_X=SICK\n", "was rolled back"],
  ] as const) {
    writeFileSync(join(far.root, "new.env"), text);
    const { code, said } = far.run("--go", "ops@www.example.org", "new.env");
    assert.equal(code, 1, said);
    assert.ok(said.includes(part), said);
    assert.equal(far.env(), before, text);
    assert.ok(!far.calls().some((call) => call.includes("restart")), text);
  }
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  test(`deploy.sh that ${signal} ends during the check leaves no settings, no key and no release`, async (t) => {
    const far = host(t);
    mkdirSync(join(far.root, "release"));
    writeFileSync(join(far.root, "new.env"), "DROVER_X=SLOW\n");
    const ends = far.start("--go", "ops@www.example.org", "new.env", "release");
    await eventually("the check", () => far.calls().some((call) => call.startsWith("drover check")));
    assert.equal(readdirSync(join(far.root, "tmp")).length, 2);
    assert.equal(readdirSync(join(far.root, "srv")).length, 3);
    process.kill(-ends.pid, signal); // as a terminal does: to ssh, too
    assert.ok((await ends.code) !== 0);
    assert.deepEqual(readdirSync(join(far.root, "tmp")), []);
    assert.deepEqual(readdirSync(join(far.root, "srv")).sort(), ["1", "current"]);
  });

test("deploy.sh removes a release that does not serve", (t) => {
  const far = host(t);
  mkdirSync(join(far.root, "release"));
  for (const text of ["DROVER_X=BROKEN\n", "DROVER_X=SICK\n", "DROVER_X=REFUSED\n"]) {
    writeFileSync(join(far.root, "new.env"), text);
    assert.equal(far.run("--go", "ops@www.example.org", "new.env", "release").code, 1);
    assert.deepEqual(
      readdirSync(join(far.root, "srv")).filter((name) => /^\d{8}T/.test(name)),
      [],
      text,
    );
    assert.equal(readlinkSync(join(far.root, "srv/current")), "1");
  }
});

test("1.11: deploy.sh has the four steps as a runbook, with the maximum of this installation", (t) => {
  const text = readFileSync(join(host(t).root, "deploy.sh"), "utf8");
  const steps = [...text.matchAll(/^# (\d)\. ([A-Z][a-z ]+)\./gm)].map(([, nr, name]) => `${nr} ${name}`);
  assert.deepEqual(steps, ["1 Deploy", "2 Test", "3 Real users", "4 Watch"]);
  assert.match(text, /then 100, then 500\.$/m);
  assert.match(text, /^# 2\. Test\.[^]*--admin https:\S+ --admin-token-file FILE[^]*^# 3\./m);
});

test("1.11: deploy.sh brings a release behind the link, and the link back", (t) => {
  const far = host(t);
  mkdirSync(join(far.root, "release"));
  writeFileSync(join(far.root, "release/app.mjs"), "export default 2;\n");
  writeFileSync(join(far.root, "new.env"), NEW);
  const current = (): string => readlinkSync(join(far.root, "srv/current"));
  const dry = far.run("ops@www.example.org", "new.env", "release");
  assert.deepEqual([dry.code, current(), readdirSync(join(far.root, "srv")).sort()], [0, "1", ["1", "current"]], dry.said);
  const done = far.run("--go", "ops@www.example.org", "new.env", "release");
  assert.equal(done.code, 0, done.said);
  assert.match(current(), /^\d{8}T\d{6}Z$/);
  assert.equal(readFileSync(join(far.root, "srv/current/app.mjs"), "utf8"), "export default 2;\n");
  assert.equal(far.run("--rollback", "ops@www.example.org").code, 0);
  assert.equal(current(), "1");
  writeFileSync(join(far.root, "new.env"), "DROVER_X=SICK\n");
  assert.equal(far.run("--go", "ops@www.example.org", "new.env", "release").code, 1);
  assert.equal(current(), "1", "a release that does not answer goes with its settings");
});

test("0.7: deploy.sh needs a user who is not root, a host and a file; it names no host of its own", (t) => {
  const far = host(t);
  assert.doesNotMatch(readFileSync(join(far.root, "deploy.sh"), "utf8"), /@?\b\d{1,3}(?:\.\d{1,3}){3}\b(?!:8080)/);
  for (const [args, code, part] of [
    [[], 64, "usage"],
    [["root@www.example.org", "new.env"], 1, "not as root"],
    [["www.example.org", "new.env"], 1, "USER@HOST"],
    [["ops@www.example.org", "missing.env"], 1, "missing.env"],
    [["ops@www.example.org", "deploy.sh", "nowhere"], 1, "nowhere"],
    [["--rollback", "ops@www.example.org"], 1, "nothing was deployed"],
  ] as const) {
    const ran = far.run(...args);
    assert.deepEqual([ran.code, ran.said.includes(part)], [code, true], ran.said);
  }
  writeFileSync(join(far.root, "bin/id"), "#!/bin/sh\necho 0\n");
  writeFileSync(join(far.root, "new.env"), NEW);
  const asRoot = far.run("--go", "ops@www.example.org", "new.env");
  assert.deepEqual([asRoot.code, asRoot.said.includes("not root")], [1, true], asRoot.said);
});
