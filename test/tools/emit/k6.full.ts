/** The script in k6 itself, and its command lines in shellcheck. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import test from "node:test";
import { needs } from "../../support/needs.ts";
import { inFolder, runs } from "./emitted.ts";

const PROFILE = "test/load/launch-profile.json";

test(
  "2.12: the command lines are sound shell",
  { skip: needs("shellcheck", "shellcheck") },
  (t) => {
    runs("shellcheck", [
      join(inFolder(t, "k6", { profile: PROFILE, split: "4" }), "drover-k6-split.sh"),
    ]);
  },
);

const k6There = spawnSync("k6", ["version"], { stdio: "ignore" }).error === undefined;
test(
  "3.5: k6 itself reads the script",
  {
    skip: k6There
      ? false
      : "needs k6, which Debian does not have: https://grafana.com/docs/k6/latest/set-up/install-k6/",
  },
  (t) => {
    const found = JSON.parse(
      runs("k6", ["inspect", join(inFolder(t, "k6", { profile: PROFILE }), "drover-k6.js")]),
    ) as { scenarios: object };
    assert.deepEqual(Object.keys(found.scenarios), ["users"]);
  },
);
