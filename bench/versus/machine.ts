/** What the figures were measured on, and how quiet it was. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuOfMachine } from "./measure.ts";
import type { Machine, Results, Skipped } from "./results.ts";
import { rounded } from "./measure.ts";
import { TOOL, usable, type ToolName } from "./tools.ts";

export function machine(): Machine {
  return {
    cpus: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux",
    kernel: release().split("-")[0] ?? "",
  };
}

export interface Installed {
  readonly versions: Readonly<Record<string, string>>;
  readonly skipped: readonly Skipped[];
  has(name: ToolName): boolean;
}

export function installed(): Installed {
  const names = Object.keys(TOOL) as ToolName[];
  const found = new Map(names.flatMap((name) => (usable(name) === undefined ? [] : [[name, usable(name)?.version ?? ""] as const])));
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
  const fastify = JSON.parse(readFileSync(new URL("../../node_modules/fastify/package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return {
    versions: { drover: version, node: process.versions.node, fastify: fastify.version, ...Object.fromEntries(found) },
    skipped: names.filter((name) => !found.has(name)).map((name) => ({ what: name, install: TOOL[name].install })),
    has: (name) => found.has(name),
  };
}

/** Ten megabytes of SHA-256, the best of three: a clock that is slowed down shows. And what others burn in a quarter of a second. */
export async function mood(part: string): Promise<Results["mood"][number]> {
  const data = Buffer.alloc(10_000_000, 7);
  const times = Array.from({ length: 3 }, () => {
    const begin = performance.now();
    createHash("sha256").update(data).digest();
    return performance.now() - begin;
  });
  const before = cpuOfMachine();
  await sleep(QUARTER);
  return { part, calibrationMs: rounded(Math.min(...times), 1), others: rounded((cpuOfMachine() - before) / (QUARTER / 1_000)) };
}
const QUARTER = 250;
