/** Which of util-linux's programs are found, and what is said where one is missing. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { findWrapper, type Scheduling, type Wrapper } from "../../../src/master/shell/wrapper.ts";

const usual: Scheduling = { policy: 0, nice: 0 };
const unknown: Scheduling = { policy: undefined, nice: 0 };
/** SCHED_BATCH and SCHED_IDLE of sched(7), and what nice(1) makes of a process. */
const chosen: readonly Scheduling[] = [
  { policy: 3, nice: 0 },
  { policy: 5, nice: 0 },
  { policy: 0, nice: 10 },
  { policy: 0, nice: -5 },
];
const LIFELINE = ["setsid", "setpriv", "--pdeathsig", "KILL", "--"];
const CHRT = ["chrt", "-b", "0"];

const whereIs = (name: string): string => spawnSync("which", [name], { encoding: "utf8" }).stdout?.trim() ?? "";
const missing = ["setsid", "setpriv", "chrt"].filter((name) => whereIs(name) === "");
const skip = missing.length > 0 && `needs ${missing.join(", ")}: apt-get install util-linux`;

/** What is found where there are these programs alone, `forbidden` ones that refuse, and `scripts` in the place of others. */
async function among(
  there: readonly string[],
  own: Scheduling,
  forbidden: readonly string[] = [],
  scripts: Readonly<Record<string, string>> = {},
): Promise<Wrapper> {
  const dir = mkdtempSync(join(tmpdir(), "drover-test-"));
  const path = process.env["PATH"];
  try {
    for (const name of [...there, "true"]) symlinkSync(whereIs(name), join(dir, name));
    for (const [name, text] of [...forbidden.map((one) => [one, "exit 1"] as const), ...Object.entries(scripts)])
      writeFileSync(join(dir, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    process.env["PATH"] = dir;
    return await findWrapper(() => own);
  } finally {
    process.env["PATH"] = path;
    rmSync(dir, { recursive: true });
  }
}

describe("the wrapper of children", { skip }, () => {
  test("with all of them nothing is missing", async () => {
    const found = await among(["setsid", "setpriv", "chrt"], usual);
    assert.deepEqual(found, { words: LIFELINE, batch: CHRT, missing: "", noBatch: "" });
  });

  test("where there is no policy there is no chrt to miss", async () => {
    for (const there of [
      ["setsid", "setpriv", "chrt"],
      ["setsid", "setpriv"],
    ])
      assert.deepEqual(await among(there, unknown), { words: LIFELINE, batch: [], missing: "", noBatch: "" });
  });

  test("what was chosen for the daemon stays, and it is said", async () => {
    for (const own of chosen)
      for (const there of [
        ["setsid", "setpriv", "chrt"],
        ["setsid", "setpriv"],
      ]) {
        const { noBatch, ...found } = await among(there, own);
        assert.deepEqual(found, { words: LIFELINE, batch: [], missing: "" });
        assert.match(noBatch, /^the daemon was started with a nice value or a scheduling policy of its own.*DROVER_WORKER_SCHEDULING/);
      }
  });

  test("where setpriv does not let chrt through, the children are not wrapped in both", async () => {
    const found = await among(["setsid", "chrt"], usual, [], { setpriv: 'for last; do [ "$last" = chrt ] && exit 1; done; exit 0' });
    assert.deepEqual([found.words, found.batch], [LIFELINE, []]);
    assert.match(found.noBatch, /^chrt\(1\)/);
  });

  test("without chrt, or where it is refused, the lifeline is whole and it is said", async () => {
    for (const refused of [[], ["chrt"]]) {
      const { noBatch, ...found } = await among(["setsid", "setpriv"], usual, refused);
      assert.deepEqual(found, { words: LIFELINE, batch: [], missing: "" });
      assert.match(noBatch, /^chrt\(1\) .*DROVER_WORKER_SCHEDULING/);
    }
  });

  test("without setpriv there is still setsid, and chrt", async () => {
    const found = await among(["setsid", "chrt"], usual, ["setpriv"]);
    assert.deepEqual([found.words, found.batch, found.noBatch], [["setsid"], CHRT, ""]);
    assert.match(found.missing, /^setpriv\(1\)/);
  });

  test("with none of them drover runs without", async () => {
    const found = await among([], usual);
    assert.deepEqual([found.words, found.batch], [[], []]);
    assert.match(found.missing, /^setsid\(1\) and setpriv\(1\)/);
    assert.match(found.noBatch, /^chrt\(1\)/);
  });
});
