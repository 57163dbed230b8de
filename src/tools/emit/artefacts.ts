/** What `drover emit` writes: one row each. Texts and conditions are in the templates of config/emit. */
import { readFileSync } from "node:fs";
import { ownPath } from "../../base/place.ts";
import { seconds } from "../../base/units.ts";
import { LADDER, ladder } from "../../load/shape.ts";
import { slotsOf } from "../../settings/rows/limits.ts";
import type { Flag } from "../flags.ts";
import { composeValues, kubernetesValues } from "./containers.ts";
import { targetOf, urlOf, type Installation, type Options } from "./installation.ts";
import { locustValues, scriptValues } from "./load-scripts.ts";
import { EVENT, namesOf, SINGLE } from "./units.ts";
import * as v from "./values.ts";

export interface Artefact {
  /** For `drover emit --help`: at most 60 characters. */
  readonly summary: string;
  readonly options?: readonly Flag<string>[];
  /** Templates in config/emit, and the names of the files. An empty text makes no file. */
  readonly files: readonly string[];
  /**
   * Texts, numbers and lists for the templates, in addition to the options. Must hold no secret.
   * @throws DroverError DROVER_E_USAGE for a setting that the artefact cannot use.
   */
  readonly values?: (installation: Installation, options: Options) => object;
}

/** @param usage its name, and the placeholder of its value. */
const option = (usage: string, help: string, parse?: v.Parser, missing?: string): Flag<string> => {
  const [name = "", value = ""] = usage.split(" ");
  return { name, value, help, ...(parse && { parse }), ...(missing && { default: missing }) };
};
const serverName = (help: string): Flag<string> =>
  option("server-name NAME", help, v.hostName, "example.org");
const CERTIFIED_NAME = serverName("the public host name, also of the certificate");
const staticFiles = (proxy: string): Flag<string> =>
  option("static DIR", `a folder that ${proxy} serves at /static/ itself, for a day`, v.plainPath);
const PAGE = option("url URL", "what to request (the first TCP address, and /)", v.plainUrl);
const PROFILE = [
  option("profile FILE", "the launch plan as JSON (5 to 200 users in six steps)"),
  option("users N", "scale the stages to a peak of N users", v.userCount),
  option("url URL", "the target (the first TCP address)", v.plainUrl),
];
const STACKS = option("name NAME", "of the stacks, function and tables", v.stackName, "drover");
const REGIONS = option(
  "regions LIST",
  "where to deploy, the first one first",
  v.regionList,
  "us-east-1,eu-west-1,ap-south-1",
);
const UNIT = v.matching(
  new RegExp(`^drover(?:@${EVENT.source.slice(1, -1)})?\\.service$`),
  "drover.service, or drover@EVENT.service as drover install --name EVENT writes it",
);

