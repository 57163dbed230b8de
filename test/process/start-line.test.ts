/** What a daemon prints at its start while Google can't be reached. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { keyFile, SPREADSHEET } from "../broker/upstream.ts";
import { ONE, start } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

test("Google can't be reached: the start line, or the one that follows, says so", async (t) => {
  const cwd = folder(t);
  const nowhere = "http://127.0.0.1:9/"; // discard: nothing listens there
  const daemon = await start(t, {
    cwd,
    env: {
      ...ONE,
      DROVER_SPREADSHEET_ID: SPREADSHEET,
      DROVER_SHEETS_ENDPOINT: nowhere,
      DROVER_OAUTH_ENDPOINT: nowhere,
      GOOGLE_APPLICATION_CREDENTIALS: keyFile(),
      DROVER_DATA_DIR: join(cwd, "var"),
    },
  });
  const greeted = JSON.parse(daemon.stdout.split("\n").find((line) => line.includes('"drover is ready"')) ?? "{}") as { google?: string };
  assert.ok(greeted.google === "never" || greeted.google === "down", JSON.stringify(greeted));
  if (greeted.google === "never")
    await eventually("it says that Google can't be reached", () => /Google can't be reached: /.test(daemon.stderr));
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});
