import type { Drill } from "./drill.ts";
import { full } from "./full.ts";
import { DRILL_NAMES, type DrillName } from "./help.ts";
import { reloadUnderLoad } from "./reload.ts";
import { killWorker, stuck } from "./workers.ts";

const BY_NAME: { readonly [N in DrillName]: Drill & { readonly name: N } } = {
  full,
  "kill-worker": killWorker,
  stuck,
  "reload-under-load": reloadUnderLoad,
};

export const DRILLS: readonly Drill[] = DRILL_NAMES.map((name) => BY_NAME[name]);
