/** Values of the containers' files: the limits and settings of this installation that hold elsewhere, too. */
import { basename, dirname } from "node:path";
import { addressName } from "../../settings/addresses.ts";
import { WORKER_FOOTPRINT } from "../../settings/machine.ts";
import { resolveSettings } from "../../settings/resolve.ts";
import { variableOf, type AnySetting } from "../../settings/setting.ts";
import { SETTINGS, type SettingName, type Settings } from "../../settings/table.ts";
import type { Installation, Options } from "./installation.ts";
import { inYaml, plainPath, timeText } from "./values.ts";

/** Seconds until the endpoints of a Kubernetes service are updated everywhere. */
const PRE_STOP = 5;
/** Seconds for the journal and the last rows after the last request. */
const MARGIN = 10;
const MEBIBYTE = 1_048_576;
/** MiB of master and broker with the rows of the tables. */
const BASE_MEMORY = 256;
const wholeSeconds = (time: number): number => Math.ceil(time / 1_000);

/** Addresses, files and sizes of this host. */
// prettier-ignore
const OF_THIS_HOST: ReadonlySet<string> = new Set<SettingName>([
  "bind", "trusted_proxies", "admin_bind", "admin_hosts", "tls_cert", "tls_key", "app", "hooks", "static_dir",
  "tables", "google_application_credentials", "alert_command", "log_file", "memory", "demo",
]);
const noFile = (path: string): never => {
  throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
};

type Assignment = readonly [variable: string, text: string];

/** Settings that differ from the defaults of this machine, and the variables of secrets, whose values stay here. */
function portable({ settings, machine }: Installation) {
  // Some defaults follow from the memory.
  const flags = new Map([["memory", `${settings.memory}b`]]);
  const none = { env: {}, cwd: "/", readFile: noFile };
  const defaults = resolveSettings({ flags, machine, ...none }).settings;
  const text = ({ codec, name }: AnySetting, of: Settings) => codec.format(of[name as SettingName]);
  const changed = (SETTINGS as readonly AnySetting[]).filter(
    (row) =>
      text(row, settings) !== text(row, defaults) ||
      // A container's clock is UTC: a day is counted in the zone of this machine.
      (row.name === "time_zone" && settings.daily_quota > 0),
  );
  const values = changed.filter(
    ({ secret, group, name }) => secret !== true && group !== "places" && !OF_THIS_HOST.has(name),
  );
  return {
    // Until a spreadsheet is named the container serves the sample.
    sample: settings.spreadsheet_id === undefined && settings.app === undefined,
    environment: values.map((row): Assignment => [variableOf(row), text(row, settings)]),
    secrets: changed.filter(({ secret }) => secret === true).map(variableOf),
  };
}

/** Files are mounted with their folder: a mounted file would stay the old one when an editor replaces it. */
function mounts({ tables, app, static_dir: files }: Settings) {
  const mount = (setting: string, path: string | undefined, at: string, file?: string) => {
    if (path === undefined) return [];
    const from = plainPath(file === undefined ? path : dirname(path), setting);
    return [{ from, at, variable: `DROVER_${setting.toUpperCase()}`, value: file ?? at }];
  };
  return [
    ...mount("tables", tables, "/etc/drover", `/etc/drover/${basename(tables ?? "")}`),
    ...mount("app", app, "/srv/app", `/srv/app/${basename(app ?? "")}`),
    ...mount("static_dir", files, "/srv/static"),
  ];
}

export function composeValues(installation: Installation): object {
  const { settings } = installation;
  const { environment, sample } = portable(installation);
  const mounted = mounts(settings);
  const files = mounted.map(({ variable, value }): Assignment => [variable, value]);
  return {
    sample,
    // `$` begins a variable of Compose's.
    environment: [...environment, ...files].map(([name, text]) => [
      name,
      inYaml(text.replaceAll("$", "$$$$")),
    ]),
    mounts: mounted,
    graceful: timeText(settings.graceful_timeout),
    grace: wholeSeconds(settings.graceful_timeout) + PRE_STOP + MARGIN,
    memory: Math.floor(settings.memory / MEBIBYTE),
    nofile: Math.max(65_536, settings.worker_connections + 1_024),
    published: published(settings),
  };
}

/** Other machines reach the container only where they reach this installation. */
function published({ bind }: Settings): string {
  const address = bind.find((one) => one.kind === "tcp");
  if (address?.kind !== "tcp") return "127.0.0.1:8080";
  const host = address.host === "localhost" ? "127.0.0.1" : address.host;
  return addressName({ ...address, host, port: address.port || 8080 });
}

export function kubernetesValues(installation: Installation, { image }: Options): object {
  const { settings, machine, version } = installation;
  const { environment, ...rest } = portable(installation);
  return {
    ...rest,
    environment: environment.map(([name, text]) => [name, inYaml(text)]),
    image: image ?? `registry.example.org/drover:${version}`,
    version,
    hasKey: settings.google_application_credentials !== undefined,
    hasTables: settings.tables !== undefined,
    // As many workers as here, whatever the node has.
    workers: environment.some(([name]) => name === "DROVER_WORKERS") ? undefined : settings.workers,
    cpus: machine.cpus,
    memory: BASE_MEMORY + Math.ceil((settings.workers * WORKER_FOOTPRINT) / MEBIBYTE),
    preStop: PRE_STOP,
    grace: wholeSeconds(settings.graceful_timeout) + PRE_STOP + MARGIN,
    bootTime: wholeSeconds(settings.boot_timeout) + MARGIN,
    probePath: settings.probe_path && inYaml(settings.probe_path),
  };
}
