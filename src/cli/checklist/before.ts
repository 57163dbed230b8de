/** The checks that drover makes before the launch. Pure. */
import { capacityOf } from "../../base/slots.ts";
import { elapsed, minutes, ms, type Timestamp } from "../../base/units.ts";
import type { Status } from "../snapshot.ts";
import { lastRollText } from "../status.ts";
import { span } from "../terminal/figures.ts";
import type { Facts, PageFacts } from "./facts.ts";
import { ago, counted, done, failed, given, open, skipped, timeOf, type Finding } from "./finding.ts";
import type { Entry } from "./records.ts";

const HOUR = minutes(60);
const DAY = ms(24 * HOUR);
/** What was proven longer ago has to be proven again. */
export const PROVEN_FOR = ms(14 * DAY);
const BACKUP_FOR = DAY;
const CERTIFICATE_FOR = 14;
const LEAST_USERS = 10;
/** A monitor asks every 5 minutes: with two misses it is still there. */
const MONITOR_WITHIN = minutes(15);
const MONITOR_TIMES = 3;

type DrillEntry = Extract<Entry, { kind: "drill" }>;
type LoadEntry = Extract<Entry, { kind: "load" }>;

export function settings({ settings: { problem, warnings } }: Facts): Finding {
  if (problem !== undefined) return failed(problem);
  return warnings.length === 0
    ? done("as drover check finds them")
    : open(`${counted(warnings.length, "warning")}: ${warnings.join("; ")}`);
}

export const service = ({ status }: Facts): Finding =>
  given(status, (now) => {
    const { workers, health } = now;
    const roll = lastRollText(now);
    if (roll !== undefined) return failed(roll);
    if (health.status !== "ok" || workers.ready < workers.target)
      return failed(`${health.status}: ${workers.ready} of ${workers.target} workers are ready, the broker is ${health.broker}`);
    return done(`${workers.ready} of ${workers.target} workers are ready`);
  });

/** What was recorded is no proof for another version, nor for long. */
function proven(facts: Facts, entry: DrillEntry | LoadEntry | undefined, passed: boolean, text: string): Finding {
  if (entry === undefined) return open(text);
  const at = timeOf(entry);
  const when = ago(at, facts.now);
  if (!passed) return failed(`${text}, ${when}`, at);
  if (entry.version !== facts.version) return open(`${text}, but with drover ${entry.version}; this is ${facts.version}`, at);
  return elapsed(at, facts.now) > PROVEN_FOR ? open(`${text}, but ${when}: prove it again`, at) : done(`${text}, ${when}`, at);
}

export const drilled =
  (name: string) =>
  (facts: Facts): Finding =>
    given(facts.records, (records) => {
      const last = records.filter((one): one is DrillEntry => one.kind === "drill").findLast((one) => one.name === name);
      if (last === undefined) return open(`drill ${name} was not run here`);
      const isPassed = last.verdict === "pass";
      return proven(facts, last, isPassed, `drill ${name} ${isPassed ? "passed" : `failed (${last.why})`}`);
    });

/** @param accepted of the newest run of these. */
const loaded =
  (accepted: (run: LoadEntry) => boolean, none: string) =>
  (facts: Facts): Finding =>
    given(facts.records, (records) => {
      const last = records.filter((one): one is LoadEntry => one.kind === "load").findLast(accepted);
      if (last === undefined) return open(none);
      const who = last.users === 0 ? "a run at a rate" : counted(last.users, "user");
      return proven(facts, last, last.verdict === "PASS", `${last.verdict} with ${who} on ${last.target}`);
    });

export const tenUsers = loaded(({ users }) => users >= LEAST_USERS, `no load run with ${LEAST_USERS} users was recorded here`);
export const loadTest = loaded(() => true, "no load run was recorded here");

export const page = (facts: Facts): Finding => given(facts.status, (status) => given(facts.page, (found) => pageOf(status, found)));

function pageOf({ slots }: Status, { url, page: code, health, shown }: PageFacts): Finding {
  if (code !== 200) return failed(`${url}/ answers ${code} (expected 200)`);
  if (slots === null && health === 404)
    return done(`${url}/ answers 200; an application of your own has that path, and its health is its own`);
  if (health !== 200) return failed(`${url}/api/admin/health answers ${health} (expected 200)`);
  if (slots === null) return done(`${url}/ and its health answer 200; no sessions are counted`);
  const { percentUsed } = capacityOf(slots);
  const text = `${slots.used} of ${slots.max} slots are taken (${percentUsed.toFixed(1)} %)`;
  return shown === percentUsed ? done(`${url}: ${text}`) : failed(`${url} shows ${shown ?? "no"} %, but ${text}`);
}

/** The newest last: of the running daemon, and of the intervals on disk. */
function sightingsOf({ status, told, now }: Facts): Timestamp[] {
  const live = status.is === "seen" ? status.value.monitorSeen : [];
  const kept = told.is === "seen" ? told.value.peaks.filter(({ monitor }) => monitor > 0).map(timeOf) : [];
  return [...live, ...kept].filter((at) => elapsed(at, now) < DAY).toSorted((a, b) => a - b);
}

