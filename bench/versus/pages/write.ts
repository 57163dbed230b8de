/** The pages and plots as files: {@link files} decides, `write` writes, and a test compares. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Results } from "../results.ts";
import { capacityPage } from "./capacity.ts";
import { performancePage } from "./performance.ts";
import { plots } from "./plots.ts";

/** Paths below the repository's root and what stands in them. @param results undefined: nothing has been measured yet. */
export function files(results: Results | undefined): ReadonlyMap<string, string> {
  return new Map([
    ["docs/performance.md", performancePage(results, { plots: true })],
    ["docs/capacity.md", capacityPage(results, { plots: true })],
    ...(results === undefined ? [] : plots(results)).map(({ name, svg }) => [`docs/plots/${name}.svg`, svg] as const),
  ]);
}

/** @returns the files written. Plots of an older run that has more of them go. */
export function writePages(root: string, results: Results | undefined): string[] {
  const all = files(results);
  rmSync(join(root, "docs/plots"), { recursive: true, force: true });
  for (const [path, text] of all) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return [...all.keys()];
}

/** The plots that lie there. */
export function plotsThere(root: string): string[] {
  try {
    return readdirSync(join(root, "docs/plots")).map((name) => `docs/plots/${name}`);
  } catch {
    return [];
  }
}
