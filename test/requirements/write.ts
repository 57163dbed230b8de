/** Writes docs/contributing/requirements.md: part of `npm run docs`. */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { PAGE, render } from "./page.ts";

const root = resolve(import.meta.dirname, "..", "..");
writeFileSync(join(root, PAGE), render(root));
