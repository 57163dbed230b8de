/** From this machine, its settings and the flags to what the plan is made from. */
import { DroverError } from "../../base/errors.ts";
import { slotsForMemory } from "../../base/slots.ts";
import { bytes } from "../../base/units.ts";
import { calibrate } from "../../plan/calibrate.ts";
import { COSTS, GOOGLE, ROWS_PER_CALL } from "../../plan/constants.ts";
import { assumed, configured, type Figure } from "../../plan/figure.ts";
import { DROVER, type PlanInput } from "../../plan/input.ts";
import { machineOf } from "../../plan/prices.ts";
import { preset } from "../../plan/presets.ts";
import { measuredComfort } from "../../plan/slots.ts";
import type { LoadRun } from "../../plan/run.ts";
import { placed } from "../../plan/verify.ts";
import { demoIsOn } from "../../settings/demo.ts";
import { parseFlags } from "../../settings/flags.ts";
import { detectMachine, type Machine } from "../../settings/machine.ts";
import { formatBytes } from "../../settings/parsers.ts";
import { resolveSettings, type Resolved } from "../../settings/resolve.ts";
import { sourceText } from "../../settings/source.ts";
import { slotsOf } from "../../settings/rows/limits.ts";
import { SETTINGS, type SettingName } from "../../settings/table.ts";
import { namedTables, parseTables } from "../../sheets/tables.ts";
import { currentFolder } from "../options.ts";
import { SAMPLE_TABLES } from "../plan.ts";
import { launched, profiled, regional, sized } from "./demand.ts";
import { fileText, pricesOf } from "./files.ts";
import { PLAN_FLAGS, readPlanFlags, type PlanFlags } from "./flags.ts";
import { asMeasured, demandOf, peaked } from "./from-run.ts";

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
  if (line.positional.length > 0) throw new DroverError("DROVER_E_USAGE", `drover plan takes no ${line.positional[0]}: drover plan --help`);
  const flags = onMachine(readPlanFlags(line.own));
  once(line);
  const here = detectMachine(process.env);
  const elsewhere = flags.cpus !== undefined || flags.ram !== undefined;
  const machine: Machine = elsewhere
    ? { ...here, cpus: Math.max(1, Math.floor(flags.cpus ?? here.cpus)), memory: bytes(flags.ram ?? here.memory), nofile: undefined }
    : here;
  const settings = new Map(line.flags);
  if (flags.ram !== undefined) settings.set("memory", formatBytes(bytes(flags.ram)));
  return { flags, machine, resolved: resolveSettings({ flags: settings, env: process.env, cwd: currentFolder(), machine }) };
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
  throw new DroverError("DROVER_E_USAGE", `--${flag} and --${setting.replaceAll("_", "-")} say the same: leave one of them out`);
}

interface Tables {
  readonly count: Figure;
  /** Seconds: the shortest, which is how often Google is asked. */
  readonly ttl: Figure;
  /** Seconds, by the table's name. */
  readonly ttls?: Readonly<Record<string, number>>;
}

function tablesOf({ resolved, machine }: Omit<Asked, "flags">): Tables {
  const { settings, sources } = resolved;
  const ttl = configured(settings.cache_ttl / 1_000, sourceText(sources.cache_ttl));
  const demo = demoIsOn(settings, { command: "serve", underSystemd: false, container: machine.container, app: settings.app });
  const file = settings.tables ?? (demo ? SAMPLE_TABLES : undefined);
  if (file === undefined) return { count: assumed(6, "no tables file is named"), ttl };
  const tables = parseTables(fileText(file, "DROVER_E_TABLES"), file, settings.cache_ttl);
  const name = demo && settings.tables === undefined ? "the sample's tables" : file;
  return {
    count: configured(tables.length, name),
    ttls: Object.fromEntries(namedTables(tables).map((table) => [table.name, table.ttl / 1_000])),
    ttl: configured(Math.min(...tables.map((t) => t.ttl)) / 1_000, `the shortest in ${name}`),
  };
}

