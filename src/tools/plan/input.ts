/** From this machine, its settings and the flags to what the plan is made from. */
import { isDeepStrictEqual } from "node:util";
import { DroverError } from "../../base/errors.ts";
import { slotsForMemory } from "../../base/slots.ts";
import { bytes } from "../../base/units.ts";
import { calibrate } from "./run/calibrate.ts";
import { COSTS, GOOGLE, ROWS_PER_CALL } from "./model/constants.ts";
import { DROVER, type PlanInput } from "./model/types.ts";
import { machineOf } from "./prices.ts";
import { preset } from "./model/presets.ts";
import { measuredComfort } from "./model/slots.ts";
import type { LoadRun } from "./run/run.ts";
import { placed } from "./run/verify.ts";
import { demoIsOn } from "../../settings/demo.ts";
import { parseFlags } from "../../settings/flags.ts";
import { detectMachine, type Machine } from "../../settings/machine.ts";
import { formatBytes } from "../../settings/parsers.ts";
import { resolveSettings, type Resolved } from "../../settings/resolve.ts";
import { slotsOf } from "../../settings/rows/limits.ts";
import { SETTINGS, type SettingName } from "../../settings/table.ts";
import { namedTables, parseTables } from "../../sheets/tables.ts";
import { currentFolder } from "../../cli/options.ts";
import { SAMPLE_TABLES } from "../../cli/plan.ts";
import { launched, profiled, regional, sized } from "./demand.ts";
import { fileText, pricesOf } from "./files.ts";
import { PLAN_FLAGS, readPlanFlags, type PlanFlags } from "./flags.ts";
import { asMeasured, demandOf, peaked } from "./run/from-run.ts";

export interface Asked {
  readonly flags: PlanFlags;
  readonly resolved: Resolved;
  readonly machine: Machine;
}

/**
 * The settings as they would be on the machine that is planned for.
 * @throws DroverError DROVER_E_USAGE for flags that make no sense, SettingsError for settings that can't be.
 */
export function readAsked(argv: readonly string[]): Asked {
  const line = parseFlags(argv, SETTINGS, PLAN_FLAGS);
  if (line.positional.length > 0)
    throw new DroverError(
      "DROVER_E_USAGE",
      `drover plan takes no ${line.positional[0]}: drover plan --help`,
    );
  const flags = onMachine(readPlanFlags(line.own));
  once(line);
  const here = detectMachine(process.env);
  const elsewhere = flags.cpus !== undefined || flags.ram !== undefined;
  const machine: Machine = elsewhere
    ? {
        ...here,
        cpus: Math.max(1, Math.floor(flags.cpus ?? here.cpus)),
        memory: bytes(flags.ram ?? here.memory),
        nofile: undefined,
      }
    : here;
  const settings = new Map(line.flags);
  if (flags.ram !== undefined) settings.set("memory", formatBytes(bytes(flags.ram)));
  return {
    flags,
    machine,
    resolved: resolveSettings({ flags: settings, env: process.env, cwd: currentFolder(), machine }),
  };
}

/** `--machine NAME` means its CPUs and its memory. */
function onMachine(flags: PlanFlags): PlanFlags {
  if (flags.machine === undefined) return flags;
  const { cpus, memoryGb } = machineOf(pricesOf(flags), flags.machine);
  return { ...flags, cpus, ram: memoryGb * 1_073_741_824 };
}

/** One figure under two names: of the plan, and of the setting. */
const SAID_TWICE: readonly (readonly [string, SettingName])[] = [
  ["ram", "memory"],
  ["ttl", "cache_ttl"],
  ["quota", "reads_per_minute"],
];

function once({ own, flags }: ReturnType<typeof parseFlags>): void {
  const twice = SAID_TWICE.find(([flag, setting]) => own.has(flag) && flags.has(setting));
  if (twice === undefined) return;
  const [flag, setting] = twice;
  throw new DroverError(
    "DROVER_E_USAGE",
    `--${flag} and --${setting.replaceAll("_", "-")} say the same: leave one of them out`,
  );
}

interface Tables {
  readonly count: number;
  /** Seconds: the shortest, which is how often Google is asked. */
  readonly ttl: number;
  /** Seconds, by the table's name. */
  readonly ttls?: Readonly<Record<string, number>>;
}

function tablesOf({ resolved, machine }: Omit<Asked, "flags">): Tables {
  const { settings } = resolved;
  const ttl = settings.cache_ttl / 1_000;
  const demo = demoIsOn(settings, {
    command: "serve",
    underSystemd: false,
    container: machine.container,
    app: settings.app,
  });
  const file = settings.tables ?? (demo ? SAMPLE_TABLES : undefined);
  if (file === undefined) return { count: 6, ttl };
  const tables = parseTables(fileText(file, "DROVER_E_TABLES"), file, settings.cache_ttl);
  return {
    count: tables.length,
    ttls: Object.fromEntries(namedTables(tables).map((table) => [table.name, table.ttl / 1_000])),
    ttl: Math.min(...tables.map((t) => t.ttl)) / 1_000,
  };
}

