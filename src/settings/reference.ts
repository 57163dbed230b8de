/** What is written about the settings: docs/SETTINGS.md, config/.env.example and --help. All of it comes from the rows. */
import { SYSTEM_ENV_FILE } from "./envfile.ts";
import { ENV_FILE_VARIABLE } from "./names.ts";
import { flagOf, GROUPS, variableOf, type AnySetting, type Group, type Reload } from "./setting.ts";
import { SETTINGS } from "./table.ts";

const TITLES: Readonly<Record<Group, string>> = {
  listen: "Listening",
  workers: "Workers",
  timeouts: "Timeouts",
  sheets: "Google Sheets",
  application: "Application",
  sessions: "Sessions",
  admin: "Administration",
  limits: "Limits",
  alerts: "Alerts",
  places: "Directories",
  log: "Log",
  demo: "Demo",
};

const RELOAD: Readonly<Record<Reload, string>> = {
  live: "applied at once",
  roll: "with the next generation",
  restart: "needs a restart",
};

const inGroup = (group: Group): readonly AnySetting[] => SETTINGS.filter((row) => row.group === group);

const INTRODUCTION = `<!-- Generated from src/settings by src/settings/write-reference.ts: edit the rows, not this page. -->
# Settings

A value is looked for in four places; the first that has one counts:

1. a flag: \`--graceful-timeout 45s\`
2. the environment: \`DROVER_GRACEFUL_TIMEOUT=45s\`
3. the env file: the same line in the file that \`--env-file\` names, else \`${ENV_FILE_VARIABLE}\`, else \`./.env\`, else \`${SYSTEM_ENV_FILE}\`
4. the default

Within one place a setting's own name counts before its aliases. Paths are relative to the directory drover is started in.
\`drover check\` prints every setting with its value and the place it came from. A wrong value, an unknown \`DROVER_*\` name or a
broken line is an error (exit 78) that names the place; nothing is started, and a reload changes nothing.

The env file is read again at every reload (\`drover reload\`, SIGHUP); flags and the environment stay as they were at the start.
*${RELOAD.live}*: the reload applies it to what runs. *${RELOAD.roll}*: it reaches the processes that the reload starts.
*${RELOAD.restart}*: the reload says so and keeps the old value.

Ignored are the names that Kubernetes and Docker inject for a service called drover (\`DROVER_PORT\`, \`DROVER_PORT_*\`,
\`DROVER_SERVICE_*\`, \`DROVER_*_TCP*\`), and \`DROVER_TEST_*\`. \`GUNICORN_WORKER_CLASS\`, \`GUNICORN_CMD_ARGS\` and
\`FORWARDED_ALLOW_IPS\` are answered with a warning that says what to set instead.
`;

const shownDefault = (row: AnySetting): string => {
  if (typeof row.default !== "string") return row.default.rule;
  return row.default === "" ? "none" : `\`${row.default}\``;
};

function section(row: AnySetting): string {
  const aliases = (row.aliases ?? []).map(({ name, notation }) => `\`${name}\`${notation === undefined ? "" : ` (${notation})`}`);
  return [
    `### \`${variableOf(row)}\``,
    `\`${flagOf(row)}\` · default: ${shownDefault(row)} · reload: ${RELOAD[row.reload]}`,
    row.notes === undefined ? row.help : `${row.help} ${row.notes}`,
    `Takes ${row.codec.looksLike}.${aliases.length === 0 ? "" : ` Also read: ${aliases.join(", ")}.`}`,
  ].join("\n\n");
}

/** docs/SETTINGS.md. */
export function renderReference(): string {
  const groups = GROUPS.map((group) => [`## ${TITLES[group]}`, ...inGroup(group).map(section)].join("\n\n"));
  return `${[INTRODUCTION.trimEnd(), ...groups].join("\n\n")}\n`;
}

/** The words of a text in lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function example(row: AnySetting): string {
  const [help, value] =
    typeof row.default === "string" ? [row.help, row.default] : [`${row.help} Default: ${row.default.rule}.`, row.default.example];
  return [...wrap(help, 110).map((line) => `# ${line}`), `#${variableOf(row)}=${value}`].join("\n");
}

/** config/.env.example: every setting, commented out, with its default or an example. */
export function renderEnvExample(): string {
  const head = [
    "# Generated from src/settings: every setting of drover. Copy to .env and take the # from the lines you change.",
    "# docs/SETTINGS.md says what each one takes; `drover check` shows what came out.",
  ].join("\n");
  const groups = GROUPS.map((group) => [`# ── ${TITLES[group]} ──`, ...inGroup(group).map(example)].join("\n\n"));
  return `${[head, ...groups].join("\n\n")}\n`;
}

/** Where a service on systemd has its key, and what was decided when its file was written. */
export interface ServiceEnv {
  readonly keyFile: string;
  /** Lines that count, by variable, as they stand in the file. */
  readonly lines: ReadonlyMap<string, string>;
}

/** The env file of a service: every setting, commented out, but those that are given. */
export function renderServiceEnv({ keyFile, lines }: ServiceEnv): string {
  const head = [
    "# Settings of drover under systemd. Take the # from the lines you change; they are read at the start and again at every reload",
    "# (systemctl reload). `drover check` prints every setting, its value and where it comes from; docs/SETTINGS.md explains them.",
    `# The Google key belongs into ${keyFile}, for root alone (0600): the unit hands drover a copy.`,
  ].join("\n");
  const groups = GROUPS.map((group) => {
    const rows = inGroup(group).map((row) => {
      const line = lines.get(variableOf(row));
      return line === undefined ? example(row) : example(row).replace(/^#[A-Z_]+=.*$/m, () => `${variableOf(row)}=${line}`);
    });
    return [`# ── ${TITLES[group]} ──`, ...rows].join("\n\n");
  });
  return `${[head, ...groups].join("\n\n")}\n`;
}

/**
 * The lines that every service has: where its unit lets it write, by which commands find the daemon; that workers stand behind the master
 * and the broker, because the unit's own cgroup keeps that from mattering to other services; and that malformed HTTP reaches no application. @param dir below /var/lib, /var/log and /run.
 */
export const serviceLines = (dir: string): ReadonlyMap<string, string> =>
  new Map([
    ["DROVER_DATA_DIR", `/var/lib/${dir}`],
    ["DROVER_RUN_DIR", `/run/${dir}`],
    ["DROVER_LOG_FILE", `/var/log/${dir}/drover.log`],
    ["DROVER_WORKER_PRIORITY", "10"],
    ["DROVER_STRICT_HTTP", "on"],
  ]);

/** The settings' part of --help: one flag a line, with its default. */
export function renderHelp(): string {
  const flags = [
    { flag: "--env-file FILE", help: `The env file; else ${ENV_FILE_VARIABLE}, ./.env, ${SYSTEM_ENV_FILE}.` },
    ...SETTINGS.map((row: AnySetting) => ({
      flag: row.codec.alone === undefined ? `${flagOf(row)} VALUE` : `${flagOf(row)}[=VALUE]`,
      help: `${row.help} [${shownDefault(row).replaceAll("`", "")}]`,
    })),
  ];
  const width = Math.max(...flags.map(({ flag }) => flag.length));
  const lines = flags.flatMap(({ flag, help }) =>
    wrap(help, 100 - width).map((line, i) => `  ${(i === 0 ? flag : "").padEnd(width)}  ${line}`),
  );
  return `${lines.join("\n")}\n`;
}
