/** Writes docs/SETTINGS.md and config/.env.example: `node src/settings/write-reference.ts`. */
import { writeFileSync } from "node:fs";
import { renderEnvExample, renderReference } from "./reference.ts";

writeFileSync(new URL("../../docs/SETTINGS.md", import.meta.url), renderReference());
writeFileSync(new URL("../../config/.env.example", import.meta.url), renderEnvExample());
