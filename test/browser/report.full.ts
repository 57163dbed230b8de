/** A load run's report on a phone: every figure is within the screen, without moving the page or a table sideways. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { pathToFileURL } from "node:url";
import { seconds } from "../../src/base/units.ts";
import { html } from "../../src/tools/load/report/html.ts";
import { resultOf, type StepResult } from "../../src/tools/load/verdict.ts";
import { readProfile } from "../../src/load/profile.ts";
import { held, ladder, stages, type Step } from "../../src/load/shape.ts";
import { USUAL } from "../../src/tools/load/thresholds.ts";
import { temporaryFolder } from "../support/folder.ts";
import { measuredOf } from "../tools/load/measured.ts";
import { skip, startBrowser } from "./browser.ts";

const MACHINE = { cpus: 2, memoryBytes: 1e9 };

function measured(step: Step): StepResult {
  const answered = Array.from({ length: 90 }, (_, ms) => ({ endpoint: "export announcements", ms, times: 22 }));
  const refused = { endpoint: "write a table with a long name", answer: { outcome: "refused", reason: "rate" } } as const;
  const sample = { cpuSeconds: 0, rssBytes: 1e8, elu: 0.1, hits: 1, stale: 0, misses: 0, upstreamCalls: 0, quota: undefined, full: false };
  const also = { workers: 2, deaths: 0, machineCpu: 0.2 };
  return resultOf({
    step,
    measured: measuredOf([...answered, refused]),
    samples: [{ ...sample, ...also, at: 0 }, { ...sample, ...also, at: 10_000, cpuSeconds: 3 }], // prettier-ignore
    about: { machine: MACHINE, about: undefined },
    generatorCpu: 0.1,
    thinkMs: 1_000,
    thresholds: USUAL,
    limited: false,
    cut: false,
  });
}

function page(): string {
  const { phases = [] } = readProfile(readFileSync("test/load/launch-profile.json", "utf8"), "launch.json");
  const ramp = stages(phases.map(({ name, seconds: long, users }) => ({ label: name, over: seconds(long), to: users })), "closed"); // prettier-ignore
  const results = [...ladder([5, 10, 25, 50, 100, 200], seconds(20)), ...ramp, held("open", 50, seconds(9))].map(measured);
  const course = Array.from({ length: 60 }, (_, at) => ({ at, lasted: 1, step: "s", perSecond: at, p50: 1 + at, p95: 9 + at, good: 1, failed: 0, refused: 1, isLate: false })); // prettier-ignore
  const command = "drover load http://127.0.0.1:8080 --profile /srv/somewhere/launch.json --json run.json --html run.html";
  return html({ title: "Load run", target: "http://127.0.0.1:8080/", command, startedAt: "2026-11-21T15:00:00Z", tool: "drover", machine: "2 CPUs", notes: ["a note"], results, seconds: course, limitMs: 500, bottleneck: "none", advice: { ranked: ["nothing"], useless: [] }, verdict: "PASS", ending: "to its end" }); // prettier-ignore
}

test("1.6: the report names the users of every step", () => {
  const rows = [...page().matchAll(/data-name="users">([^<]*)</g)].map(([, users]) => users);
  assert.deepEqual(rows, ["5", "10", "25", "50", "100", "200", "0→300", "300", "300→0", "50/s"]);
});

/** In the browser: what reaches beyond the screen, or is wider than its own box. */
const CUT = `[...document.querySelectorAll("body, body *")].filter((one) => {
  const { right, left } = one.getBoundingClientRect();
  const scrolls = one instanceof HTMLElement && one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline";
  return right > document.documentElement.clientWidth + 1 || left < -1 || scrolls;
}).map((one) => one.tagName + " " + one.textContent.slice(0, 40))`;

test("1.6: the report is whole at a width of 390 px: nothing is cut, and nothing has to be moved sideways", { skip }, async (t) => {
  const file = join(temporaryFolder("report"), "run.html");
  writeFileSync(file, page());
  const open = await startBrowser(t);
  for (const width of [390, 1_280]) {
    const { page: tab, complaints } = await open(pathToFileURL(file).href, { viewport: { width, height: 800 } });
    const cut = await tab.evaluate(CUT);
    assert.deepEqual([cut, complaints], [[], []], `${width} px`);
  }
});
