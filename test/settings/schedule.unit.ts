import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { slotSchedule } from "../../src/settings/schedule.ts";
import { problems, resolved } from "./given.ts";

const read = (text: string, cwd = "/"): string => {
  const result = slotSchedule.parse(text, cwd);
  return result.ok ? slotSchedule.format(result.value) : `expected ${result.problem}`;
};

test("4.9: a launch schedule is a preset, a list of days, or a file of both", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "drover-schedule-"));
  t.after(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, "launch.txt"), "# the launch\n1:50   # quietly\n3:100\n\n7:150, 14:200\nfrom 2026-12-01\n");
  writeFileSync(join(dir, "wrong.txt"), "1:50\n3:40\n");
  assert.equal(read("j1-j14"), "1:50, 3:100, 7:150, 14:200");
  assert.equal(read("weekly"), "1:100, 8:150, 31:200");
  assert.equal(read("J1:50,J3:100"), "1:50, 3:100");
  assert.equal(read("weekly from 2026-12-01"), "1:100, 8:150, 31:200 from 2026-12-01");
  assert.equal(read("./launch.txt", dir), "1:50, 3:100, 7:150, 14:200 from 2026-12-01");
  assert.equal(read("./launch.txt from 2027-01-01", dir), "1:50, 3:100, 7:150, 14:200 from 2027-01-01");
  assert.match(read("./wrong.txt", dir), /^expected days and maxima that rise; 3:40 follows 1:50 \(in .*wrong\.txt\)$/);
  writeFileSync(join(dir, "inline.txt"), "1:50, 3:100, from 2026-12-01\n");
  assert.equal(read("./inline.txt", dir), "1:50, 3:100 from 2026-12-01");
  writeFileSync(join(dir, "empty.txt"), "\n".repeat(60_000));
  assert.match(read("./empty.txt", dir), /from 1 to \d+ DAY:MAX pairs; there are 0/);
  for (const text of ["off", "1:50", "1:50, 3:100 from 2026-12-01"]) assert.equal(read(read(text)), text);
});

test("4.9: a launch schedule that contradicts itself is refused, and the message says why", () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["2:50, 3:100", /day 1 as the first day; the first pair is 2:50/],
    ["1:50, 1:100", /days and maxima that rise; 1:100 follows 1:50/],
    ["1:50, 3:50", /3:50 follows 1:50/],
    ["1:50, 3", /"3" is none/],
    ["1:0", /from 1 to 100000 slots; a pair is 1:0/],
    ["1:50 from 2026-13-01", /a date such as 2026-12-01 after "from"; "2026-13-01" is none/],
    ["./nowhere.txt", /a file that can be read: \/nowhere\.txt: ENOENT/],
    ["wekly", /The nearest preset is weekly/],
    ["j1-j41", /The nearest preset is j1-j14/],
  ];
  for (const [text, problem] of wrong) assert.match(read(text), problem, text);
});

test("4.9: DROVER_MAX_SLOTS is the ceiling of a launch schedule", () => {
  const env = { DROVER_SLOT_SCHEDULE: "j1-j14" };
  assert.equal(resolved({ env: { ...env, DROVER_MAX_SLOTS: "200" } }).settings.slot_schedule?.steps.at(-1)?.max, 200);
  const [problem] = problems({ env: { ...env, MAX_CONCURRENT_BOTS: "150" } });
  assert.match(problem ?? "", /^slot_schedule: 200 slots on day 14 \(.*\): expected at most max_slots, 150 \(.*MAX_CONCURRENT_BOTS.*\)/);
  assert.match(problems({ env: { DROVER_SLOT_SCHEDULE: "wekly" } })[0] ?? "", /^slot_schedule: .*wekly.*The nearest preset is weekly/);
});
