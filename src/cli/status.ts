/** What the daemon does, on one screen: the text of `drover status`, and its sentences, which `drover top` shares. */
import { adviceText } from "../admin/advice/advice.ts";
import { capacityOf, effectiveMax, type SlotsState } from "../base/slots.ts";
import type { ChildView, PlaceView, RollView } from "../master/snapshot.ts";
import type { Status } from "./snapshot.ts";
import type { SessionStoreReport } from "../base/sessionstore.ts";
import { ms as duration, type Ms } from "../base/units.ts";
import { mib, millis as ms, percent, rate, span } from "./terminal/figures.ts";
import { printableJson } from "./terminal/printable.ts";

/** What the daemon quotes of others, made fit for a terminal: printable, and of reasons the first line. */
export const readable = (status: Status): Status => printableJson(status, ["how", "why", "back"]);

/** Text for a terminal of 80 columns. */
export function renderStatus(status: Status): string {
  const s = readable(status);
  const { counters: c } = s;
  const state = s.state === "running" && s.health.status === "degraded" ? "degraded" : s.state;
  const lines = [
    `drover ${s.version}  ${state}  pid ${s.pid}  up ${span(s.uptime)}  generation ${s.generation}${s.demo ? "  DEMO" : ""}`,
    `listening  ${s.urls.join("  ")}`,
    `data       ${s.data}`,
    `workers    ${workersText(s)}`,
    `requests   ${c.served}  ${rate(s.recent.perSecond)}/s  5xx ${c.status5xx}  refused ${c.refused}  p50 ${ms(s.latency.p50)}  p95 ${ms(s.latency.p95)}  p99 ${ms(s.latency.p99)}`,
    `cache      ${cacheText(s)}, ${ttlsText(s)}`,
    `upstream   ${upstreamText(s)}`,
    ...(s.slots === null ? [] : [`slots      ${slotsText(s.slots)}${aboveText(s)}`]),
    ...(s.sessionStore === null ? [] : [`sessions   ${sessionStoreText(s.sessionStore)}`]),
    ...(s.schedule === null ? [] : [`schedule   ${s.schedule.text}`]),
    ...paceText(s).map((text) => `pace       ${text}`),
    ...breakers(s),
    ...writes(s),
    ...wrongTables(s),
    `machine    CPU ${percent(s.machine?.cpu ?? null)}${s.machine?.ownCpu === undefined ? "" : ` (drover ${percent(s.machine.ownCpu)})`}  RAM ${percent(s.machine?.ram ?? null)}  limited by: ${s.limitedBy.join(", ") || "nothing"}`,
    `advice     ${adviceText(s.advice)}`,
    ...(s.usage.regular === null ? [] : [`advice     slots: ${s.usage.regular.reason.text}; ${s.usage.regular.step.text}`]),
    ...s.alerts.map((alert) => `alert      ${alertText(alert, s.at)}`),
    `deaths     ${deaths(s)}`,
    `log        ${s.log}`,
    ...(s.hooks.file === null && s.hooks.problem === null ? [] : [`hooks      ${hooks(s.hooks)}`]),
    "",
    ["SLOT", "STATE", "PID", "GEN", "UP", "SERVED", "CONN", "ELU", "RSS", "BEAT", "CRASHES"].map(column).join(" ").trimEnd(),
    ...s.places.flatMap(rows),
  ];
  return `${lines.join("\n")}\n`;
}

/** "on redis://127.0.0.1:6379: 0.4 ms, 0 errors" */
function sessionStoreText({ place, problem, latency, errors, daemons = 1, silent = 0, notWriter }: SessionStoreReport): string {
  const state = problem === undefined ? `${latency === undefined ? "–" : latency.toFixed(1)} ms` : `away, ${problem}`;
  const others = daemons < 2 ? "" : `; ${daemons} daemons share the Google account${silent === 0 ? "" : `, ${silent} silent`}`;
  return `on ${place}: ${state}, ${errors} errors${others}${notWriter === undefined ? "" : `; no writes here: ${notWriter}`}`;
}

/** "WARNING capacity for 3m12s: 164 of 200 slots are taken (82 %)". */
const alertText = ({ name, level, since, text, acked }: Status["alerts"][number], at: number): string =>
  `${level.toUpperCase()} ${name} for ${span(Math.max(0, at - since))}${acked === null ? "" : " (seen)"}: ${text}`;