/** This machine and its settings, without the flags of the command. */
export function settingsInput(asked: Omit<Asked, "flags">): PlanInput {
  const { resolved, machine } = asked;
  const { settings, sources } = resolved;
  const row = (name: SettingName, value: number): Figure => configured(value, `${name}: ${sourceText(sources[name])}`);
  const { count, ttl, ttls } = tablesOf(asked);
  return {
    demand: {
      users: assumed(100, "no --users"),
      rate: assumed(0.1, "no --rate: each user asks every 10 s"),
      burst: assumed(1, "no --burst"),
      writes: assumed(0, "no --writes"),
      bytes: assumed(10_240, "no --bytes: a page of 100 rows"),
      signedIn: assumed(1, "no --signed-in: every user holds a slot"),
    },
    place: {
      cpus: configured(machine.cpus, "this machine"),
      memory: row("memory", settings.memory),
      workers: row("workers", settings.workers),
      connections: row("worker_connections", settings.worker_connections),
      slots: {
        max: row("max_slots", slotsOf(settings.max_slots, settings.memory)),
        comfort: assumed(slotsForMemory(settings.memory), "what such a memory usually holds"),
      },
    },
    upstream: {
      tables: count,
      ttl,
      ...(ttls === undefined ? {} : { ttls }),
      reads: row("reads_per_minute", settings.reads_per_minute),
      writes: row("writes_per_minute", settings.writes_per_minute),
      ...GOOGLE,
      rowsPerCall: ROWS_PER_CALL,
    },
    costs: COSTS,
    system: DROVER,
  };
}

/** What was said on the command line counts before everything else. */
function overlaid(input: PlanInput, { flags, resolved }: Asked): PlanInput {
  const say = (value: number | undefined, flag: string, otherwise: Figure): Figure =>
    value === undefined ? otherwise : configured(value, flag);
  const setting = (name: SettingName, value: number, otherwise: Figure): Figure =>
    resolved.sources[name].from === "flag" ? configured(value, sourceText(resolved.sources[name])) : otherwise;
  const { demand, place, upstream, costs } = input;
  const { settings } = resolved;
  return {
    ...input,
    demand: {
      users: say(flags.users, "--users", demand.users),
      rate: say(flags.rate, "--rate", demand.rate),
      burst: say(flags.burst, "--burst", demand.burst),
      writes: say(flags.writes, "--writes", demand.writes),
      bytes: say(flags.bytes, "--bytes", demand.bytes),
      signedIn: say(flags.signedIn, "--signed-in", demand.signedIn),
      ...(demand.shared === true && flags.rate === undefined ? { shared: true as const } : {}),
    },
    place: {
      ...(place.peak === undefined ? {} : { peak: place.peak }),
      ...(place.slots === undefined
        ? {}
        : {
            slots: {
              max: setting("max_slots", slotsOf(settings.max_slots, settings.memory), place.slots.max),
              comfort: say(flags.comfort, "--comfort", place.slots.comfort),
            },
          }),
      cpus: say(flags.cpus, "--cpus", place.cpus),
      memory: say(flags.ram, "--ram", setting("memory", settings.memory, place.memory)),
      workers: setting("workers", settings.workers, place.workers),
      connections: setting("worker_connections", settings.worker_connections, place.connections),
    },
    upstream: {
      ...(upstream.ttls === undefined || flags.tables !== undefined || flags.ttl !== undefined ? {} : { ttls: upstream.ttls }),
      tables: say(flags.tables, "--tables", upstream.tables),
      ttl: say(
        flags.ttl === undefined ? undefined : flags.ttl / 1_000,
        "--ttl",
        setting("cache_ttl", settings.cache_ttl / 1_000, upstream.ttl),
      ),
      reads: say(flags.quota, "--quota", setting("reads_per_minute", settings.reads_per_minute, upstream.reads)),
      writes: setting("writes_per_minute", settings.writes_per_minute, upstream.writes),
      p50: say(flags.upstream?.[0], "--upstream-ms", upstream.p50),
      p99: say(flags.upstream?.[1], "--upstream-ms", upstream.p99),
      rowsPerCall: upstream.rowsPerCall,
    },
    costs: { ...costs, limit: say(flags.limit, "--limit", costs.limit), network: say(flags.nic, "--nic", costs.network) },
  };
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
  const { costs } = calibrate(placed(begun, run, flags.from), run, flags.from);
  // A mix that is said in place of the run's: what its own writes cost is within a request, and these come on top.
  const another = [flags.writes, flags.preset, flags.tiers || undefined].some((said) => said !== undefined) && costs.write.p50.value === 0;
  const made = { ...begun, costs: another ? { ...costs, write: begun.costs.write } : costs };
  if (flags.preset !== undefined) return overlaid(made, asked);
  return comfortable(peaked(overlaid(asMeasured(demandOf(made, run, flags), run, asked), asked), run, asked), run, flags);
}

/** The run's own memory in place of the table by memory size. */
function comfortable(input: PlanInput, run: LoadRun, { from = "", comfort: said }: PlanFlags): PlanInput {
  const { slots } = input.place;
  const comfort = said === undefined && slots !== undefined ? measuredComfort(input, run, from) : undefined;
  return slots === undefined || comfort === undefined ? input : { ...input, place: { ...input.place, slots: { ...slots, comfort } } };
}
