/** Which plots there are: their file's name, what it shows, and the SVG. Those that have nothing to show are left out. */
import type { Results } from "../results.ts";
import { LABEL, type StackName } from "../stack.ts";
import { median, of, rounds } from "./figures.ts";
import { bars, lines, type Bar, type Line } from "./svg.ts";

export interface Plot {
  readonly name: string;
  readonly alt: string;
  readonly svg: string;
}

/** More lines than these could not be told apart. */
const IN_LINES: readonly StackName[] = ["drover", "pm2", "puma", "gunicorn", "nginx", "held"];

export function plots(results: Results): Plot[] {
  return [...byConnections(results), ...costs(results), ...memory(results), ...capacity(results)];
}

function byConnections(results: Results): Plot[] {
  const kept = results.throughput.filter(({ keepAlive }) => keepAlive).toSorted((a, b) => a.connections - b.connections);
  if (kept.length < 2) return [];
  const places = kept.map(({ connections }) => connections.toLocaleString("en-US"));
  const line = (key: "rps" | "p99"): Line[] =>
    IN_LINES.filter((stack) => kept.some((one) => one.rounds[stack] !== undefined)).map((stack) => ({
      label: LABEL[stack],
      ours: stack === "drover",
      values: kept.map((one) => (one.rounds[stack] === undefined ? undefined : median(of(one.rounds[stack], key)))),
    }));
  const x = "kept connections";
  return [
    plot("requests", "Requests a second", (title) => lines(title, { x, y: "requests/s" }, places, line("rps"))),
    plot("p99", "99 of 100 answers came within", (title) => lines(title, { x, y: "ms" }, places, line("p99"))),
  ];
}

const plot = (name: string, alt: string, draw: (title: string) => string): Plot => ({ name, alt, svg: draw(alt) });

function costs(results: Results): Plot[] {
  const stacks = Object.keys(results.throughput[0]?.rounds ?? {}) as StackName[];
  const rows = (key: string): Bar[] =>
    stacks
      .map((stack) => ({ label: LABEL[stack], value: median(of(rounds(results, key, stack), "cpu")), ours: stack === "drover" }))
      .toSorted((a, b) => a.value - b.value);
  if (stacks.length < 2) return [];
  return [
    plot("cpu", "CPU-seconds for 100,000 requests, 100 kept connections", (title) => bars(title, " s", rows("keep-alive 100"))),
    plot("cpu-new", "CPU-seconds for 100,000 requests, a connection each", (title) => bars(title, " s", rows("ab 100"))),
  ];
}

function memory({ footprint }: Results): Plot[] {
  const rows = footprint.map(({ stack, workers, loaded }) => ({
    label: `${LABEL[stack]}, ${workers}`,
    value: loaded,
    ours: stack === "drover",
  }));
  return rows.length < 2 ? [] : [plot("memory", "Memory of the whole tree after load, by workers", (title) => bars(title, " MiB", rows))];
}

function capacity({ sources }: Results): Plot[] {
  const [first] = sources.questions;
  if (first === undefined || sources.questions.length < 2) return [];
  const places = first.steps.map(({ users }) => users.toLocaleString("en-US"));
  const all = sources.questions.map(({ system, stack, steps }) => ({
    label: system.split(":")[0] ?? system,
    ours: stack === "drover",
    values: steps.map(({ latencyMs }) => latencyMs?.p95),
  }));
  return [plot("users", "95 of 100 answers came within", (title) => lines(title, { x: "users at once", y: "ms" }, places, all))];
}
