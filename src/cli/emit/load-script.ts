/** A profile as other load generators (k6, Locust) need it: endpoints, mix, pauses and stages. */
import { DroverError } from "../../base/errors.ts";
import { readProfile } from "../../load/profile.ts";
import { lasts, peak, type Step } from "../../load/shape.ts";
import type { Endpoint, Persona, Traffic } from "../../load/traffic.ts";
import { demoIsOn } from "../../settings/demo.ts";
import { parseTables } from "../../sheets/tables.ts";
import { fileText, readFile } from "../../tools/plan/files.ts";
import { readLoadFlags } from "../load/flags.ts";
import { scenarioOf, type Scenario } from "../load/scenario.ts";
import { SAMPLE_TABLES } from "../plan.ts";
import { shellUrl } from "./ab.ts";
import type { ArtefactOption, Facts, OptionValues } from "./artefact.ts";
import { urlOf } from "./target.ts";

export const PROFILE_OPTIONS: readonly ArtefactOption[] = [
  { name: "profile", value: "FILE", does: "the launch plan as JSON (5 to 200 users in six steps)" },
  { name: "users", value: "N", does: "scale the stages to a peak of N users" },
  { name: "url", value: "URL", does: "the target (the first TCP address)" },
];

export interface LoadScript extends Scenario {
  readonly profile: string;
  readonly url: string;
  /** Each user is one of them; of requests at a rate there is one, without pauses. */
  readonly personas: readonly Persona[];
  readonly model: "open" | "closed";
}

/** A file's name or a note may hold a line break, which would end a comment. */
export const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ");

/** @throws DroverError DROVER_E_USAGE for a profile that can't be read, or stages that can't be scaled. */
export function loadScript(facts: Facts, { profile: file, users, url }: OptionValues): LoadScript {
  const profile = file === undefined ? undefined : readProfile(readFile("--profile ", file), file);
  const named = profile?.endpoints ?? [];
  const endpoints = named.length > 0 ? named : ownEndpoints(facts);
  // Real names and codes never get into a script: it reads them from a file when it runs.
  const people = profile?.login === undefined ? [] : [{ user: "", code: "" }];
  const scenario = scenarioOf(readLoadFlags(new Map()), profile, endpoints, people);
  const { traffic, steps } = scenario;
  return {
    ...scenario,
    steps: users === undefined ? steps : scaled(steps, users),
    traffic: { ...traffic, people: [] },
    profile: file ?? "none: 5 to 200 users",
    url: url === undefined ? urlOf(facts.settings) : shellUrl(url).replace(/\/$/, ""),
    personas: traffic.personas ?? [{ name: "user", weight: 1, actions: traffic.actions }],
    model: steps[0]?.model ?? "closed",
  };
}

/** Several generators may send more users than one of ours, so this bound is only that of a whole number. */
function scaled(steps: readonly Step[], text: string): readonly Step[] {
  const users = /^[1-9]\d{0,7}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(users)) throw new DroverError("DROVER_E_USAGE", `--users ${text}: expected a whole number from 1 to 99999999`);
  if (steps.some(({ model }) => model === "open"))
    throw new DroverError("DROVER_E_USAGE", `--users ${text}: the profile sends requests at a rate, whatever the users: leave it out`);
  const factor = users / peak(steps);
  return steps.map((step) => ({ ...step, from: Math.round(step.from * factor), to: Math.round(step.to * factor) }));
}

/** The public tables of this installation; rows are written to the sample alone, as by `drover load`. */
function ownEndpoints({ settings, machine }: Facts): Endpoint[] {
  const demo = demoIsOn(settings, { command: "serve", underSystemd: false, container: machine.container, app: settings.app });
  const file = settings.tables ?? (demo ? SAMPLE_TABLES : undefined);
  const root: Endpoint = { name: "/", class: "read", weight: 1, method: "GET", path: "/" };
  if (settings.app !== undefined || file === undefined) return [root];
  const tables = parseTables(fileText(file, "DROVER_E_TABLES"), file, settings.cache_ttl).filter(({ read }) => read === "public");
  const reads = tables.flatMap(({ name }): Endpoint[] => [
    { name: `read ${name}`, class: "read", weight: 1, method: "GET", path: `/api/tables/${name}` },
    { name: `export ${name}`, class: "export", weight: 1, method: "GET", path: `/api/tables/${name}/export?format=csv` },
  ]);
  if (reads.length === 0) return [root];
  return demo && file === SAMPLE_TABLES ? [...reads, SAMPLE_WRITE] : reads;
}

const SAMPLE_WRITE: Endpoint = {
  name: "write actions",
  class: "write",
  weight: 1,
  method: "POST",
  path: "/api/tables/actions",
  body: '{"player":"p001","kind":"note","note":"load {n}"}',
};

/** Each stage as [seconds, users or requests a second at its end]; a step that does not begin where the last ended jumps there first. */
export function stagesOf(steps: readonly Step[]): readonly (readonly [number, number])[] {
  let at = 0;
  return steps.flatMap((step): (readonly [number, number])[] => {
    const jump = step.from === at ? [] : [[0, step.from] as const];
    at = step.to;
    return [...jump, [lasts([step]) / 1_000, step.to]];
  });
}

/** Personas with pauses in seconds, as both scripts read them. */
export const personasJson = (personas: readonly Persona[]): readonly unknown[] =>
  personas.map(({ name, weight, actions }) => ({
    name,
    weight,
    actions: actions.map(({ name: action, weight: share, requests, thinkMs, restMs = 0 }) => ({
      name: action,
      weight: share,
      requests,
      think: seconds(thinkMs),
      rest: seconds(restMs),
    })),
  }));

const seconds = (time: number): number => Number((time / 1_000).toFixed(3));

/** Classes that are asked for, with their weights, and the endpoints of these classes. */
export function asked({ mix, endpoints }: Traffic): {
  readonly mix: Readonly<Record<string, number>>;
  readonly endpoints: readonly Endpoint[];
} {
  const wanted = Object.entries(mix).filter(([, weight]) => weight > 0);
  return {
    mix: Object.fromEntries(wanted),
    endpoints: endpoints.filter((one) => one.weight > 0 && wanted.some(([name]) => name === one.class)),
  };
}
