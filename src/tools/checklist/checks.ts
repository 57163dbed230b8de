/** Checks of the service and of recorded results, before the launch. */
import { capacityOf } from "../../base/slots.ts";
import { elapsed, minutes, ms, type Timestamp } from "../../base/units.ts";
import { lastRollText } from "../../cli/status.ts";
import { counted, span } from "../../cli/terminal/figures.ts";
import type { Facts } from "./facts.ts";
import { ago, done, failed, given, open, running, skipped, timeOf } from "./finding.ts";
import type { Check, Finding } from "./finding.ts";
import type { EntryOf } from "./records.ts";

const HOUR = minutes(60);
const DAY = ms(24 * HOUR);
/** A drill, a load run and a test alert count for this long. */
const PROVEN_FOR = ms(14 * DAY);
const BACKUP_FOR = DAY;
const CERTIFICATE_DAYS = 14;
/** A monitor asks every 5 minutes: with two misses it is still there. */
const MONITOR = { within: minutes(15), times: 3 };

export const settings: Check = ({ settings: { problem, warnings } }) => {
  if (problem !== undefined) return failed(problem);
  if (warnings.length === 0) return done("as drover check finds them");
  return open(`${counted(warnings.length, "warning")}: ${warnings.join("; ")}`);
};

export const service = running((status) => {
  const { workers, health } = status;
  const roll = lastRollText(status);
  if (roll !== undefined) return failed(roll);
  const ready = `${workers.ready} of ${workers.target} workers are ready`;
  if (health.status === "ok" && workers.ready >= workers.target) return done(ready);
  return failed(`${health.status}: ${ready}, the broker is ${health.broker}`);
});

/** The newest result counts, for this version only, and not indefinitely. */
function proven(
  entry: EntryOf<"drill"> | EntryOf<"load">,
  result: { readonly passed: boolean; readonly text: string },
  { now, version }: Facts,
): Finding {
  const at = timeOf(entry);
  const { passed, text } = result;
  if (!passed) return failed(`${text}, ${ago(at, now)}`, at);
  if (entry.version !== version)
    return open(`${text}, but with drover ${entry.version}; this is ${version}`, at);
  if (elapsed(at, now) > PROVEN_FOR)
    return open(`${text}, but ${ago(at, now)}: prove it again`, at);
  return done(`${text}, ${ago(at, now)}`, at);
}

export const drilled =
  (name: string): Check =>
  (facts) =>
    given(facts.records, (records) => {
      const drills = records.filter((one) => one.kind === "drill");
      const last = drills.findLast((one) => one.name === name);
      if (last === undefined) return open(`drill ${name} was not run here`);
      const passed = last.verdict === "pass";
      const text = `drill ${name} ${passed ? "passed" : `failed (${last.why})`}`;
      return proven(last, { passed, text }, facts);
    });

/** @param least users at once. */
export const loaded =
  (least: number): Check =>
  (facts) =>
    given(facts.records, (records) => {
      const runs = records.filter((one) => one.kind === "load");
      const last = runs.findLast(({ users }) => users >= least);
      const wanted = least === 0 ? "" : ` with ${least} users`;
      if (last === undefined) return open(`no load run${wanted} was recorded here`);
      const { verdict, users, target } = last;
      const load = users === 0 ? "a run at a rate" : counted(users, "user");
      const text = `${verdict} with ${load} on ${target}`;
      return proven(last, { passed: verdict === "PASS", text }, facts);
    });

export const page = running(({ slots }, facts) =>
  given(facts.page, ({ url, page: code, health, shown }) => {
    if (code !== 200) return failed(`${url}/ answers ${code} (expected 200)`);
    if (slots === null && health === 404)
      return done(`${url}/ answers 200; an application has /api/admin/health`);
    if (health !== 200) return failed(`${url}/api/admin/health answers ${health} (expected 200)`);
    if (slots === null) return done(`${url}/ and its health answer 200; no sessions are counted`);
    const { percentUsed } = capacityOf(slots);
    const text = `${slots.used} of ${slots.max} slots are taken (${percentUsed.toFixed(1)} %)`;
    if (shown === percentUsed) return done(`${url}: ${text}`);
    return failed(`${url} shows ${shown ?? "no"} %, but ${text}`);
  }),
);

/** Requests of a monitor: those that the daemon knows, and the intervals on disk from before it started. */
export const monitor = running(({ monitorSeen }, { timeline, now }) => {
  const peaks = typeof timeline === "string" ? [] : timeline.peaks;
  const before = peaks.filter(({ monitor: times }) => times > 0).map(timeOf);
  const seen = [...monitorSeen, ...before].filter((at) => elapsed(at, now) < DAY);
  const last = seen.toSorted((a, b) => a - b).at(-1);
  if (last === undefined) return open("no external monitor has asked in the last 24 hours");
  if (elapsed(last, now) > MONITOR.within)
    return failed(`no external monitor asks any more: the last request came ${ago(last, now)}`);
  const recent = seen.filter((at) => elapsed(at, now) < HOUR).length;
  const text = `last request ${ago(last, now)}`;
  if (recent >= MONITOR.times) return done(text);
  return open(`${text}; ${recent} of ${MONITOR.times} were seen: wait for the next`);
});

