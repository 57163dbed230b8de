/** A prediction next to its measurement, as text. */
import { columns } from "../../../base/columns.ts";
import { num } from "./units.ts";
import type { VerifiedStep, Verification } from "../run/verify.ts";

const UNITS = { rate: "/s", p50: " ms", p99: " ms", calls: "" } as const;
const HEADS = { rate: "ANSWERS/S", p50: "P50", p99: "P99", calls: "CALLS" } as const;

/** Prediction → measurement, and whether it holds. */
export function renderVerification({ steps, holds, ratios, notes }: Verification): string {
  const compared = (["rate", "p50", "p99", "calls"] as const).filter((what) =>
    steps.some(({ comparisons }) => comparisons.some((c) => c.what === what)),
  );
  const cell = (step: VerifiedStep, what: (typeof compared)[number]): string => {
    const found = step.comparisons.find((c) => c.what === what);
    if (found === undefined) return "";
    const predicted = found.predicted === undefined ? "overload" : num(found.predicted);
    return `${predicted} → ${num(found.measured)}${UNITS[what]} ${found.holds ? "ok" : found.unclear === undefined ? "MISSED" : `? (${found.unclear})`}`;
  };
  const lines = columns([
    ["STEP", "USERS", ...compared.map((what) => HEADS[what])],
    ...steps.map((step) => [
      step.step.label,
      num(step.step.users),
      ...compared.map((what) => cell(step, what)),
    ]),
  ]);
  const allowed =
    "allowed: answers ± 10 %, p50 ± 20 % or 0.2 ms, p99 within twice or half, calls ± 5 % or one";
  const parts = compared.flatMap((what) =>
    ratios[what] === undefined ? [] : [`${HEADS[what]} × ${num(ratios[what])}`],
  );
  const together =
    parts.length === 0
      ? ""
      : `together: ${parts.join(", ")} (measured ÷ predicted, the median of the steps)\n`;
  const all = steps.flatMap(({ comparisons }) => comparisons);
  const unclear = all.filter((one) => one.unclear !== undefined).length;
  const verdict =
    steps.length === 0
      ? "there is nothing to compare: no step of the run can be used"
      : holds
        ? `the prediction holds${unclear === 0 ? "" : `; ${unclear} of ${all.length} figures can't be judged: the measurement itself is no better`}`
        : "the prediction does NOT hold";
  return `predicted → measured; ${allowed}\n\n${lines}\n${together}${notes.map((note) => `note  ${note}\n`).join("")}${verdict}\n`;
}