/** "2/2 ready", and whatever keeps it from being as it should be. */
function workersText(status: Status): string {
  const { workers, roll, health } = status;
  const more = [
    ...(health.broker === "away" ? ["the broker is away"] : []),
    ...(roll === null ? [] : [rollText(roll)]),
    ...(status.memoryShort ? ["memory is short: no second process is started"] : []),
    lastRollText(status),
  ];
  return [`${workers.ready}/${workers.target} ready`, ...more.filter((text) => text !== undefined)].join("; ");
}

/** Why the last reload came to nothing; undefined when it did not, or another one is under way. */
export function lastRollText({ lastRoll: last, refusedReload: refused, roll }: Status): string | undefined {
  if (refused !== null) return `the last reload was refused: ${refused}`;
  return roll === null && last?.is === "rolledBack" ? `the last reload was rolled back: ${last.why}` : undefined;
}

function hooks({ file, problem, called, failed, dropped, waiting }: Status["hooks"]): string {
  const counts = `${file}  called ${called}  failed ${failed}  dropped ${dropped}  waiting ${waiting}`;
  return problem === null ? counts : `${file === null ? "none" : counts}; ${problem.split("\n", 1)[0]}`;
}

/** "generation 4 is tried, 9 to go", then "rolls" or "is rolled back", and why. */
const rollText = ({ generation, left, step, back }: RollView): string =>
  `generation ${generation} ${step}, ${left.length} to go${back === null ? "" : ` (${back})`}`;

/** How many reads needed no call to Google. */
export function cacheText({ counters: { hits, stale, misses } }: Status): string {
  const cached = hits + stale;
  return cached + misses === 0 ? "no reads yet" : `${percent(cached / (cached + misses))} from memory, ${stale} stale`;
}

export function upstreamText({ upstream: up }: Status): string {
  if (up === null) return "not in use";
  const quota = `quota ${up.quota.used}/${up.quota.limit} reads this minute`;
  return `${up.state}${up.message === "" ? "" : ` (${up.message})`}  ${quota}  ${up.tables.length} tables`;
}

/** "TTL 5s", "TTL 5s to 1m": the tables' own; the setting's while none is known. */
function ttlsText({ upstream: up, cacheTtl }: Status): string {
  const ttls = (up?.tables ?? []).flatMap(({ ttl }) => ttl ?? []);
  const [least, most] = ttls.length === 0 ? [cacheTtl, cacheTtl] : [Math.min(...ttls), Math.max(...ttls)];
  const text = (ttl: number): string => (ttl < 1_000 ? ms(ttl) : span(ttl));
  return least === most ? `TTL ${text(least)}` : `TTL ${text(least)} to ${text(most)}`;
}

const ttlText = (ttl: Ms): string => `${Number((ttl / 1_000).toFixed(1))} s`;

/** "TTL 5 s stretched to 9 s (2 tables): they plan 24 calls a minute, the budget leaves 7.5 of …"; none while TTLs are what they are. */
export function paceText({ upstream: up }: Status): readonly string[] {
  if (up?.pace === undefined || up.pace.floor === 0) return [];
  const { planned, budget, others, floor } = up.pace;
  const stretched = up.tables.flatMap(({ ttl }) => (ttl !== undefined && ttl < floor ? [ttl] : []));
  const [shortest] = stretched.toSorted((a, b) => a - b);
  if (shortest === undefined) return [];
  const beside = others === 0 ? "" : ` (${others} a minute go to other calls)`;
  const cost = `the TTLs plan ${Number(planned.toFixed(1))} calls a minute, the quota leaves ${budget} for them${beside}`;
  return [
    `TTL ${ttlText(shortest)} stretched to ${ttlText(floor)}: ${cost}; ${stretched.length} table${stretched.length === 1 ? "" : "s"} concerned`,
  ];
}

/** "spreadsheet 1AbC… is not asked: 5 failures in a row, tried again in 3s (…)" */
function breakers({ upstream: up, at }: Status): string[] {
  const open = (up?.spreadsheets ?? []).filter(({ breaker }) => breaker !== "closed");
  return open.slice(0, MOST_TABLES).map(({ id, breaker, failures, retryAt, message }) => {
    const next =
      breaker === "half-open"
        ? "is being tried now"
        : retryAt > at
          ? `is tried again in ${span(duration(retryAt - at))}`
          : "is tried again when asked for";
    return `breaker    ${breaker}: spreadsheet ${id.slice(0, 44)} has failed ${failures} times in a row and ${next}${message === "" ? "" : ` (${message.slice(0, 160)})`}`;
  });
}

