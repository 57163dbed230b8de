/** All but the processes: from the last answer onto the page. */
import { gauge, spark } from "./draw.js";
import { $, attribute, element, list, show, text } from "./patch.js";
import { has, millis, named, number, percent, span, spoken, t, time } from "./words.js";
import { stateOf } from "./workers.js";

const LEVELS = { LOW: "", HEALTHY: "", WARNING: "warning", FULL: "critical" };
const SHAPES = { "": "●", warning: "▲", critical: "■" };

export function showStats(stats, lines) {
  showBadge(stats);
  showTiles(stats, lines);
  showCapacity(stats);
  showDays(stats);
  showRoll(stats);
  showCache(stats);
  showWrites(stats);
  showClasses(stats);
}

function showBadge({ capacity, state, status, version, pid, uptime_s: up, demo, workers, places }) {
  // A full house first: that is what people outside meet.
  const full = capacity.status === "FULL";
  const unsound = state !== "running" ? state : status === "degraded" ? status : undefined;
  const level = full ? "critical" : unsound === undefined || unsound === "reloading" ? LEVELS[capacity.status] : "warning";
  const word = [
    ...(full || unsound === undefined ? [named("status", capacity.status)] : []),
    ...(unsound === undefined ? [] : [named("state", unsound)]),
  ].join(" · ");
  show($("badge"), true);
  attribute($("badge"), "class", `badge ${level}`);
  text($("badge").firstElementChild, SHAPES[level]);
  text($("badge-text"), `${word} ${capacity.current}/${capacity.max}`);
  text($("version"), [version, t("up", span(up)), `pid ${pid}`, ...(demo ? [t("demo")] : [])].join(" · "));
  document.title = `${level === "" ? "" : `${SHAPES[level]} `}${capacity.current}/${capacity.max} · drover`;
  const silent = places.filter((place) => place.role === "worker" && stateOf(place) === "silent").length;
  text($("workers-count"), [t("readyOf", workers.ready, workers.target), ...(silent === 0 ? [] : [t("silentOf", silent)])].join(", "));
}

function tile(id, figure, under, values, shown) {
  const [name, main, more, host] = $(id).children;
  text(main, figure);
  text(more, under);
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return;
  const range = t("sparkOf", name.textContent, shown(Math.min(...known)), shown(Math.max(...known)), shown(known.at(-1)));
  spark(host, values, range);
}

function showTiles({ capacity, requests, connections, machine, places }, lines) {
  const inFlight = places.reduce((sum, { role, in_flight: n }) => sum + (role === "worker" ? (n ?? 0) : 0), 0);
  tile("tile-users", number(capacity.current), t("placesOf", number(capacity.max)), lines.slots, number);
  tile("tile-rps", number(requests.per_second), t("inAll", number(requests.total)), lines.rps, number);
  tile("tile-p95", millis(requests.p95_ms), t("p50", millis(requests.p50_ms)), lines.p95, millis);
  const failed = t("errorsUnder", number(requests.errors), number(requests.refused));
  tile("tile-errors", percent(requests.error_rate), failed, lines.errorRate, percent);
  tile("tile-connections", number(connections), t("inFlightUnder", number(inFlight)), lines.connections, number);
  tile("tile-machine", percent(machine?.cpu), t("memoryUnder", percent(machine?.ram)), lines.cpu, percent);
}

function showCapacity({ capacity: c, limited_by: by, advice }) {
  const { current, max, available_slots: free, percent_used: used, status } = c;
  const sentence =
    free < 0
      ? t("overBy", number(current), number(max), number(-free))
      : t("usedOf", number(current), number(max), number(used), number(free));
  gauge($("gauge"), current, max, LEVELS[status] ?? "");
  attribute($("gauge"), "aria-valuenow", String(Math.min(current, max)));
  attribute($("gauge"), "aria-valuemax", String(max));
  attribute($("gauge"), "aria-valuetext", `${sentence}; ${named("status", status)}`);
  text($("capacity-text"), `${sentence} · ${named("status", status)}`);
  text($("limited"), by === null ? t("nothing") : named("by", by));
  text($("eta"), c.eta_full_s === null ? t("never") : c.eta_full_s === 0 ? t("already") : span(c.eta_full_s));
  text($("above80"), span(c.time_above_80pct["1d"]));
  show($("closed"), c.status !== "FULL" && !c.can_accept_new && ["cpu", "memory", "latency"].includes(by));
  showAdvice($("advice"), advice);
  if (document.activeElement !== $("max-slots") && !$("max-slots").dataset.touched) $("max-slots").value = String(max);
}

function showAdvice(node, advice) {
  const [reason, step] = [spoken(advice.said?.reason, advice.reason), spoken(advice.said?.step, advice.step)];
  text(node, `${reason.words} → ${step.words}`);
  attribute(node, "lang", reason.lang === step.lang ? reason.lang : "en");
}

/** The launch schedule, and advice from the last days. */
function showDays({ schedule, usage: { regular } }) {
  show($("regular"), regular !== null);
  if (regular !== null) showAdvice($("regular"), regular);
  show($("schedule"), schedule !== null);
  if (schedule === null) return;
  const { words, lang } = spoken(schedule.said, schedule.text);
  text($("schedule-text"), words);
  attribute($("schedule-text"), "lang", lang);
  const isStopped = schedule.state === "held" || schedule.state === "fixed";
  show($("schedule-hold"), !isStopped && schedule.state !== "complete");
  show($("schedule-resume"), isStopped);
}

