/** What both pages say of how they came about. */
import type { Results } from "../results.ts";
import { median, short } from "./figures.ts";

export const HEADER = "<!-- Written by `npm run bench` from bench/results/full.json: edit bench/versus/pages instead. -->\n";

export const UNMEASURED = `Nothing has been measured yet. \`npm run bench\` measures and writes this page; \`npm run bench -- --quick\` prints a small version of it.
`;

const NAMES: Readonly<Record<string, string>> = { node: "Node.js", drover: "drover", fastify: "Fastify" };

export function conditions(results: Results): string {
  const { machine, versions, mood, day, command, minutes, skipped, failed } = results;
  const programs = Object.entries(versions).map(([name, version]) => (NAMES[name] === undefined ? version : `${NAMES[name]} ${version}`));
  const calibration = mood.map(({ calibrationMs }) => calibrationMs);
  const others = mood.map((one) => one.others);
  return [
    `${machine.cpus} CPUs (${machine.cpu}), ${machine.memoryGiB} GiB, ${machine.system}, Linux ${machine.kernel}, ${day}; \`${command}\`, ${short(minutes)} minutes;
everything on loopback, the load generator on the same CPUs. ${programs.join(", ")}.`,
    `How quiet it was: a fixed piece of work took ${short(Math.min(...calibration))} to ${short(Math.max(...calibration))} ms from part to part, others took
${short(median(others))} CPUs (at most ${short(Math.max(...others))}); ${results.repeated} measurements were repeated because somebody else took CPU.${
      results.again === undefined ? "" : ` Measured again later, each part by itself on the same machine: ${results.again.join(", ")}.`
    }`,
    ...(skipped.length === 0
      ? []
      : [`Not installed, and so left out: ${skipped.map(({ what, install }) => `${what} (\`${install}\`)`).join(", ")}.`]),
    ...(failed.length === 0 ? [] : [`Could not be measured: ${failed.map(({ part }) => part).join(", ")}.`]),
    "",
  ].join("\n\n");
}