/** By name, in the order of the help. */
export const ARTEFACTS: Readonly<Record<string, Artefact>> = {
  nginx: {
    summary: "drover.conf: proxy with TLS, cache, gzip and limit_req",
    options: [
      CERTIFIED_NAME,
      staticFiles("nginx"),
      option("cache TIME", "how long public answers are cached", v.cacheTime, "1s"),
    ],
    files: ["drover.conf"],
    values: ({ settings }, options) => v.proxyValues(settings, options, "unix:"),
  },
  haproxy: {
    summary: "haproxy.cfg: proxy with TLS, health checks and leastconn",
    options: [
      CERTIFIED_NAME,
      option(
        "servers HOST:PORT,…",
        "the drovers behind it (this installation's first address)",
        v.serverList,
      ),
    ],
    files: ["haproxy.cfg"],
    values: ({ settings }, options) => ({
      ...v.proxyValues(settings, options, "unix@"),
      probePath: settings.probe_path && v.inHaproxy(settings.probe_path, "probe_path"),
    }),
  },
  caddy: {
    summary: "Caddyfile: proxy that gets its certificate by itself",
    options: [serverName("the public host name"), staticFiles("Caddy")],
    files: ["Caddyfile"],
    values: ({ settings }, options) => v.proxyValues(settings, options, "unix/"),
  },
  ab: {
    summary: "ab.sh: three ApacheBench runs, with how to read them",
    options: [PAGE],
    files: ["ab.sh"],
    values: ({ settings }, { url }) => ({ url: url ?? `${urlOf(settings)}/` }),
  },
  "test-load": {
    summary: "test_load.sh: 5 to 200 users by drover load, or by ab",
    options: [PAGE],
    files: ["test_load.sh"],
    values: ({ settings, root }, { url }) => ({
      url: url ?? `${urlOf(settings)}/`,
      root: v.plainPath(root, "drover's own folder"),
      steps: ladder(LADDER, seconds(20)),
    }),
  },
  deploy: {
    summary: "deploy.sh: check, deploy by reload, roll back",
    options: [option("unit UNIT", "the service, or drover@EVENT.service", UNIT, SINGLE.service)],
    files: ["deploy.sh"],
    values: ({ settings, envFile }, { unit = "" }) => {
      const event = /@(.+)\.service$/.exec(unit)?.[1];
      const target = targetOf(settings);
      // A release is a folder in /srv/app when the application is /srv/app/current/app.mjs.
      const releases = /^(\/.+)\/current\//.exec(settings.app ?? "")?.[1];
      return {
        ...(event === undefined ? SINGLE : namesOf(event)),
        slots: slotsOf(settings.max_slots, settings.memory),
        releases: releases === undefined ? "" : v.plainPath(releases, "app"),
        // Without a probe path an application only has to accept connections.
        probed: settings.probe_path !== undefined,
        path: v.inSingleQuotes(settings.probe_path ?? "/", "probe_path"),
        unixPath: target.kind === "unix" ? v.plainPath(target.path, "bind") : undefined,
        url: target.kind === "unix" ? undefined : urlOf(settings),
        givenEnv: envFile ?? ".env.production",
      };
    },
  },
  compose: {
    summary: "compose.yaml: a container with these settings and limits",
    options: [
      option(
        "image IMAGE",
        "an image that exists (else it is built from the Containerfile)",
        v.imageName,
      ),
    ],
    files: ["compose.yaml"],
    values: composeValues,
  },
  k6: {
    summary: "drover-k6.js: a launch profile as a k6 script",
    options: [
      ...PROFILE,
      option("split N", "also write the command lines for N machines", v.machineCount),
    ],
    files: ["drover-k6.js", "drover-k6-split.sh"],
    values: scriptValues,
  },
  locust: {
    summary: "locustfile.py: a launch profile for Locust",
    options: PROFILE,
    files: ["locustfile.py"],
    values: locustValues,
  },
  "prometheus-rules": {
    summary: "prometheus-alerts.yml: the alerts as Prometheus rules",
    files: ["prometheus-alerts.yml"],
    values: ({ settings }) => v.alertValues(settings),
  },
  grafana: {
    summary: "grafana-dashboard.json: a dashboard for Grafana",
    files: ["grafana-dashboard.json"],
    values: ({ settings }) => ({
      ...v.alertValues(settings),
      defaults: readFileSync(ownPath("config/grafana-dashboard.json"), "utf8"),
    }),
  },
  kubernetes: {
    summary: "kubernetes.yaml: one pod, its volume, service and budget",
    options: [
      option("name NAME", "of the objects", v.dnsLabel, "drover"),
      option(
        "image IMAGE",
        "of the Containerfile (registry.example.org/drover:VERSION)",
        v.imageName,
      ),
      option("storage SIZE", "of the volume", v.volumeSize, "1Gi"),
    ],
    files: ["kubernetes.yaml"],
    values: kubernetesValues,
  },
  cloudwatch: {
    summary: "drover-alarms.yaml: CloudWatch alarms (CloudFormation)",
    options: [STACKS],
    files: ["drover-alarms.yaml"],
    values: ({ settings }) => ({
      latency: settings.alert_latency,
      minutes: Math.max(1, Math.ceil(settings.alert_latency_for / 60_000)),
    }),
  },
  cloudformation: {
    summary: "drover-{tables,region,edge}.yaml: templates for AWS",
    options: [STACKS, REGIONS],
    files: ["drover-tables.yaml", "drover-region.yaml", "drover-edge.yaml"],
  },
  "deploy-100k": {
    summary: "deploy-100k.sh: deploys the templates; a dry run by default",
    options: [STACKS, REGIONS],
    files: ["deploy-100k.sh"],
  },
};
