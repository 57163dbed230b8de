/** docs/applications.md shows the files of examples/ as they are. `npm run docs` writes it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE } from "./plan.ts";

export const EXAMPLE_FILES = ["app.ts", "ranking.ts", "listener.ts", "fetch.ts", "server.mjs", "tables.json"] as const;

const LANGUAGES = { ts: "ts", mjs: "js", json: "json" } as const;

/** @returns the page with each block below a line `[examples/NAME](…)` replaced by the file. @throws Error when one has no block. */
export function withExamples(page: string): string {
  return EXAMPLE_FILES.reduce((text, name) => {
    const block = new RegExp(`(\\[examples/${name.replace(".", "\\.")}\\]\\([^)]*\\)[^\\n]*\\n\\n)\`\`\`[^]*?\\n\`\`\`\\n`);
    if (!block.test(text)) throw new Error(`the page has no block for examples/${name}`);
    const language = LANGUAGES[name.slice(name.lastIndexOf(".") + 1) as keyof typeof LANGUAGES];
    const file = readFileSync(join(PACKAGE, "examples", name), "utf8");
    return text.replace(block, (_, head: string) => `${head}\`\`\`${language}\n${file}\`\`\`\n`);
  }, page);
}