export function monitor(facts: Facts): Finding {
  const times = sightingsOf(facts);
  const last = times.at(-1);
  const recent = times.filter((at) => elapsed(at, facts.now) < HOUR).length;
  if (last === undefined)
    return facts.status.is === "seen" ? open("no external monitor has asked in the last 24 hours") : given(facts.status, () => open(""));
  if (elapsed(last, facts.now) > MONITOR_WITHIN)
    return failed(`no external monitor asks any more: the last request came ${ago(last, facts.now)}`);
  const text = `last request ${ago(last, facts.now)}`;
  return recent >= MONITOR_TIMES ? done(text) : open(`${text}; ${recent} of ${MONITOR_TIMES} were seen: wait for the next`);
}

export function alerts({ settings: own, status, told, now }: Facts): Finding {
  const sinks = status.is === "seen" ? status.value.alertSinks.filter((sink) => sink !== "log") : own.sinks;
  if (sinks.length === 0) return open("alerts go to the log alone: set DROVER_ALERT_WEBHOOK or DROVER_ALERT_COMMAND");
  if (status.is === "unseen" && told.is === "unseen") return given(told, () => open(""));
  const live = status.is === "seen" ? status.value.alertTests.map(({ sink, at, result, why }) => ({ sink, at, result, why })) : [];
  const kept = (told.is === "seen" ? told.value.events : [])
    .filter(({ what }) => what === "delivered")
    .map((event) => ({ sink: event.with?.["sink"], at: timeOf(event), result: event.with?.["result"], why: event.text }));
  const tests = [...kept, ...live].toSorted((a, b) => a.at - b.at);
  const lines = sinks.map((sink): Finding => {
    const last = tests.findLast((test) => test.sink === sink);
    if (last === undefined) return open(`no test was sent to the ${sink}`);
    if (last.result !== "ok") return failed(`the ${sink} did not take the test (${last.why})`, last.at);
    const text = `the ${sink} took a test ${ago(last.at, now)}`;
    return elapsed(last.at, now) > PROVEN_FOR ? open(`${text}: send another`, last.at) : done(text, last.at);
  });
  const worst = lines.find(({ is }) => is === "failed") ?? lines.find(({ is }) => is === "open");
  return worst ?? done(lines.map(({ why }) => why).join("; "), Math.min(...lines.map(({ at }) => at ?? now)) as Timestamp);
}

export const quota = ({ status, settings: { quotaLimit } }: Facts): Finding =>
  given(status, ({ upstream, at }) => {
    if (upstream === null) return skipped("this service uses no spreadsheet");
    if (upstream.state === "never") return open("Google was not asked yet");
    if (upstream.state !== "ok") return failed(`Google: ${upstream.state}${upstream.message === "" ? "" : ` (${upstream.message})`}`);
    const pools = [
      ["reads", upstream.quota] as const,
      ...(upstream.writes === undefined ? [] : [["writes", upstream.writes.quota] as const]),
    ];
    const text = pools.map(([name, { used, limit }]) => `${used} of ${limit} ${name}`).join(", ");
    if (pools.some(([, { lockedUntil }]) => lockedUntil > at)) return failed(`Google refuses calls for the quota; this minute: ${text}`);
    const isNear = pools.some(([, { used, limit }]) => used * 100 >= limit * quotaLimit);
    return isNear ? failed(`this minute: ${text}, above ${quotaLimit} % (DROVER_ALERT_QUOTA)`) : done(`this minute: ${text}`);
  });

export const cache = ({ status }: Facts): Finding =>
  given(status, ({ upstream, cacheTtl, counters: { hits, stale, misses } }) => {
    if (upstream === null) return skipped("this service uses no spreadsheet");
    if (cacheTtl <= 0) return failed("DROVER_CACHE_TTL is 0: every read asks Google");
    const [cached, all] = [hits + stale, hits + stale + misses];
    return cached === 0
      ? open(`no read was served from memory yet (${counted(all, "read")})`)
      : done(`TTL ${span(cacheTtl)}; ${Math.round((100 * cached) / all)} % of ${counted(all, "read")} came from memory`);
  });

export const backup = ({ records, now }: Facts): Finding =>
  given(records, (all) => {
    const last = all.filter((one): one is Extract<Entry, { kind: "backup" }> => one.kind === "backup").at(-1);
    if (last === undefined) return open("no backup was made");
    const text = `${last.file}, ${last.bytes} bytes, ${ago(timeOf(last), now)}`;
    return elapsed(timeOf(last), now) > BACKUP_FOR ? open(`${text}: make another`, timeOf(last)) : done(text, timeOf(last));
  });

export function certificate({ settings: { certificateEnds: ends, problem }, now }: Facts): Finding {
  if (problem !== undefined) return open("can't be seen: the settings are wrong");
  if (ends === undefined) return skipped("drover serves no TLS itself; look at the proxy's certificate");
  const days = Math.floor(elapsed(now, ends) / DAY);
  if (days < 0) return failed("it has expired");
  return days < CERTIFICATE_FOR ? open(`${counted(days, "day")} are left: renew it, then drover reload`) : done(`${days} days are left`);
}

export const disk = ({ disks, settings: { diskLimit } }: Facts): Finding =>
  given(disks, (all) => {
    const text = all.map(({ path, used }) => `${path} ${Math.round(used)} % full`).join(", ");
    return all.some(({ used }) => used >= diskLimit) ? failed(`${text} (limit ${diskLimit} %)`) : done(text);
  });
