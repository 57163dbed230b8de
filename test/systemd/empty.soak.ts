/**
 * From an empty Debian (a folder made by debootstrap) to the first request through nginx and TLS: "HTTPS in ten commands" of docs/deploy.md, as
 * it stands there. What needs the network is typed in a chroot, what needs systemd in the private one (empty.sh).
 * DROVER_TEST_DEBIAN=/dir takes a folder that is there.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { needs } from "../support/needs.ts";
import { cannot, inside, leftovers, root, scratch } from "./private.ts";

const MOST_EXPOSED = 1.5;
/** Below the Debian. */
const AUTHORITIES = "/root/ca.crt";
/** So many of the commands need the network, and come first. */
const OUTSIDE = 3;

/** What one must type for oneself, where Google is played, and a workbook that drover has never seen. */
const FILLED: readonly (readonly [string, string])[] = [
  ["YOUR-ID", "drover-sample-workbook --sheets-endpoint http://127.0.0.1:8086/ --oauth-endpoint http://127.0.0.1:8086/"],
  ["YOUR.NAME", "localhost"],
  ['"players": { "range": "players", "key": "id"', '"ausgaben": { "range": "Ausgaben 2026", "key": "Beleg"'],
  ["/api/tables/players", "/api/tables/ausgaben"],
];

function commands(): readonly string[] {
  const page = readFileSync(join(root, "docs/deploy.md"), "utf8");
  const block = /^## HTTPS in ten commands$[^]*?^```bash\n([^]*?)^```$/m.exec(page)?.[1] ?? "";
  const filled = FILLED.reduce((text, [from, to]) => (assert.ok(text.includes(from), from), text.replaceAll(from, to)), block);
  return filled.trimEnd().split("\n");
}

/** Milliseconds that a command took. @throws with what it said. */
function timed(program: string, ...args: string[]): number {
  const began = performance.now();
  const ran = spawnSync(program, args, {
    encoding: "utf8",
    timeout: 1_200_000,
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      DEBIAN_FRONTEND: "noninteractive",
      LANG: "C.UTF-8",
      HOME: "/root",
      NODE_EXTRA_CA_CERTS: AUTHORITIES,
    },
  });
  assert.equal(ran.status, 0, `${program} ${args.join(" ")}: ${ran.stdout}${ran.stderr}`);
  return performance.now() - began;
}

/** `npm pack` of a copy, so that the checkout's build is left alone. @returns the file. */
function pack(): string {
  const dir = join(scratch, "package");
  const names = readdirSync(root).filter((name) => !/^(?:\.git|node_modules|dist|var|test|bench)$|\.tgz$/.test(name));
  for (const name of names) cpSync(join(root, name), join(dir, name), { recursive: true, preserveTimestamps: true });
  symlinkSync(join(root, "node_modules"), join(dir, "node_modules"));
  const ran = spawnSync("npm", ["pack", "--silent"], { cwd: dir, encoding: "utf8" });
  assert.equal(ran.status, 0, ran.stderr);
  return join(dir, ran.stdout.trim().split("\n").at(-1) ?? "");
}

const skip = cannot() || needs("debootstrap", "debootstrap");

describe("from an empty Debian to the first request through nginx and TLS", { skip }, () => {
  test("the ten commands, typed and timed, with a stranger's spreadsheet", (t) => {
    const debian = process.env["DROVER_TEST_DEBIAN"] ?? join(scratch, "debian");
    const file = pack();
    if (!existsSync(debian))
      timed("debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus,util-linux,ca-certificates", "bookworm", debian);
    const had = existsSync(join(debian, "usr/bin/npm"));
    cpSync("/etc/resolv.conf", join(debian, "etc/resolv.conf"));
    cpSync("/etc/ssl/certs/ca-certificates.crt", join(debian, AUTHORITIES)); // where this machine's way out has one of its own
    cpSync(file, join(debian, "root/drover-0.1.0.tgz"));
    mkdirSync(join(debian, "opt/books"), { recursive: true });
    writeFileSync(join(debian, "opt/books/Ausgaben 2026.csv"), "Beleg,Betrag,Größe\nB-1,12.50,groß\nB-2,3,klein\n");
    const typed = commands();
    const outside = typed.slice(0, OUTSIDE).map((command) => timed("chroot", debian, "sh", "-c", `cd /root && ${command}`));
    const script = join(scratch, "typed.sh");
    writeFileSync(script, `${typed.slice(OUTSIDE).join("\n")}\n`);
    const { fact, is } = inside("empty.sh", { at: "/opt/package", base: debian, limitMs: 300_000, files: [[script, "/opt/typed.sh"]] });
    if (process.env["DROVER_TEST_DEBIAN"] !== undefined) rmSync(join(debian, "root/drover-0.1.0.tgz"));
    const took = [...outside, ...fact("took").trim().split(" ").map(Number)];
    const total = took.reduce((sum, ms) => sum + ms, 0) / 1_000;
    t.diagnostic(`${typed.length} commands from an empty Debian to the first request through nginx and TLS: ${total.toFixed(1)} s`);
    typed.forEach((command, i) => t.diagnostic(`${((took[i] ?? 0) / 1_000).toFixed(1)} s  ${command}${had && i === 1 ? " (had it)" : ""}`));
    is("failed", "none");
    is("typed", String(typed.length - OUTSIDE));
    is("answer", /^\{"table":"ausgaben","rows":\[\{"Beleg":"B-1"/);
    is("behind", "max-age=86400 308 https://localhost/");
    is("key", /^600 root 0 [2-9]\d*$/); // no worker of several knows of it
    assert.ok(Number(fact("exposure")) <= MOST_EXPOSED, fact("exposure"));
    assert.ok(typed.length <= 10);
    const ours = typed.filter((command) => /^(?:drover|echo|systemctl enable|curl) /.test(command)).length;
    t.diagnostic(`a stranger's spreadsheet, drover's package being there: ${ours} commands; exposure ${fact("exposure")}`);
    assert.ok(ours <= 5);
  });

  test("nothing is left on this machine", () => assert.deepEqual(leftovers(), []));
});