/** "12/200 LOW (6.0 %, 188 free)"; after the maximum was lowered fewer than none may be free. */
export function slotsText(slots: SlotsState): string {
  const { percentUsed, available } = capacityOf(slots);
  const closed = slots.closed === undefined ? "" : `, limited to ${effectiveMax(slots)} by ${slots.closed}: new sessions are refused`;
  return `${slots.used}/${slots.max} ${slots.status}  (${percentUsed.toFixed(1)} %, ${available} free${closed})`;
}

/** "  80 % and more for 1h20m of the last 24 hours" */
function aboveText({ usage: { timeAbove80pct: above } }: Status): string {
  return above["1d"] < 60_000 ? "" : `  80 % and more for ${span(above["1d"])} of the last 24 hours`;
}

/** "exactly-once, 3 wait (oldest 2s), 120 landed, 0 parked, quota 5/51 this minute, to the sheet p50 410 ms p99 1200 ms" */
function writes({ upstream: up }: Status): string[] {
  const w = up?.writes;
  const disk = up?.disk === undefined ? [] : [`disk       takes no writes: ${up.disk}`];
  if (w === undefined) return disk;
  const waiting = w.waiting === 0 ? "none wait" : `${w.waiting} wait (oldest ${span(w.oldest)})`;
  const quota = `quota ${w.quota.used}/${w.quota.limit} this minute`;
  const to = `to the sheet p50 ${ms(w.timeToSheet.p50)} p99 ${ms(w.timeToSheet.p99)}`;
  const astray = (w.astray ?? 0) === 0 ? "" : `, ${w.astray} astray (see the log)`;
  const aside = (w.setAside ?? 0) === 0 ? "" : ` (${w.setAside} set aside: drover writes)`;
  const line = `writes     ${w.delivery}, ${waiting}, ${w.landed} landed, ${w.parked} parked${aside}${astray}  ${quota}  ${to}`;
  const denied = w.denied === undefined ? [] : [`refused    ${w.denied}`];
  return [line, ...disk, ...denied, ...(w.damage === undefined ? [] : [`journal    ${w.damage}`])];
}

/** "players: 3 warnings, see the log; the header row of …" */
function wrongTables({ upstream: up }: Status): string[] {
  const wrong = (up?.tables ?? []).filter(({ warnings, failure }) => warnings > 0 || failure !== undefined);
  const said = wrong.slice(0, MOST_TABLES).map(({ name, warnings, hidden = [], failure }) => {
    const counted = warnings === 0 ? [] : [`${warnings} warning${warnings === 1 ? "" : "s"} (see the log)`];
    const names = hidden.map((column) => JSON.stringify(column)).join(", ");
    const unseen = hidden.length === 0 ? [] : [`hidden because of the name: ${names} ("hidden": [] in the tables file shows them)`];
    return `table      ${name}: ${[...counted, ...unseen, ...(failure === undefined ? [] : [failure.slice(0, 300)])].join("; ")}`;
  });
  const more = wrong.length > said.length ? [`table      and ${wrong.length - said.length} more`] : [];
  const { unlisted } = up ?? {};
  const tabs =
    unlisted === undefined ? [] : [`tables     ${unlisted} more tabs are no tables: a tables file (DROVER_TABLES) chooses (see the log)`];
  return [...said, ...more, ...tabs];
}

/** "stuck 1, rolled 8; last: worker 3 stuck 12s ago, spinning at app.mjs:12 handler" */
function deaths(status: Status): string {
  const named = Object.entries(status.deaths).map(([name, n]) => `${name} ${n}`);
  if (named.length === 0) return "none";
  const last = lastDeathText(status);
  return `${named.join(", ")}${last === undefined ? "" : `; last: ${last}`}`;
}

/** "worker 3 stuck 12s ago, spinning at app.mjs:12 handler"; undefined when nothing has died. */
export function lastDeathText({ places, at }: Status): string | undefined {
  const died = places.flatMap((p) => (p.lastDeath === null ? [] : [{ ...p.lastDeath, place: placeName(p) }]));
  const [last] = died.toSorted((a, b) => b.at - a.at);
  return last === undefined ? undefined : `${last.place} ${last.name} ${span(at - last.at)} ago, ${last.how.slice(0, 120)}`;
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
