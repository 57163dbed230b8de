/** Which of util-linux's programs are found, and what is said where one is missing. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { findWrapper, type Wrapper } from "../../../src/master/shell/wrapper.ts";

const [OTHER, BATCH, IDLE] = [0, 3, 5];
const LIFELINE = ["setsid", "setpriv", "--pdeathsig", "KILL", "--"];
const CHRT = ["chrt", "-b", "0"];

const whereIs = (name: string): string => spawnSync("which", [name], { encoding: "utf8" }).stdout?.trim() ?? "";
const missing = ["setsid", "setpriv", "chrt"].filter((name) => whereIs(name) === "");
const skip = missing.length > 0 && `needs ${missing.join(", ")}: apt-get install util-linux`;

/** What is found where there are these programs alone, and `forbidden` ones that refuse. */
async function among(there: readonly string[], policy: number | undefined, forbidden: readonly string[] = []): Promise<Wrapper> {
  const dir = mkdtempSync(join(tmpdir(), "drover-test-"));
  const path = process.env["PATH"];
  try {
    for (const name of [...there, "true"]) symlinkSync(whereIs(name), join(dir, name));
    for (const name of forbidden) writeFileSync(join(dir, name), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    process.env["PATH"] = dir;
    return await findWrapper(policy);
  } finally {
    process.env["PATH"] = path;
    rmSync(dir, { recursive: true });
  }
}

describe("the wrapper of children", { skip }, () => {
  test("with all of them nothing is missing", async () => {
    const found = await among(["setsid", "setpriv", "chrt"], OTHER);
    assert.deepEqual(found, { words: LIFELINE, batch: CHRT, missing: "", batchMissing: "" });
  });

  test("where the policy can't be known chrt is used all the same", async () => {
    assert.deepEqual((await among(["setsid", "setpriv", "chrt"], undefined)).batch, CHRT);
  });

  test("a policy that was chosen for the daemon stays, and chrt is not missed", async () => {
    for (const policy of [BATCH, IDLE])
      for (const there of [
        ["setsid", "setpriv", "chrt"],
        ["setsid", "setpriv"],
      ])
        assert.deepEqual(await among(there, policy), { words: LIFELINE, batch: [], missing: "", batchMissing: "" });
  });

  test("without chrt, or where it is refused, the lifeline is whole and it is said", async () => {
    for (const refused of [[], ["chrt"]]) {
      const { batchMissing, ...found } = await among(["setsid", "setpriv"], OTHER, refused);
      assert.deepEqual(found, { words: LIFELINE, batch: [], missing: "" });
      assert.match(batchMissing, /^chrt\(1\) .*DROVER_WORKER_SCHEDULING/);
    }
  });

  test("without setpriv there is still setsid, and chrt", async () => {
    const found = await among(["setsid", "chrt"], OTHER, ["setpriv"]);
    assert.deepEqual([found.words, found.batch, found.batchMissing], [["setsid"], CHRT, ""]);
    assert.match(found.missing, /^setpriv\(1\)/);
  });

  test("with none of them drover runs without", async () => {
    const found = await among([], OTHER);
    assert.deepEqual([found.words, found.batch], [[], []]);
    assert.match(found.missing, /^setsid\(1\) and setpriv\(1\)/);
    assert.match(found.batchMissing, /^chrt\(1\)/);
  });
});