function showRoll({ roll, refused_reload: refused, last_roll: last }) {
  const rolledBack = roll === null && last?.is === "rolledBack" ? `${t("what.rolled-back")}: ${last.why}` : undefined;
  const words =
    roll !== null
      ? t("rolling", roll.generation, roll.left, roll.total)
      : refused !== null
        ? `${t("what.refused-reload")}: ${refused}`
        : rolledBack;
  show($("roll"), words !== undefined);
  attribute($("roll"), "class", roll === null ? "notice warn" : "notice");
  text($("roll"), words ?? "");
}

const MOST_TABLES = 12;

function showCache({ cache, upstream }) {
  const cached = cache.hits + cache.stale;
  const asked = cached + cache.misses;
  text($("hit"), asked === 0 ? "–" : percent(cached / asked));
  text($("stale-reads"), number(cache.stale));
  text($("google"), upstream === null ? t("notInUse") : named("google", upstream.state));
  attribute($("google"), "class", upstream === null || upstream.state === "ok" || upstream.state === "never" ? "" : "bad");
  attribute($("google"), "title", upstream === null || upstream.message === "" ? null : upstream.message);
  text($("read-quota"), upstream === null ? "–" : `${upstream.quota.used} / ${upstream.quota.limit}`);
  show($("purge"), upstream !== null);
  list($("tables").tBodies[0], (upstream?.tables ?? []).slice(0, MOST_TABLES), {
    key: ({ name }) => name,
    make() {
      const name = element("th");
      name.scope = "row";
      return element("tr", {
        children: [name, element("td", { className: "number" }), element("td", { className: "number" }), element("td")],
      });
    },
    fill({ cells }, { name, rows, age_s: age, warnings, failure }) {
      text(cells[0], name);
      text(cells[1], number(rows));
      text(cells[2], span(age));
      const wrong = failure !== undefined || warnings > 0;
      text(cells[3], wrong ? "▲" : "●");
      const words = failure ?? (warnings > 0 ? t("warnings", warnings) : "ok");
      attribute(cells[3], "title", words);
      attribute(cells[3], "aria-label", words);
      attribute(cells[3], "class", wrong ? "bad" : "");
    },
  });
}

function showWrites({ writes: w }) {
  show($("writes"), w !== null);
  show($("no-writes"), w === null);
  if (w === null) return;
  text($("w-waiting"), number(w.waiting));
  text($("w-oldest"), w.waiting === 0 ? "–" : span(w.oldest / 1_000));
  text($("w-time"), `${millis(w.timeToSheet.p50)}, ${millis(w.timeToSheet.p99)}`);
  text($("w-quota"), `${w.quota.used} / ${w.quota.limit}`);
  text($("w-landed"), number(w.landed));
  const aside = w.setAside ?? w.parked;
  text($("w-parked"), number(aside));
  attribute($("w-parked"), "class", aside > 0 ? "bad" : "");
  text($("w-delivery"), named("delivery", w.delivery));
}

function showClasses({ classes }) {
  list($("classes").tBodies[0], Object.entries(classes), {
    key: ([kind]) => kind,
    make() {
      const name = element("th");
      name.scope = "row";
      return element("tr", { children: [name, ...[0, 1, 2].map(() => element("td", { className: "number" }))] });
    },
    fill({ cells }, [kind, { in_flight: now, answered, refused }]) {
      text(cells[0], named("class", kind));
      [now, answered, refused].forEach((figure, i) => text(cells[i + 1], number(figure)));
    },
  });
}

/** @param acknowledge called with an alert's name. */
export function showAlerts(alerts, acknowledge) {
  show($("no-alerts"), alerts.length === 0);
  list($("alerts"), alerts, {
    key: ({ name }) => name,
    make({ name }) {
      const button = element("button", { className: "small operator", content: t("acknowledge") });
      button.type = "button";
      button.addEventListener("click", () => acknowledge(name));
      return element("li", { children: [element("time"), element("span", { className: "word" }), element("span"), button] });
    },
    fill(node, { name, level, text: english, said, since, acknowledged }) {
      const { words, lang } = spoken(said, english);
      attribute(node.children[2], "lang", lang); // what can't be said in the reader's language is as the daemon says it
      attribute(node, "class", level);
      text(node.children[0], time(since));
      text(node.children[1], `${level === "warning" ? "▲" : "■"} ${named("level", level)} · ${named("alert", name)}`);
      text(node.children[2], `${words}${acknowledged ? ` (${t("acknowledged")})` : ""}`);
      show(node.children[3], !acknowledged);
    },
  });
}

/** The newest first. */
export function showTimeline(events) {
  list($("timeline"), events.toReversed(), {
    key: ({ nr }) => nr,
    make: () => element("li", { children: [element("time"), element("span", { className: "word" }), element("span")] }),
    fill(node, { at, what, level, text: words, with: facts }) {
      attribute(node, "class", level);
      attribute(node.children[0], "datetime", at);
      text(node.children[0], time(at));
      text(node.children[1], named("what", what));
      text(node.children[2], sentence(what, facts, words));
    },
  });
}

/** In the reader's language where the page has a sentence for it, else as the daemon says it. */
const sentence = (what, facts, words) => (facts === undefined || !has(`did.${what}`) ? words : t(`did.${what}`, facts));
