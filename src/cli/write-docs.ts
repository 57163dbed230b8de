/** `npm run docs`: writes every generated page. A test fails when one differs from its table. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE } from "./plan.ts";
import { renderErrors, renderMetricsPage, renderSignals } from "./reference.ts";

writeFileSync(join(PACKAGE, "docs/ERRORS.md"), renderErrors());
writeFileSync(join(PACKAGE, "docs/SIGNALS.md"), renderSignals());
writeFileSync(join(PACKAGE, "docs/METRICS.md"), renderMetricsPage());
await import("../settings/write-reference.ts");
