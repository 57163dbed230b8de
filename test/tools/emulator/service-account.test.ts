import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createEmulator } from "../../../src/tools/emulator/server.ts";
import { folder, SHEET, silent, world } from "./world.ts";

test("the key file: 0600, in Google's form, kept over restarts with its tokens, never another's overwritten", async (t) => {
  const dir = folder();
  const w = await world(t, { dataDir: dir });
  const { keyFile } = w.emulator;
  assert.equal((await stat(keyFile)).mode & 0o777, 0o600);
  const token = await w.token();
  const key = JSON.parse(await readFile(keyFile, "utf8"));
  assert.deepEqual(
    [key.type, key.client_email, key.universe_domain],
    ["service_account", "emulator@drover.invalid", "googleapis.com"],
  );
  assert.equal(key.token_uri, `${w.url}/token`);
  await w.emulator.close();
  const again = await world(t, { dataDir: dir });
  assert.equal(
    (
      await again.ask("GET", `/v4/spreadsheets/${SHEET}`, {
        headers: { authorization: `Bearer ${token}` },
      })
    ).status,
    200,
  );
  assert.equal(JSON.parse(await readFile(keyFile, "utf8")).private_key, key.private_key);
  const foreign = join(dir, "real.json");
  for (const content of [
    '{"client_email":"me@real.iam.gserviceaccount.com","private_key":"x"}',
    "not json",
    "",
  ]) {
    await writeFile(foreign, content);
    const made = createEmulator({
      dataDir: join(dir, "d"),
      keyFile: foreign,
      latency: "none",
      quota: false,
      spreadsheets: [],
      log: silent,
    });
    await assert.rejects(made, /is not a key of the emulator/);
    assert.equal(await readFile(foreign, "utf8"), content);
  }
});