export const alerts: Check = ({ settings: { sinks: configured }, status, timeline, now }) =>
  given(timeline, ({ events }) => {
    const used = typeof status === "string" ? configured : status.alertSinks;
    const sinks = used.filter((sink) => sink !== "log");
    if (sinks.length === 0)
      return open("alerts go to the log alone: set DROVER_ALERT_WEBHOOK or DROVER_ALERT_COMMAND");
    const tests = events.filter(({ what }) => what === "delivered");
    const findings = sinks.map((sink) => {
      const last = tests.findLast((test) => test.with?.["sink"] === sink);
      if (last === undefined) return open(`no test was sent to the ${sink}`);
      const at = timeOf(last);
      if (last.with?.["result"] !== "ok")
        return failed(`the ${sink} did not accept the test (${last.text})`, at);
      const text = `the ${sink} accepted a test ${ago(at, now)}`;
      return elapsed(at, now) > PROVEN_FOR ? open(`${text}: send another`, at) : done(text, at);
    });
    const worst = findings.toSorted((a, b) => RANK[a.state] - RANK[b.state])[0] as Finding;
    if (worst.state !== "done") return worst;
    const oldest = Math.min(...findings.map(({ at }) => at ?? now)) as Timestamp;
    return done(findings.map(({ why }) => why).join("; "), oldest);
  });
const RANK = { failed: 0, open: 1, skipped: 2, done: 3 };

export const quota = running(({ upstream, at }, { settings: { quotaLimit } }) => {
  if (upstream === null) return skipped("this service uses no spreadsheet");
  const { state, message, quota: reads, writes } = upstream;
  if (state === "never") return open("Google was not asked yet");
  if (state !== "ok") return failed(`Google: ${state}${message === "" ? "" : ` (${message})`}`);
  const pools = [
    { name: "reads", ...reads },
    ...(writes === undefined ? [] : [{ name: "writes", ...writes.quota }]),
  ];
  const text = `this minute: ${pools.map(({ name, used, limit }) => `${used} of ${limit} ${name}`).join(", ")}`;
  if (pools.some(({ lockedUntil }) => lockedUntil > at))
    return failed(`Google refuses calls for the quota; ${text}`);
  if (pools.some(({ used, limit }) => used * 100 >= limit * quotaLimit))
    return failed(`${text}, above ${quotaLimit} % (DROVER_ALERT_QUOTA)`);
  return done(text);
});

export const cache = running(({ upstream, cacheTtl, counters: { hits, stale, misses } }) => {
  if (upstream === null) return skipped("this service uses no spreadsheet");
  if (cacheTtl <= 0) return failed("DROVER_CACHE_TTL is 0: every read asks Google");
  const [cached, all] = [hits + stale, hits + stale + misses];
  if (cached === 0) return open(`no read was served from memory yet (${counted(all, "read")})`);
  const share = Math.round((100 * cached) / all);
  return done(`TTL ${span(cacheTtl)}; ${share} % of ${counted(all, "read")} came from memory`);
});

export const backup: Check = ({ records, now }) =>
  given(records, (all) => {
    const last = all.findLast((one) => one.kind === "backup");
    if (last === undefined) return open("no backup was made");
    const at = timeOf(last);
    const text = `${last.file}, ${last.bytes} bytes, ${ago(at, now)}`;
    return elapsed(at, now) > BACKUP_FOR ? open(`${text}: make another`, at) : done(text, at);
  });

export const certificate: Check = ({ settings: { certificateEnds: ends, problem }, now }) => {
  if (problem !== undefined) return open("can't be seen: the settings are wrong");
  if (ends === undefined)
    return skipped("drover serves no TLS itself; look at the proxy's certificate");
  const days = Math.floor(elapsed(now, ends) / DAY);
  if (days < 0) return failed("it has expired");
  if (days >= CERTIFICATE_DAYS) return done(`${days} days are left`);
  return open(`${counted(days, "day")} are left: renew it, then drover reload`);
};

export const disk: Check = ({ disks, settings: { diskLimit } }) =>
  given(disks, (all) => {
    const text = all.map(({ path, used }) => `${path} ${Math.round(used)} % full`).join(", ");
    if (all.some(({ used }) => used >= diskLimit)) return failed(`${text} (limit ${diskLimit} %)`);
    return done(text);
  });
