import { seconds } from "../../base/units.ts";
import { LADDER, ladder } from "../../load/shape.ts";
import { shellUrl } from "./ab.ts";
import { fillTemplate, type Artefact } from "./artefact.ts";
import { urlOf } from "./target.ts";
import { plainPath } from "./values.ts";

/** `test_load.sh`: the usual ladder of users by `drover load`, or by ab where drover is missing. */
export const testLoad: Artefact = {
  name: "test-load",
  does: "test_load.sh: 5 to 200 users by drover load, or by ab",
  options: [{ name: "url", value: "URL", does: "what to request (the first TCP address, and /)" }],
  files(facts, options) {
    const steps = ladder(LADDER, seconds(20)).map(({ to, label }) => ({ users: to, label }));
    const values = {
      URL: shellUrl(options["url"] ?? `${urlOf(facts.settings)}/`),
      ROOT: plainPath(facts.root, "drover's own folder"),
      LADDER: LADDER.join(","),
      LABELS: steps.map(({ users, label }) => `${users} (${label})`).join(", "),
      STEPS: steps.map(({ users, label }) => `step ${users} '${label}'`),
    };
    return [{ path: "test_load.sh", text: fillTemplate("test_load.sh", "test-load", facts, values), mode: 0o755 }];
  },
  next: ([path = ""]) => `Next: sh ${path}    # 2 minutes; a short try: sh ${path} --hold 2s`,
};
