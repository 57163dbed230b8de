/** Writes docs/SETTINGS.md, config/.env.example and systemd/drover.env: `node src/settings/write-reference.ts`. */
import { writeFileSync } from "node:fs";
import { renderEnvExample, renderReference, renderServiceEnv, serviceLines } from "./reference.ts";

writeFileSync(new URL("../../docs/SETTINGS.md", import.meta.url), renderReference());
writeFileSync(new URL("../../config/.env.example", import.meta.url), renderEnvExample());
const service = { keyFile: "/etc/drover/google-key.json", lines: serviceLines("drover") };
writeFileSync(new URL("../../systemd/drover.env", import.meta.url), renderServiceEnv(service));
