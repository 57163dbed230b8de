/** `drover emit locust`: a launch profile as a locustfile. */
import type { Threshold } from "../../tools/load/thresholds.ts";
import { DroverError } from "../../base/errors.ts";
import { fillTemplate, type Artefact } from "./artefact.ts";
import { asked, loadScript, oneLine, personasJson, PROFILE_OPTIONS, stagesOf } from "./load-script.ts";
import type { Values } from "./fill.ts";

const FILE = "locustfile.py";

export const locust: Artefact = {
  name: "locust",
  does: "locustfile.py: a launch profile for Locust",
  options: PROFILE_OPTIONS,
  files(facts, options) {
    const script = loadScript(facts, options);
    if (script.model === "open")
      throw new DroverError(
        "DROVER_E_USAGE",
        `${script.profile}: Locust sends users, not requests at a rate: use drover emit k6, or leave out "/s" and frequency.per`,
      );
    const { mix, endpoints } = asked(script.traffic);
    const text = fillTemplate("locustfile.py", "locust", facts, {
      PROFILE: oneLine(script.profile),
      NOTES: script.notes.map((note) => `# Note: ${oneLine(note)}`),
      BASE_URL: script.url,
      FILE,
      MIX: json(mix),
      ENDPOINTS: json(endpoints),
      PERSONAS: json(personasJson(script.personas)),
      LOGIN: json(script.traffic.login ?? null),
      STAGES: json(stagesOf(script.steps)),
      ...limitsOf(script.thresholds),
    });
    return [{ path: FILE, text }];
  },
  next: ([path = FILE]) => `Run: locust -f ${path} --headless --host https://example.org   (your own host only)\n`,
};

/** One line, and no single quote: the script holds it between three of them. */
const json = (value: unknown): string => JSON.stringify(value).replaceAll("'", "\\u0027");

/** Locust evaluates a percentile and the share of failures at the end of the run; the other thresholds are those of `drover load`. */
function limitsOf(thresholds: readonly Threshold[]): Values {
  const overall = thresholds.filter(({ endpoint }) => endpoint === undefined);
  const slow = overall.find(({ metric, statistic }) => metric === "http_req_duration" && typeof statistic === "object");
  const failed = overall.find(({ metric }) => metric === "http_req_failed");
  const percentile = typeof slow?.statistic === "object" ? slow.statistic.p : 95;
  return { PERCENTILE: String(percentile), LIMIT_MS: String(slow?.limit ?? 500), FAIL_RATIO: String(failed?.limit ?? 0.01) };
}
