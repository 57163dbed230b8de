/** `npm run docs`: writes every generated page. A test fails when one differs from its table. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withExamples } from "./examples.ts";
import { PACKAGE } from "./plan.ts";
import { allArtefacts } from "./emit/artefacts.ts";
import { committedFiles } from "./emit/committed.ts";
import { renderEmit, renderErrors, renderMetricsPage, renderSignals } from "./reference.ts";

writeFileSync(join(PACKAGE, "docs/ERRORS.md"), renderErrors());
writeFileSync(join(PACKAGE, "docs/SIGNALS.md"), renderSignals());
writeFileSync(join(PACKAGE, "docs/EMIT.md"), renderEmit(await allArtefacts()));
for (const [path, text] of await committedFiles()) writeFileSync(join(PACKAGE, path), text);
const applications = join(PACKAGE, "docs/applications.md");
writeFileSync(applications, withExamples(readFileSync(applications, "utf8")));
writeFileSync(join(PACKAGE, "docs/METRICS.md"), renderMetricsPage());
await import("../settings/write-reference.ts");
