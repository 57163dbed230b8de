/** `drover emit kubernetes`: one pod with its volume, service and disruption budget. */
import { DroverError } from "../../base/errors.ts";
import { WORKER_FOOTPRINT } from "../../settings/machine.ts";
import { fillTemplate, type Artefact, type Facts, type OptionValues } from "./artefact.ts";
import type { Values } from "./fill.ts";
import { portable } from "./portable.ts";

const FILE = "kubernetes.yaml";
/** Seconds until the endpoints of a service are updated everywhere. */
const PRE_STOP = 5;
/** Seconds for the journal and the last rows after the last request. */
const MARGIN = 10;
const PROBE_PERIOD = 2;
/** Of master and broker with the rows of the tables, in MiB. */
const BASE_MEBIBYTES = 256;
const MEBIBYTE = 1_048_576;
const PORT = 8080;

export const kubernetes: Artefact = {
  name: "kubernetes",
  does: "kubernetes.yaml: one pod, its volume, service and budget",
  options: [
    { name: "name", value: "NAME", default: "drover", does: "of the objects" },
    { name: "image", value: "IMAGE", does: "of the Containerfile (registry.example.org/drover:VERSION)" },
    { name: "storage", value: "SIZE", default: "1Gi", does: "of the volume" },
  ],
  files: (facts, options) => [{ path: FILE, text: fillTemplate(FILE, "kubernetes", facts, valuesOf(facts, options)) }],
  next: ([path = FILE]) =>
    [
      "Next: build and push the image (Containerfile), create the tables and the key as the comments in the file say, then",
      `  kubectl apply --dry-run=server -f ${path} && kubectl apply -f ${path}`,
      "No cluster has run it here: only its fields were checked.",
      "",
    ].join("\n"),
};

function valuesOf(facts: Facts, options: OptionValues): Values {
  const { settings, machine, version } = facts;
  const name = matching(options, "name", /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/, "drover", "a DNS label, such as drover");
  const grace = Math.ceil(settings.graceful_timeout / 1_000) + PRE_STOP + MARGIN;
  const boot = Math.ceil(settings.boot_timeout / 1_000) + MARGIN;
  const needed = BASE_MEBIBYTES + Math.ceil((settings.workers * WORKER_FOOTPRINT) / MEBIBYTE);
  return {
    NAME: name,
    IMAGE: matching(
      options,
      "image",
      /^[\w.:/@-]+$/,
      `registry.example.org/drover:${version}`,
      "an image, such as registry.example.org/drover:1",
    ),
    STORAGE: matching(options, "storage", /^[1-9]\d*(?:Mi|Gi|Ti)$/, "1Gi", "a size, such as 1Gi"),
    VERSION: version,
    PORT: String(PORT),
    ENV: environment(facts),
    SECRETS: portable(facts).secrets.map((secret) => `            # ${secret} is set where this was written: give it so.`),
    CPU_REQUEST: `${machine.cpus * 500}m`,
    CPU_LIMIT: String(machine.cpus),
    MEMORY_REQUEST: `${needed}Mi`,
    MEMORY_LIMIT: `${2 * needed}Mi`, // workers are made for half of the memory
    GRACE: String(grace),
    PRE_STOP: String(PRE_STOP),
    BOOT_TRIES: String(Math.ceil(boot / PROBE_PERIOD)),
    PROBE: probe(settings.probe_path),
  };
}

/** As many workers as here, whatever the node has. */
function environment({ settings, machine }: Facts): string[] {
  const { values } = portable({ settings, machine });
  const own: [string, string][] = [];
  if (settings.google_application_credentials !== undefined)
    own.push(["GOOGLE_APPLICATION_CREDENTIALS", "/run/secrets/drover/google-key.json"]);
  if (settings.tables !== undefined) own.push(["DROVER_TABLES", "/etc/drover/tables.json"]);
  if (!values.some(([name]) => name === "DROVER_WORKERS")) own.push(["DROVER_WORKERS", String(settings.workers)]);
  const sample = settings.spreadsheet_id === undefined && settings.app === undefined;
  return [
    ...(sample ? ["  # The sample workbook: put DROVER_SPREADSHEET_ID in its place.", '  DROVER_DEMO: "on"'] : []),
    ...[...own, ...values].map(([name, text]) => `  ${name}: ${JSON.stringify(text)}`),
    "  # The proxy's network as the pod sees it: without it all clients share the proxy's address and its limits.",
    '  # DROVER_TRUSTED_PROXIES: "10.0.0.0/8"',
  ];
}

/** An application without DROVER_PROBE_PATH has no route that is known: then that it accepts connections. */
const probe = (path: string | undefined): string[] =>
  path === undefined
    ? ["            tcpSocket:", "              port: http"]
    : ["            httpGet:", `              path: ${JSON.stringify(path)}`, "              port: http"];

function matching(options: OptionValues, name: string, pattern: RegExp, otherwise: string, expected: string): string {
  const text = options[name] ?? otherwise;
  if (pattern.test(text)) return text;
  throw new DroverError("DROVER_E_USAGE", `--${name} ${text}: expected ${expected}`);
}
