import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { thisPlace } from "../../src/tools/emit/place.ts";
import { filled } from "../../src/tools/emit/systemd.ts";
import { needs } from "../support/needs.ts";

/** An exposure of 1.5 is what a hardened service that must reach the network and compile code comes down to. */
const MOST_EXPOSED = 1.5;

const skip = needs("systemd-analyze", "systemd");

describe("the filled units", { skip }, () => {
  const dir = mkdtempSync(join(tmpdir(), "drover-units-"));
  after(() => rmSync(dir, { recursive: true }));
  const files = skip === false ? filled(thisPlace(undefined), [{ kind: "tcp", host: "127.0.0.1", port: 8080 }], dir) : [];
  for (const { path, text } of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  const unit = (name: string) => join(dir, "systemd", "system", name);
  const analyze = (...args: string[]) => spawnSync("systemd-analyze", args, { encoding: "utf8" });

  test("0.8: systemd-analyze verify has nothing to say", () => {
    const { status, stdout, stderr } = analyze(
      "verify",
      "--man=no",
      "--recursive-errors=no",
      unit("drover.service"),
      unit("drover.socket"),
    );
    assert.deepEqual([status, stdout, stderr], [0, "", ""]);
  });

  test(`systemd-analyze security: exposure at most ${MOST_EXPOSED}`, (t) => {
    const { stdout, stderr } = analyze("security", "--offline=true", "--no-pager", unit("drover.service"));
    const level = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1];
    t.diagnostic(`exposure ${level}`);
    assert.ok(Number(level) <= MOST_EXPOSED, stdout + stderr);
  });

  test("systemd-sysusers and systemd-tmpfiles read their files", (t) => {
    for (const [tool, file, ...options] of [
      ["systemd-sysusers", "sysusers.d/drover.conf"],
      ["systemd-tmpfiles", "tmpfiles.d/drover.conf", "--create"],
    ] as const) {
      const image = join(dir, tool);
      mkdirSync(join(image, "etc"), { recursive: true });
      writeFileSync(join(image, "etc/passwd"), "drover:x:990:990::/:/bin/false\n");
      writeFileSync(join(image, "etc/group"), "drover:x:990:\n");
      const ran = spawnSync(tool, [...options, `--root=${image}`, join(dir, file)], { encoding: "utf8" });
      if (ran.error !== undefined) t.diagnostic(`${tool} is not installed`);
      else assert.doesNotMatch(ran.stderr, /Unknown|Failed to parse|Invalid|syntax/i, `${tool}: ${ran.stderr}`);
    }
  });
});
