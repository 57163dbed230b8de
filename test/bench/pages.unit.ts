/** The pages say what the results say, and nothing else: they are compared with what the generator makes of bench/results/full.json. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { goals } from "../../bench/versus/pages/goals.ts";
import { capacityPage } from "../../bench/versus/pages/capacity.ts";
import { performancePage } from "../../bench/versus/pages/performance.ts";
import { plots } from "../../bench/versus/pages/plots.ts";
import { files, plotsThere } from "../../bench/versus/pages/write.ts";
import { readResults } from "../../bench/versus/results-file.ts";
import { fixture, rounds } from "./fixture.ts";

const RESULTS = "bench/results";

test("the pages and plots in the repository are those of the results in it", () => {
  const wanted = files(readResults(`${RESULTS}/full.json`));
  for (const [path, text] of wanted)
    assert.equal(existsSync(path) ? readFileSync(path, "utf8") : undefined, text, `${path}: npm run bench pages`);
  assert.deepEqual(
    plotsThere(".").filter((path) => !wanted.has(path)),
    [],
    "plots that nobody links",
  );
});

test("results name no host and no path", () => {
  for (const name of existsSync(RESULTS) ? readdirSync(RESULTS) : []) {
    const text = readFileSync(`${RESULTS}/${name}`, "utf8");
    assert.doesNotMatch(text, /\/(home|root|tmp|var|usr|srv|work)\b|localhost|hostname/, name);
  }
});

test("every part of a run is on a page, and nothing that is no figure", () => {
  const all = [...files(fixture())];
  for (const [path, text] of all) assert.doesNotMatch(text, /NaN|undefined|Infinity|\[object/, path);
  const performance = performancePage(fixture(), { plots: true });
  const figures = ["40,000 (36,000–44,000)", "11,087", "1,234", "5,678", "npm run bench", "apt-get install haproxy", "16,000", "5.2 s"];
  for (const figure of figures) assert.ok(performance.includes(figure), figure);
  const capacity = capacityPage(fixture(), { plots: true });
  for (const figure of ["ab -n 12000 -c 10", "does not hold", "10, 30 and 5 minutes in 18", "21 ms", "12.8 KiB"])
    assert.ok(capacity.includes(figure), figure);
  console.log(`${all.length} files, ${goals(fixture()).length} goals`);
});

test("a page follows its figures: one that changes is another page", () => {
  const before = performancePage(fixture(), { plots: true });
  const [first, ...rest] = fixture().throughput;
  assert.ok(first !== undefined);
  const slower = { ...first, rounds: { ...first.rounds, drover: rounds(20_000, { p99: 31 }) } };
  const after = performancePage(fixture({ throughput: [slower, ...rest] }), { plots: true });
  assert.notEqual(after, before);
  assert.match(after, /p99, 100 kept connections \| ≤ 30 ms \| 31 ms \(31–31\) \| \*\*missed\*\*/);
  assert.match(before, /p99, 100 kept connections \| ≤ 30 ms \| 20 ms \(20–20\) \| kept/);
});

test("a goal that is missed has its reason, with the run's own figures; one that is kept has none", () => {
  const [first, ...rest] = fixture().throughput;
  assert.ok(first !== undefined);
  const spread = {
    ...first.rounds,
    drover: rounds(20_000, { cpu: 6 }),
    held: rounds(40_000, { cpu: 4 }),
    spread: rounds(38_000, { cpu: 5 }),
  };
  const page = performancePage(fixture({ throughput: [{ ...first, rounds: spread }, ...rest] }), { plots: true });
  assert.match(
    page,
    /- \*CPU of a request, ÷ bare node:http, 100 kept connections\*: .* takes 1\.25 × of its own CPU, and drover 1\.2 × of that/,
  );
  assert.doesNotMatch(page, /- \*[^*]*calls for a herd/);
});

test("what was not measured is left out, not invented", () => {
  const bare = fixture({
    throughput: [],
    workersBesideCpus: [],
    footprint: [],
    reload: [],
    stuck: [],
    upstream: [],
    expiry: [],
    herd: [],
    held: null,
    sources: { ab: [], questions: [], ladder: null, campaign: null },
    failed: [{ part: "held", why: "too few files" }],
  });
  for (const [path, text] of files(bare)) assert.doesNotMatch(text, /NaN|undefined|Infinity|## Goals|## Cached|## 10,/, path);
  assert.deepEqual(plots(bare), []);
  assert.match(performancePage(bare, { plots: true }), /Could not be measured: held/);
  assert.match(performancePage(undefined, { plots: true }), /Nothing has been measured yet/);
});

test("plots are files that need nothing else", () => {
  const all = plots(fixture());
  assert.deepEqual(
    all.map(({ name }) => name),
    ["requests", "p99", "cpu", "cpu-new", "memory", "users"],
  );
  for (const { name, svg } of all) {
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 \d+ \d+" role="img"/, name);
    assert.doesNotMatch(svg, /<script|href|url\(|@import|<image|foreignObject/, name);
    assert.match(svg, /<title id="t">.+<\/title><desc id="d">.+<\/desc>/, name);
    const opened = [...svg.matchAll(/<([a-z]+)\b[^>]*?(\/?)>/g)].filter(([, , closed]) => closed === "").length;
    assert.equal([...svg.matchAll(/<\/[a-z]+>/g)].length, opened, `${name} is well-formed`);
  }
});
