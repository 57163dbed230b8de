/** The pages anew from what was measured: `npm run bench pages [results.json]`. */
import { join } from "node:path";
import { writePages } from "./pages/write.ts";
import { readResults } from "./results-file.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
console.log(writePages(ROOT, readResults(process.argv[2] ?? join(ROOT, "bench/results/full.json"))).join("\n"));
