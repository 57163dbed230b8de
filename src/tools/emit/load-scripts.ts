/** A launch profile as k6 and Locust need it: endpoints, mix, pauses, stages and thresholds. */
import { DroverError } from "../../base/errors.ts";
import { fileText, readFile } from "../plan/files.ts";
import { readLoadFlags } from "../../cli/load/flags.ts";
import { scenarioOf } from "../../cli/load/scenario.ts";
import { SAMPLE_TABLES } from "../../cli/plan.ts";
import { readProfile } from "../../load/profile.ts";
import { lasts, peak, type Step } from "../../load/shape.ts";
import type { Endpoint, Persona } from "../../load/traffic.ts";
import { demoIsOn } from "../../settings/demo.ts";
import { parseTables } from "../../sheets/tables.ts";
import { urlOf, type Installation, type Options } from "./installation.ts";

const usage = (message: string): DroverError => new DroverError("DROVER_E_USAGE", message);

/** A file name or a note may hold a line break, which would end a comment. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ");
const seconds = (time: number): number => Number((time / 1_000).toFixed(3));

/** @throws DroverError DROVER_E_USAGE for a profile that can't be read, or stages that can't be scaled. */
export function scriptValues(installation: Installation, options: Options) {
  const { profile: file, users, url } = options;
  const profile = file === undefined ? undefined : readProfile(readFile("--profile ", file), file);
  const named = profile?.endpoints ?? [];
  // Names and codes never enter a script: it reads them from a file when it runs.
  const people = profile?.login === undefined ? [] : [{ user: "", code: "" }];
  const { traffic, thresholds, notes, ...scenario } = scenarioOf(
    readLoadFlags(new Map()),
    profile,
    named.length > 0 ? named : ownEndpoints(installation),
    people,
  );
  const { steps: given } = scenario;
  const steps = users === undefined ? given : scaled(given, Number(users));
  const mix = Object.fromEntries(Object.entries(traffic.mix).filter(([, weight]) => weight > 0));
  return {
    thresholds: thresholds.map((one) => ({ ...one, text: oneLine(one.text) })),
    notes: notes.map(oneLine),
    stages: stagesOf(steps),
    peak: peak(steps),
    seconds: Math.round(lasts(steps) / 1_000),
    isOpen: steps[0]?.model === "open",
    profile: oneLine(file ?? "none: 5 to 200 users"),
    url: url === undefined ? urlOf(installation.settings) : url.replace(/\/$/, ""),
    mix,
    endpoints: traffic.endpoints.filter((one) => one.weight > 0 && one.class in mix),
    // Requests at a rate come from one persona without pauses.
    personas: personas(traffic.personas ?? [{ name: "user", weight: 1, actions: traffic.actions }]),
    login: traffic.login ?? null,
  };
}

function scaled(steps: readonly Step[], users: number): readonly Step[] {
  if (steps.some(({ model }) => model === "open"))
    throw usage(
      `--users ${users}: the profile sends requests at a rate, whatever the users: leave it out`,
    );
  const factor = users / peak(steps);
  return steps.map((step) => ({
    ...step,
    from: Math.round(step.from * factor),
    to: Math.round(step.to * factor),
  }));
}

/** The public tables of this installation. Rows are written to the sample only, as by `drover load`. */
function ownEndpoints({ settings, machine }: Installation): Endpoint[] {
  const { app, tables, cache_ttl: ttl } = settings;
  const { container } = machine;
  const demo = demoIsOn(settings, { command: "serve", underSystemd: false, container, app });
  const file = tables ?? (demo ? SAMPLE_TABLES : undefined);
  const get = { weight: 1, method: "GET" } as const;
  const root: Endpoint = { name: "/", class: "read", ...get, path: "/" };
  if (app !== undefined || file === undefined) return [root];
  const all = parseTables(fileText(file, "DROVER_E_TABLES"), file, ttl);
  const endpoints = all
    .filter(({ read }) => read === "public")
    .flatMap(({ name }): Endpoint[] => [
      { name: `read ${name}`, class: "read", ...get, path: `/api/tables/${name}` },
      { name: `export ${name}`, class: "export", ...get, path: exportOf(name) },
    ]);
  if (endpoints.length === 0) return [root];
  return demo && file === SAMPLE_TABLES ? [...endpoints, SAMPLE_WRITE] : endpoints;
}

const exportOf = (table: string): string => `/api/tables/${table}/export?format=csv`;
const SAMPLE_WRITE: Endpoint = {
  name: "write actions",
  class: "write",
  weight: 1,
  method: "POST",
  path: "/api/tables/actions",
  body: '{"player":"p001","kind":"note","note":"load {n}"}',
};

/** Each as [seconds, users or requests a second at its end]. A step that begins elsewhere jumps there first. */
function stagesOf(steps: readonly Step[]): (readonly [seconds: number, target: number])[] {
  let at = 0;
  return steps.flatMap((step) => {
    const jump = step.from === at ? [] : [[0, step.from] as const];
    at = step.to;
    return [...jump, [lasts([step]) / 1_000, step.to] as const];
  });
}

const personas = (all: readonly Persona[]): readonly object[] =>
  all.map(({ actions, ...persona }) => ({
    ...persona,
    actions: actions.map(({ thinkMs, restMs = 0, ...action }) => ({
      ...action,
      think: seconds(thinkMs),
      rest: seconds(restMs),
    })),
  }));

/** @throws DroverError DROVER_E_USAGE for a profile with requests at a rate. */
export function locustValues(installation: Installation, options: Options): object {
  const script = scriptValues(installation, options);
  if (!script.isOpen) return script;
  throw usage(
    `${script.profile}: Locust sends users, not requests at a rate: use drover emit k6, or leave out "/s" and frequency.per`,
  );
}
