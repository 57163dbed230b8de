/** What a daemon prints when it starts, and when it is ready. */
import type { LogSink } from "../base/log.ts";
import { seconds } from "../base/units.ts";
import type { UpstreamReport } from "../base/upstreamreport.ts";
import type { Listener } from "../master/shell/listeners.ts";
import { sourceText } from "../settings/source.ts";
import type { Administration } from "./administration.ts";
import type { Generations } from "./generations.ts";
import { greeting, laterText } from "./greeting.ts";
import type { Options } from "./options.ts";
import { version } from "./version.ts";

/** "8 workers (CPU × 4)": how many, and what decided it. */
function workersLine({ resolved }: Options): string {
  const { settings, sources } = resolved;
  const source = sources.workers.from === "default" ? sources.workers.why : sourceText(sources.workers);
  return `${settings.workers} worker${settings.workers === 1 ? "" : "s"} (${source})`;
}

/** Logs the start, and prints it with the warnings of the settings. */
export function sayStart(options: Options, { log }: LogSink, listeners: readonly Listener[]): void {
  const { resolved } = options;
  const where = listeners.map(({ url, address }) => (url.endsWith(`//${address.name}`) ? url : `${url} (${address.name})`)).join(", ");
  const text = `drover ${version()} starts: ${workersLine(options)}, listening on ${where}`;
  log.info(
    { version: version(), node: process.versions.node, env_file: resolved.envFile ?? null, bind: listeners.map((l) => l.address.name) },
    text,
  );
  process.stderr.write(`${text}\n`);
  for (const warning of resolved.warnings) {
    log.warn(warning);
    process.stderr.write(`drover: ${warning}\n`);
  }
}

/** What the master knows of Google; undefined: nothing asks it. */
type Google = () => Pick<UpstreamReport, "state" | "message"> | undefined;

export interface Greeter {
  readonly options: Options;
  readonly generations: Generations;
  readonly listeners: readonly Listener[];
  readonly administration: Administration;
  readonly google: Google;
}

const LOOK_EVERY = seconds(1);
const MOST_LOOKS = 60;

/** Prints the greeting, and later one line to standard error about a Google that had not answered by then. */
export function greet({ options, generations, listeners, administration, google }: Greeter): void {
  const { log_file: target } = options.resolved.settings;
  const text = greeting(
    {
      urls: listeners.map((l) => l.url),
      bound: listeners.map((l) => l.address.name),
      plan: generations.plan(1),
      logFile: "file" in target ? target.file : "-",
      workers: workersLine(options),
      fromNpm: options.own.has("from-npm-start"),
      google: google(),
      dashboard: process.stdout.isTTY ? administration.link() : undefined,
    },
    process.stdout.isTTY,
  );
  process.stdout.write(text);
  if (google()?.state === "never" && !generations.plan(1).demo) sayLater(google);
}

/** Bounded: without an answer the last look says so. */
function sayLater(google: Google): void {
  let looks = 0;
  const timer = setInterval(() => {
    const known = google();
    const text = known === undefined ? undefined : laterText(known);
    looks += 1;
    if (text === undefined && looks < MOST_LOOKS) return;
    clearInterval(timer);
    process.stderr.write(`drover: ${text ?? "Google has still not answered (drover status)"}\n`);
  }, LOOK_EVERY);
  timer.unref();
}
