import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../support/fast-check.ts";
import { afterReload, diffSettings } from "../../src/settings/diff.ts";
import { SETTINGS, type SettingName } from "../../src/settings/table.ts";
import { resolved, type Given } from "./given.ts";

const names = (changes: readonly { readonly name: SettingName }[]): SettingName[] => changes.map((change) => change.name);

test("nothing changed, nothing to do", () => {
  const diff = diffSettings(resolved({ files: "DROVER_BIND=:80" }), resolved({ files: "# moved\n\nDROVER_BIND=0.0.0.0:80" }));
  assert.deepEqual(diff, { live: [], roll: [], restart: [], hidden: [] });
});

test("changes are sorted by what a reload may do with them, with old and new value and the new place", () => {
  const diff = diffSettings(
    resolved({ files: "DROVER_WORKERS=2" }),
    resolved({ files: "DROVER_WORKERS=3\nDROVER_CACHE_TTL=1m\nDROVER_BIND=:80" }),
  );
  assert.deepEqual(diff.live, [
    { name: "workers", before: "2", after: "3", source: { from: "file", file: "/srv/x/.env", line: 1, name: "DROVER_WORKERS" } },
  ]);
  assert.deepEqual([names(diff.roll), names(diff.restart)], [["trusted_proxies", "cache_ttl"], ["bind"]]);
  assert.deepEqual([diff.restart[0]?.before, diff.restart[0]?.after], ["127.0.0.1:8080", "0.0.0.0:80"]);
});

const withFrozen = (line: string): Given => ({ files: line, env: { DROVER_BACKLOG: "7" }, flags: { workers: "3" } });

const hidden = (before: string, after: string): readonly string[] =>
  diffSettings(resolved(withFrozen(before)), resolved(withFrozen(after))).hidden;

test("a changed line that the environment or a flag hides is named", () => {
  assert.deepEqual(hidden("DROVER_BACKLOG=1", "#\nDROVER_BACKLOG=2"), [
    "/srv/x/.env:2 DROVER_BACKLOG changes nothing: it is hidden by DROVER_BACKLOG in the environment, which stays as it was when drover started",
  ]);
  assert.match(hidden("", "DROVER_WORKERS=8").join(), /hidden by the flag --workers/);
  assert.match(hidden("DROVER_WORKERS=8", "").join(), /DROVER_WORKERS is gone from \/srv\/x\/\.env, which changes nothing/);
  assert.deepEqual(hidden("DROVER_BACKLOG=1", "\n\nDROVER_BACKLOG=1"), []);
});

test("an alias in the environment hides the own name in the file", () => {
  const env = { PORT: "80" };
  const { hidden } = diffSettings(resolved({ env }), resolved({ env, files: "DROVER_BIND=:90" }));
  assert.match(hidden.join(), /DROVER_BIND changes nothing: it is hidden by PORT in the environment/);
});

test("after a reload, restart rows keep what runs, and the next reload says so again", () => {
  const old = resolved();
  const fresh = resolved({ files: "DROVER_WORKERS=3\nDROVER_CACHE_TTL=1m\nDROVER_BIND=:80" });
  const all = afterReload(old, fresh);
  assert.deepEqual([all.settings.workers, all.settings.cache_ttl, all.settings.bind], [3, fresh.settings.cache_ttl, old.settings.bind]);
  assert.deepEqual([all.sources.bind.from, all.sources.workers.from], ["default", "file"]);
  assert.deepEqual(names(diffSettings(all, fresh).restart), ["bind"]);
});

test("property: a diff names exactly the rows whose value differs, each once, in its own class", () => {
  const env = fc.record(
    {
      DROVER_WORKERS: fc.constantFrom("1", "2"),
      DROVER_TIMEOUT: fc.constantFrom("30s", "1m"),
      DROVER_ACCESS_LOG: fc.constantFrom("on", "true", "off"),
      DROVER_BIND: fc.constantFrom(":1", "0.0.0.0:1", ":2"),
      DROVER_DATA_DIR: fc.constantFrom("a", "./a", "b"),
      DROVER_TRUSTED_PROXIES: fc.constantFrom("", "::1", "::1/128"),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(env, env, (a, b) => {
      const [old, fresh] = [resolved({ env: a }), resolved({ env: b })];
      const diff = diffSettings(old, fresh);
      for (const { name, reload } of SETTINGS) {
        const differs = JSON.stringify(old.settings[name]) !== JSON.stringify(fresh.settings[name]);
        for (const kind of ["live", "roll", "restart"] as const)
          assert.equal(names(diff[kind]).filter((n) => n === name).length, differs && kind === reload ? 1 : 0, name);
      }
      assert.deepEqual(diffSettings(fresh, fresh), { live: [], roll: [], restart: [], hidden: [] });
      const after = diffSettings(afterReload(old, fresh), fresh);
      assert.deepEqual([after.live, after.roll, names(after.restart)], [[], [], names(diff.restart)]);
    }),
  );
});
