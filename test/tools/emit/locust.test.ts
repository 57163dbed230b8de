/** `drover emit locust`: compiled where Python is, run where Locust is. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { emptyFolder, filesOf, textOf } from "./emitted.ts";

const PROFILE = "test/load/launch-profile.json";
test("3.5: the document's JSON becomes a locustfile with its ramp, weights and pauses", () => {
  const text = textOf("locust", { profile: PROFILE });
  assert.ok(text.includes("STAGES = json.loads(r'''[[600,300],[1800,300],[300,0]]''')"));
  assert.ok(text.includes(`MIX = json.loads(r'''{"read":0.6,"write":0.3,"export":0.1}''')`));
  assert.match(text, /"name":"create_client","weight":100,"requests":5,"think":24,"rest":0/);
  assert.match(text, /LIMIT_MS = 500\nFAIL_RATIO = 0\.01/);
  assert.match(
    textOf("locust", { profile: PROFILE, users: "3000" }),
    /\[\[600,3000\],\[1800,3000\],\[300,0\]\]/,
  );
});

test("a rate of requests has no users for Locust", (t) => {
  const file = join(emptyFolder(t), "profile.json");
  writeFileSync(file, JSON.stringify({ stages: "1m:5/s", endpoints: { read: ["GET /a"] } }));
  assert.throws(() => filesOf("locust", { profile: file }), /use drover emit k6/);
});
