/**
 * From an empty Debian (a folder made by debootstrap) to the first request: what needs the network is done in a chroot, what needs systemd in the
 * private one (empty.sh). DROVER_TEST_DEBIAN=/dir takes a folder that is there.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { needs } from "../needs.ts";
import { cannot, inside, leftovers, root, scratch } from "./private.ts";

const MOST_EXPOSED = 1.5;
/** Below the Debian. */
const AUTHORITIES = "/root/ca.crt";
/** Typed inside, as its comments count. */
const INSIDE = 4;

/** Seconds that a command took. @throws with what it said. */
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
  return (performance.now() - began) / 1_000;
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

describe("from an empty Debian to the first request", { skip }, () => {
  test("commands counted and timed, with a stranger's spreadsheet", (t) => {
    const debian = process.env["DROVER_TEST_DEBIAN"] ?? join(scratch, "debian");
    const file = pack();
    if (!existsSync(debian))
      timed("debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus,util-linux,ca-certificates", "bookworm", debian);
    const had = existsSync(join(debian, "usr/bin/npm"));
    cpSync("/etc/resolv.conf", join(debian, "etc/resolv.conf"));
    cpSync("/etc/ssl/certs/ca-certificates.crt", join(debian, AUTHORITIES)); // where this machine's way out has one of its own
    cpSync(file, join(debian, "root/drover.tgz"));
    mkdirSync(join(debian, "opt/books"), { recursive: true });
    writeFileSync(join(debian, "opt/books/Ausgaben 2026.csv"), "Beleg,Betrag,Größe\nB-1,12.50,groß\nB-2,3,klein\n");
    const typed = [
      timed("chroot", debian, "apt-get", "update"),
      timed("chroot", debian, "apt-get", "install", "--yes", "--no-install-recommends", "npm", "libatomic1", "curl"),
      timed("chroot", debian, "npm", "install", "--global", "--loglevel=error", "/root/drover.tgz"),
    ];
    const { fact, is } = inside("empty.sh", { at: "/opt/package", base: debian, limitMs: 300_000 });
    if (process.env["DROVER_TEST_DEBIAN"] !== undefined) rmSync(join(debian, "root/drover.tgz"));
    const seconds = typed.map((took) => took.toFixed(1)).join(" + ");
    t.diagnostic(
      `${typed.length + INSIDE} commands from an empty Debian to the first request: apt-get update, apt-get install${had ? " (had it)" : ""}, npm: ${seconds} s; tables file, drover install, systemctl enable --now, curl: ${(Number(fact("typed_ms")) / 1_000).toFixed(1)} s`,
    );
    t.diagnostic(`a stranger's spreadsheet, drover's package being there: ${INSIDE} commands; exposure ${fact("exposure")}`);
    is("answer", /^\{"table":"ausgaben","rows":\[\{"Beleg":"B-1"/);
    is("key", "600 root 0");
    assert.ok(Number(fact("exposure")) <= MOST_EXPOSED);
    is("step", "(not reached)");
    assert.ok(INSIDE + 1 <= 5 && typed.length + INSIDE <= 10);
  });

  test("nothing is left on this machine", () => assert.deepEqual(leftovers(), []));
});
