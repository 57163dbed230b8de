/** `drover status`: what the daemon does, on one screen. */
import { EXIT } from "../base/exit.ts";
import type { ChildView, PlaceView, RollView } from "../master/snapshot.ts";
import { ask } from "./client.ts";
import { readClientOptions } from "./options.ts";
import type { Status } from "./snapshot.ts";

export async function status(argv: readonly string[]): Promise<number> {
  const { resolved, own } = readClientOptions(argv, [{ name: "json" }]);
  const { body } = await ask(resolved.settings, "GET", "/status");
  process.stdout.write(own.has("json") ? `${JSON.stringify(body, null, 2)}\n` : renderStatus(body as Status));
  return EXIT.done.code;
}

const percent = (ratio: number | null): string => (ratio === null ? "–" : `${(ratio * 100).toFixed(ratio < 0.1 ? 1 : 0)} %`);
const mib = (bytes: number | null): string => (bytes === null ? "–" : `${Math.round(bytes / 1_048_576)} MiB`);
const ms = (value: number | null): string => (value === null ? "–" : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`);

/** 3d04h, 2h05m, 12m30s, 45s */
export function span(millis: number | null): string {
  if (millis === null) return "–";
  const seconds = Math.floor(millis / 1_000);
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  if (days > 0) return `${days}d${two(hours)}h`;
  if (hours > 0) return `${hours}h${two(minutes)}m`;
  return minutes > 0 ? `${minutes}m${two(seconds % 60)}s` : `${seconds}s`;
}

/** Text for a terminal of 80 columns. */
export function renderStatus(s: Status): string {
  const { counters: c } = s;
  const cached = c.hits + c.stale;
  const ratio = cached + c.misses === 0 ? null : cached / (cached + c.misses);
  const lines = [
    `drover ${s.version}  ${s.state}  pid ${s.pid}  up ${span(s.uptime)}  generation ${s.generation}${s.demo ? "  DEMO" : ""}`,
    `listening  ${s.urls.join("  ")}`,
    `data       ${s.data}`,
    `workers    ${s.workers.ready}/${s.workers.target} ready${s.roll === null ? "" : `; ${rollText(s.roll)}`}${lastRoll(s)}`,
    `requests   ${c.served}  5xx ${c.status5xx}  refused ${c.refused}  p50 ${ms(s.latency.p50)}  p95 ${ms(s.latency.p95)}  p99 ${ms(s.latency.p99)}`,
    `cache      ${ratio === null ? "no reads yet" : `${percent(ratio)} from memory, ${c.stale} stale`}`,
    `upstream   ${upstream(s)}`,
    ...writes(s),
    ...wrongTables(s),
    `machine    CPU ${percent(s.machine?.cpu ?? null)}  RAM ${percent(s.machine?.ram ?? null)}  limited by: ${s.limitedBy.join(", ") || "nothing"}`,
    `deaths     ${deaths(s)}`,
    `log        ${s.log}`,
    "",
    ["SLOT", "STATE", "PID", "GEN", "UP", "SERVED", "CONN", "ELU", "RSS", "BEAT", "CRASHES"].map(column).join(" ").trimEnd(),
    ...s.places.flatMap(rows),
  ];
  return `${lines.join("\n")}\n`;
}

function lastRoll({ lastRoll: last, refusedReload: refused }: Status): string {
  if (refused !== null) return `; the last reload was refused: ${refused.replaceAll(/\s*\n\s*/g, " ")}`;
  return last?.is === "rolledBack" ? `; the last reload was rolled back: ${last.why.split("\n", 1)[0]}` : "";
}

/** "generation 4 is tried, 9 to go", then "rolls" or "is rolled back". */
const rollText = ({ generation, left, step }: RollView): string => `generation ${generation} ${step}, ${left.length} to go`;

function upstream({ upstream: up }: Status): string {
  if (up === null) return "not in use";
  const quota = `quota ${up.quota.used}/${up.quota.limit} reads this minute`;
  return `${up.state}${up.message === "" ? "" : ` (${up.message})`}  ${quota}  ${up.tables.length} tables`;
}

/** "exactly-once, 3 wait (oldest 2s), 120 landed, 0 parked, quota 5/51 this minute, to the sheet p50 410 ms p99 1200 ms" */
function writes({ upstream: up }: Status): string[] {
  const w = up?.writes;
  if (w === undefined) return [];
  const waiting = w.waiting === 0 ? "none wait" : `${w.waiting} wait (oldest ${span(w.oldest)})`;
  const quota = `quota ${w.quota.used}/${w.quota.limit} this minute`;
  const to = `to the sheet p50 ${ms(w.timeToSheet.p50)} p99 ${ms(w.timeToSheet.p99)}`;
  return [`writes     ${w.delivery}, ${waiting}, ${w.landed} landed, ${w.parked} parked  ${quota}  ${to}`];
}

/** "players: 3 warnings, see the log; the header row of …" */
function wrongTables({ upstream: up }: Status): string[] {
  const wrong = (up?.tables ?? []).filter(({ warnings, failure }) => warnings > 0 || failure !== undefined);
  const said = wrong.slice(0, MOST_TABLES).map(({ name, warnings, failure }) => {
    const counted = warnings === 0 ? [] : [`${warnings} warning${warnings === 1 ? "" : "s"} (see the log)`];
    return `table      ${name}: ${[...counted, ...(failure === undefined ? [] : [failure.slice(0, 200)])].join("; ")}`;
  });
  return wrong.length > said.length ? [...said, `table      and ${wrong.length - said.length} more`] : said;
}

/** "stuck 1, rolled 8; last: worker 3 stuck 12s ago, spinning at app.mjs:12 handler" */
function deaths({ deaths: counts, places, at }: Status): string {
  const named = Object.entries(counts).map(([name, n]) => `${name} ${n}`);
  if (named.length === 0) return "none";
  const newest = places
    .flatMap((p) => (p.lastDeath === null ? [] : [{ ...p.lastDeath, place: placeName(p) }]))
    .toSorted((a, b) => b.at - a.at);
  const [last] = newest;
  if (last === undefined) return named.join(", ");
  return `${named.join(", ")}; last: ${last.place} ${last.name} ${span(at - last.at)} ago, ${last.how.split("\n", 1)[0]?.slice(0, 120)}`;
}

const placeName = (place: PlaceView): string => (place.role === "worker" ? `worker ${place.slot}` : place.role);

const MOST_TABLES = 5;
const WIDTHS = [11, 9, 7, 4, 7, 8, 5, 6, 8, 7, 7];
const column = (text: string, i: number): string => text.padEnd(WIDTHS[i] ?? 0);

function rows(place: PlaceView): string[] {
  const name = placeName(place);
  const line = (label: string, state: string, child: ChildView | null, crashes: string): string =>
    [
      label,
      state,
      String(child?.pid ?? "–"),
      String(child?.generation ?? place.generation),
      span(child?.uptime ?? null),
      String(child?.served ?? "–"),
      String(child?.connections ?? "–"),
      percent(child?.elu ?? null),
      mib(child?.rss ?? null),
      ms(child?.beatAge ?? null),
      crashes,
    ]
      .map(column)
      .join(" ")
      .trimEnd();
  return [
    line(name, place.state, place.child, String(place.crashes)),
    ...(place.successor === null ? [] : [line("  next", place.successor.state, place.successor, "")]),
    ...place.leaving.map((child) => line("  leaving", child.state, child, "")),
  ];
}
