/** `drover emit k6`: a launch profile as a script for k6, and one command line per machine that shares the load. */
import { DroverError } from "../../base/errors.ts";
import type { Threshold } from "../../tools/load/thresholds.ts";
import { lasts, peak } from "../../load/shape.ts";
import { fillTemplate, type Artefact, type Facts } from "./artefact.ts";
import { asked, loadScript, oneLine, personasJson, PROFILE_OPTIONS, stagesOf, type LoadScript } from "./load-script.ts";
import type { EmittedFile } from "./write.ts";

const FILE = "drover-k6.js";
const SPLIT_FILE = "drover-k6-split.sh";
const MOST_PARTS = 1_000;

export const k6: Artefact = {
  name: "k6",
  does: "drover-k6.js: a launch profile as a k6 script",
  options: [...PROFILE_OPTIONS, { name: "split", value: "N", does: "also write the command lines for N machines" }],
  files(facts, options) {
    const script = loadScript(facts, options);
    const parts = partsOf(options["split"]);
    const files = [{ path: FILE, text: scriptText(script, facts) }];
    return parts === undefined ? files : [...files, splitFile(script, parts, facts)];
  },
  next: (paths) =>
    [
      `Run: k6 run -e BASE_URL=https://example.org ${paths[0] ?? FILE}   (your own host only)`,
      ...(paths.length > 1 ? [`On machine N of several: BASE_URL=https://example.org sh ${paths[1]} N`] : []),
      "k6 does not see the target's CPU and memory: run `drover status` there meanwhile. `drover load` needs no k6.",
      "",
    ].join("\n"),
};

function partsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const parts = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (parts >= 2 && parts <= MOST_PARTS) return parts;
  throw new DroverError("DROVER_E_USAGE", `--split ${text}: expected the number of machines, 2 to ${MOST_PARTS}`);
}

const json = (value: unknown): string => JSON.stringify(value, undefined, 2);

function scriptText(script: LoadScript, facts: Facts): string {
  const { mix, endpoints } = asked(script.traffic);
  const { known, unseen } = thresholdsOf(script.thresholds);
  const notes = [...script.notes, ...unseen.map((text) => `k6 does not see ${text}`)];
  return fillTemplate("k6.js", "k6", facts, {
    PROFILE: oneLine(script.profile),
    NOTES: notes.map((note) => `// Note: ${oneLine(note)}`),
    BASE_URL: script.url,
    FILE,
    MIX: JSON.stringify(mix),
    ENDPOINTS: json(endpoints),
    PERSONAS: json(personasJson(script.personas)),
    LOGIN: script.traffic.login === undefined ? "null" : json(script.traffic.login),
    SCENARIO: json(scenarioJson(script)),
    THRESHOLDS: json(known),
  });
}

/** https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/ */
function scenarioJson({ model, steps }: LoadScript): unknown {
  const stages = stagesOf(steps).map(([seconds, target]) => ({ duration: `${seconds}s`, target }));
  if (model === "closed") return { executor: "ramping-vus", startVUs: 0, gracefulRampDown: "30s", stages };
  // k6 takes whole numbers as rates: a small rate becomes one per ten minutes.
  const rate = peak(steps);
  const perUnit = rate < 100 ? 600 : 1;
  return {
    executor: "ramping-arrival-rate",
    startRate: 0,
    timeUnit: `${perUnit}s`,
    preAllocatedVUs: Math.max(10, Math.ceil(rate / 100)),
    maxVUs: Math.max(100, Math.ceil(rate * 10)),
    stages: stages.map(({ duration, target }) => ({ duration, target: Math.round(target * perUnit) })),
  };
}

/** Ours in k6's form: `http_req_duration: ["p(95)<500"]`. What only `drover load` sees stays out. */
function thresholdsOf(thresholds: readonly Threshold[]): {
  readonly known: Readonly<Record<string, readonly string[]>>;
  readonly unseen: readonly string[];
} {
  const known: Record<string, string[]> = {};
  const add = (name: string, condition: string): void => void (known[name] ??= []).push(condition);
  for (const one of thresholds.filter(isSeen)) {
    const statistic = typeof one.statistic === "object" ? `p(${one.statistic.p})` : one.statistic === "value" ? "count" : one.statistic;
    add(one.endpoint === undefined ? one.metric : `${one.metric}{endpoint:${one.endpoint}}`, `${statistic}${one.operator}${one.limit}`);
  }
  if (known["http_req_failed"] === undefined) add("http_req_failed", "rate<0.01");
  return { known, unseen: thresholds.filter((one) => !isSeen(one)).map(({ text }) => text) };
}
/** The number of refusals has no metric in the script: their rate has one, http_req_shed. */
const isSeen = ({ metric }: Threshold): boolean => !metric.startsWith("target_") && metric !== "shed";

/** `0:1/4`, `1/4:2/4` …: k6 gives each machine its part of every stage (https://grafana.com/docs/k6/latest/testing-guides/running-distributed-tests/). */
export function segments(parts: number): { readonly sequence: string; readonly each: readonly string[] } {
  const bound = (i: number): string => (i === 0 ? "0" : i === parts ? "1" : `${i}/${parts}`);
  return {
    sequence: Array.from({ length: parts + 1 }, (_, i) => bound(i)).join(","),
    each: Array.from({ length: parts }, (_, i) => `${bound(i)}:${bound(i + 1)}`),
  };
}

function splitFile(script: LoadScript, parts: number, facts: Facts): EmittedFile {
  const { sequence, each } = segments(parts);
  const run = (segment: string): string =>
    `k6 run --execution-segment "${segment}" --execution-segment-sequence "${sequence}" -e BASE_URL="\${BASE_URL:-${script.url}}" ${FILE}`;
  return {
    path: SPLIT_FILE,
    mode: 0o755,
    text: fillTemplate("k6-split.sh", "k6", facts, {
      FILE,
      SPLIT_FILE,
      BASE_URL: script.url,
      PARTS: String(parts),
      PEAK: String(peak(script.steps)),
      SECONDS: String(Math.round(lasts(script.steps) / 1_000)),
      LINES: each.map((segment, i) => `${i + 1}) exec ${run(segment)} ;;`),
    }),
  };
}
