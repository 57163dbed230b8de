/** `npm run docs`: writes every generated page. A test fails when one differs from its table. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withExamples } from "./examples.ts";
import { PACKAGE } from "./plan.ts";
import { renderCompose, renderEmit, renderErrors, renderMetricsPage, renderSignals } from "./reference.ts";

writeFileSync(join(PACKAGE, "docs/ERRORS.md"), renderErrors());
writeFileSync(join(PACKAGE, "docs/SIGNALS.md"), renderSignals());
writeFileSync(join(PACKAGE, "docs/EMIT.md"), renderEmit());
writeFileSync(join(PACKAGE, "compose.yaml"), renderCompose());
const applications = join(PACKAGE, "docs/applications.md");
writeFileSync(applications, withExamples(readFileSync(applications, "utf8")));
writeFileSync(join(PACKAGE, "docs/METRICS.md"), renderMetricsPage());
await import("../settings/write-reference.ts");
