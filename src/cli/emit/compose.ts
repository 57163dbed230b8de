import { basename, dirname } from "node:path";
import { DroverError } from "../../base/errors.ts";
import { addressName } from "../../settings/addresses.ts";
import { variableOf, type AnySetting } from "../../settings/setting.ts";
import { SETTINGS, type SettingName, type Settings } from "../../settings/table.ts";
import { fillTemplate, type Artefact, type Facts, type OptionValues } from "./artefact.ts";
import type { Values } from "./fill.ts";
import { portable } from "./portable.ts";
import { plainPath, timeText } from "./values.ts";

/** `compose.yaml`: a container with a read-only root and this installation's limits and settings. */
export const compose: Artefact = {
  name: "compose",
  does: "compose.yaml: a container with these settings and limits",
  options: [{ name: "image", value: "IMAGE", does: "an image that exists (else it is built from the Containerfile)" }],
  files: (facts, options) => [{ path: "compose.yaml", text: fillTemplate("compose.yaml", "compose", facts, valuesOf(facts, options)) }],
  next: ([path = ""]) =>
    [
      `Next: docker compose --file ${path} up --detach, then curl --fail http://127.0.0.1:8080/healthz at the published address`,
      "Not carried over: secrets, the Google key (secrets:) and certificates (a proxy in front speaks TLS). No engine is part of drover's tests.",
    ].join("\n"),
};

const SPARE_FILES = 1_024;
const STOP_RESERVE_MS = 15_000;

function valuesOf(facts: Facts, options: OptionValues): Values {
  const { settings } = facts;
  return {
    IMAGE: image(options["image"]),
    GRACEFUL: timeText(settings.graceful_timeout),
    GRACE: `${Math.ceil((settings.graceful_timeout + STOP_RESERVE_MS) / 1_000)}s`,
    MEMORY: `${Math.floor(settings.memory / 1_048_576)}m`,
    NOFILE: String(Math.max(65_536, settings.worker_connections + SPARE_FILES)),
    ENVIRONMENT: environment(facts),
    PUBLISHED: published(settings),
    VOLUMES: mounts(settings).map(({ from, at }) => `      - ${from}:${at}:ro`),
  };
}

function image(name: string | undefined): string[] {
  if (name === undefined) return ["    build:", "      context: .", "      dockerfile: Containerfile", "    image: drover"];
  if (/^[\w][\w./:@-]*$/.test(name)) return [`    image: ${name}`];
  throw new DroverError("DROVER_E_USAGE", `--image ${name} (expected an image such as registry.example.org/drover:1.2.0)`);
}

/** Beyond this machine only when the installation listens beyond it. */
function published({ bind }: Settings): string {
  const address = bind.find((one) => one.kind === "tcp");
  if (address?.kind !== "tcp") return "127.0.0.1:8080";
  return addressName({ ...address, host: address.host === "localhost" ? "127.0.0.1" : address.host, port: address.port || 8080 });
}

interface Mount {
  readonly setting: SettingName;
  /** The folder on the host, and in the container. */
  readonly from: string;
  readonly at: string;
  /** The setting's value in the container. */
  readonly value: string;
}

/** Files are mounted with their folder: one mounted by itself stays the old one when an editor replaces it. */
function mounts({ tables, app, static_dir: files }: Settings): Mount[] {
  const file = (setting: SettingName, path: string | undefined, at: string): Mount[] =>
    path === undefined ? [] : [{ setting, from: plainPath(dirname(path), setting), at, value: `${at}/${basename(path)}` }];
  return [
    ...file("tables", tables, "/etc/drover"),
    ...file("app", app, "/srv/app"),
    ...(files === undefined
      ? []
      : [{ setting: "static_dir", from: plainPath(files, "static_dir"), at: "/srv/static", value: "/srv/static" } as const]),
  ];
}

function environment({ settings, machine }: Facts): string[] {
  const mounted = mounts(settings).map(({ setting, value }) => [variableOf(rowOf(setting)), value] as const);
  // `$` would begin a variable of Compose's.
  const line = ([name, text]: readonly [string, string]): string => `      ${name}: ${JSON.stringify(text.replaceAll("$", "$$$$"))}`;
  const lines = [...portable({ settings, machine }).values, ...mounted].map(line);
  return settings.spreadsheet_id === undefined && settings.app === undefined ? [...DEMO, ...lines] : lines;
}

const DEMO = [
  "      # The sample workbook: remove this line once your spreadsheet is named.",
  '      DROVER_DEMO: "on"',
  "      # DROVER_SPREADSHEET_ID: the-id-between-/d/-and-/edit-in-its-address",
  "      # DROVER_TABLES: /etc/drover/tables.json      # in a folder that volumes names: - ./tables:/etc/drover:ro",
];

const rowOf = (name: SettingName): AnySetting => SETTINGS.find((row) => row.name === name) as AnySetting;
