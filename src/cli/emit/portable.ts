/** The settings of this installation that hold on another host, too. */
import { resolveSettings } from "../../settings/resolve.ts";
import { variableOf, type AnySetting } from "../../settings/setting.ts";
import { SETTINGS, type SettingName } from "../../settings/table.ts";
import type { Facts } from "./artefact.ts";

/** Addresses, files and sizes of this host. Secrets and the group "places" are left out, too. */
const OF_THIS_HOST: ReadonlySet<string> = new Set<SettingName>([
  "bind",
  "trusted_proxies",
  "admin_bind",
  "admin_hosts",
  "tls_cert",
  "tls_key",
  "app",
  "hooks",
  "static_dir",
  "tables",
  "google_application_credentials",
  "alert_command",
  "log_file",
  "memory",
  "demo",
]);

const absent = (path: string): never => {
  throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: "ENOENT" });
};

export interface Portable {
  /** Variables and values that differ from the defaults of this machine. */
  readonly values: readonly (readonly [variable: string, text: string])[];
  /** Variables of secrets that are set here: their values stay here. */
  readonly secrets: readonly string[];
}

/** Pure. */
export function portable({ settings, machine }: Pick<Facts, "settings" | "machine">): Portable {
  const rows: readonly AnySetting[] = SETTINGS;
  // Some defaults follow from the memory.
  const flags = new Map([["memory", `${settings.memory}b`]]);
  const defaults = resolveSettings({ flags, env: {}, cwd: "/", machine, readFile: absent }).settings;
  const text = (row: AnySetting, values: Facts["settings"]): string => row.codec.format(values[row.name as SettingName]);
  const changed = rows.filter((row) => text(row, settings) !== text(row, defaults));
  // A container's clock is UTC: where a day is counted, the zone of this machine goes along, default or not.
  const zone = rows.filter(({ name }) => name === "time_zone" && settings.daily_quota > 0);
  return {
    values: [...new Set([...changed, ...zone])].flatMap((row) =>
      row.secret === true || row.group === "places" || OF_THIS_HOST.has(row.name) ? [] : [[variableOf(row), text(row, settings)] as const],
    ),
    secrets: changed.flatMap((row) => (row.secret === true ? [variableOf(row)] : [])),
  };
}
