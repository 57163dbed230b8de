/** What only shows when the files of a deployment are read together. */
import type { Settings } from "../../../settings/table.ts";
import { addressName } from "../../../settings/addresses.ts";
import type { Finding, Value } from "./finding.ts";
import type { NginxFacts } from "./nginx.ts";
import type { UnitFacts } from "./unit.ts";

export interface Deployment {
  /** As drover would run with what the files say. */
  readonly settings: Settings;
  readonly values: readonly Value[];
  readonly nginx: readonly NginxFacts[];
  readonly units: readonly UnitFacts[];
}

/** Google's reads of one account in a minute, unless it has raised them. */
const QUOTA = 60;
/** Descriptors that a worker needs besides its connections. */
const SPARE = 100;

export function* across({ settings, values, nginx, units }: Deployment): Generator<Finding> {
  const said = (name: Value["name"]): Value | undefined => values.findLast((value) => value.name === name);
  const proxied = nginx.filter(({ proxies }) => proxies);
  if (proxied.length > 0 && settings.trusted_proxies.length === 0)
    yield {
      is: "mistake",
      where: "all together",
      what: "a proxy is in front, others can reach drover too, and nobody is told to believe it: limits and logs see the proxy for everybody",
      mend: "DROVER_TRUSTED_PROXIES=127.0.0.1 in drover's env file",
    };
  yield* quota(settings, said);
  const served = settings.bind.map(addressName);
  for (const upstream of proxied.flatMap(({ upstreams }) => upstreams)) {
    const reached = served.some(
      (name) =>
        name === upstream.replace(/^localhost/, "127.0.0.1") ||
        name.replace(/^0\.0\.0\.0/, "127.0.0.1") === upstream.replace(/^localhost/, "127.0.0.1"),
    );
    if (!reached)
      yield {
        is: "mistake",
        where: "all together",
        what: `nginx asks at ${upstream}, and drover would listen on ${served.join(", ")}`,
        mend: "make DROVER_BIND (or drover.socket) and the upstream the same",
      };
  }
  if (proxied.length > 0 && served.some((name) => /^(?:0\.0\.0\.0|\[::\]):/.test(name)))
    yield {
      is: "mistake",
      where: said("bind")?.where ?? "all together",
      what: `${served.join(", ")} is open to everybody, past the proxy`,
      mend: "DROVER_BIND=127.0.0.1:8080",
    };
  for (const { stopSeconds, openFiles } of units) {
    if (stopSeconds !== undefined && stopSeconds * 1_000 <= settings.graceful_timeout)
      yield {
        is: "mistake",
        where: "all together",
        what: `TimeoutStopSec= is ${stopSeconds} s, and a drain may take ${settings.graceful_timeout / 1_000} s: systemd cuts requests off`,
        mend: "the unit of drover emit systemd has 45 s, and a longer drain asks for more",
      };
    if (openFiles !== undefined && openFiles < settings.worker_connections + SPARE)
      yield {
        is: "mistake",
        where: "all together",
        what: `LimitNOFILE=${openFiles} for ${settings.worker_connections} connections a worker`,
        mend: `at least ${settings.worker_connections + SPARE}; the unit of drover emit systemd has 65536`,
      };
  }
}

/** A cache in every process asks Google once for each of them. */
function* quota(settings: Settings, said: (name: Value["name"]) => Value | undefined): Generator<Finding> {
  const [workers, ttl] = [said("workers"), said("cache_ttl")];
  if (workers === undefined || ttl === undefined) return;
  const each = (settings.workers * 60_000) / settings.cache_ttl;
  const tabs = Math.floor(QUOTA / each);
  const where = `${workers.where}, ${ttl.where}`;
  const what = `a cache of ${settings.cache_ttl / 1_000} s in each of ${settings.workers} workers reads every tab up to ${Number(each.toFixed(1))} times a minute`;
  const here = `drover reads once for all workers: ${Number((60_000 / settings.cache_ttl).toFixed(1))} calls a minute for all tabs together`;
  if (tabs < 4)
    yield { is: "mistake", where, what: `${what}: Google's ${QUOTA} are used up with ${tabs + 1} tab${tabs === 0 ? "" : "s"}`, mend: here };
  else
    yield {
      is: "ignored",
      where,
      what,
      why: `${tabs} tabs fit into Google's ${QUOTA} that way. ${here[0]?.toUpperCase()}${here.slice(1)}`,
    };
}