/** This machine and its settings, without the flags of the command. */
export function settingsInput(asked: Omit<Asked, "flags">): PlanInput {
  const { resolved, machine } = asked;
  const { settings } = resolved;
  const { count, ttl, ttls } = tablesOf(asked);
  return {
    demand: {
      users: 100,
      rate: 0.1,
      burst: 1,
      writes: 0,
      bytes: 10_240,
      signedIn: 1,
    },
    place: {
      cpus: machine.cpus,
      memory: settings.memory,
      workers: settings.workers,
      connections: settings.worker_connections,
      slots: {
        max: slotsOf(settings.max_slots, settings.memory),
        comfort: slotsForMemory(settings.memory),
      },
    },
    upstream: {
      tables: count,
      ttl,
      ...(ttls === undefined ? {} : { ttls }),
      reads: settings.reads_per_minute,
      writes: settings.writes_per_minute,
      ...GOOGLE,
      rowsPerCall: ROWS_PER_CALL,
    },
    costs: COSTS,
    system: DROVER,
  };
}

/** What was said on the command line counts before everything else. */
function overlaid(input: PlanInput, { flags, resolved }: Asked): PlanInput {
  const { settings, sources } = resolved;
  const given = <T>(name: SettingName, value: T): T | undefined =>
    sources[name].from === "flag" ? value : undefined;
  const { demand, place, upstream, costs } = input;
  const { ttls, ...tables } = upstream;
  return {
    ...input,
    demand: {
      users: flags.users ?? demand.users,
      rate: flags.rate ?? demand.rate,
      burst: flags.burst ?? demand.burst,
      writes: flags.writes ?? demand.writes,
      bytes: flags.bytes ?? demand.bytes,
      signedIn: flags.signedIn ?? demand.signedIn,
    },
    place: {
      ...place,
      ...(place.slots === undefined
        ? {}
        : {
            slots: {
              max:
                given("max_slots", slotsOf(settings.max_slots, settings.memory)) ?? place.slots.max,
              comfort: flags.comfort ?? place.slots.comfort,
            },
          }),
      cpus: flags.cpus ?? place.cpus,
      memory: flags.ram ?? given("memory", settings.memory) ?? place.memory,
      workers: given("workers", settings.workers) ?? place.workers,
      connections: given("worker_connections", settings.worker_connections) ?? place.connections,
    },
    upstream: {
      ...tables,
      ...(ttls === undefined || flags.tables !== undefined || flags.ttl !== undefined
        ? {}
        : { ttls }),
      tables: flags.tables ?? upstream.tables,
      ttl: (flags.ttl ?? given("cache_ttl", settings.cache_ttl) ?? upstream.ttl * 1_000) / 1_000,
      reads: flags.quota ?? given("reads_per_minute", settings.reads_per_minute) ?? upstream.reads,
      writes: given("writes_per_minute", settings.writes_per_minute) ?? upstream.writes,
      p50: flags.upstream?.[0] ?? upstream.p50,
      p99: flags.upstream?.[1] ?? upstream.p99,
    },
    costs: { ...costs, limit: flags.limit ?? costs.limit, network: flags.nic ?? costs.network },
  };
}

/** Whether the command line changes what its preset says. */
export function changesPreset(asked: Asked, input: PlanInput): boolean {
  const { preset: name } = asked.flags;
  if (name === undefined) return false;
  const said = ({ demand, place, upstream }: PlanInput): object => ({ demand, place, upstream });
  return !isDeepStrictEqual(said(preset(name, settingsInput(asked))), said(input));
}

/** @param run read from `--from`. */
export function planInput(asked: Asked, run: LoadRun | undefined): PlanInput {
  return regional(sized(launched(inputOf(asked, run), asked.flags), asked.flags), asked.flags);
}

function inputOf(asked: Asked, run: LoadRun | undefined): PlanInput {
  const { flags } = asked;
  const here = profiled(settingsInput(asked), flags);
  const begun = flags.preset === undefined ? here : preset(flags.preset, here);
  if (run === undefined || flags.from === undefined) return overlaid(begun, asked);
  // The run's own machine explains its figures; what is planned for may be another one.
  const { costs, measuredBy } = calibrate(placed(begun, run), run, flags.from);
  // Another mix than the run's: its own writes are within the cost of a request, and these are added.
  const another =
    [flags.writes, flags.preset, flags.tiers || undefined].some((said) => said !== undefined) &&
    costs.write.p50 === 0;
  const made = {
    ...begun,
    ...(measuredBy === undefined ? {} : { measuredBy }),
    costs: another ? { ...costs, write: begun.costs.write } : costs,
  };
  if (flags.preset !== undefined) return overlaid(made, asked);
  return comfortable(
    peaked(overlaid(asMeasured(demandOf(made, run, flags), run, asked), asked), run, asked),
    run,
    flags,
  );
}

/** The run's own memory in place of the table by memory size. */
function comfortable(input: PlanInput, run: LoadRun, { comfort: said }: PlanFlags): PlanInput {
  const { slots } = input.place;
  const comfort =
    said === undefined && slots !== undefined ? measuredComfort(input, run) : undefined;
  return slots === undefined || comfort === undefined
    ? input
    : { ...input, place: { ...input.place, slots: { ...slots, comfort, comfortMeasured: true } } };
}
