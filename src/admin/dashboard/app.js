/** The dashboard: logs in, asks every few seconds, shows what has changed, and passes on what the operator wants. */
import * as api from "./api.js";
import { showAside } from "./aside.js";
import { $, attribute, show, text } from "./patch.js";
import { showAlerts, showStats, showTimeline } from "./view.js";
import { fillWords, named, span, switchLanguage, t } from "./words.js";
import { headings, showWorkers } from "./workers.js";

const KEPT_LINES = 120;
const KEPT_OF_WORKER = 60;
const MOST_EVENTS = 100;

const state = {
  stats: undefined,
  lines: { slots: [], rps: [], p95: [], errorRate: [], connections: [], cpu: [] },
  /** By place: rps, elu, rss. */
  workers: new Map(),
  events: [],
  answeredAt: 0,
  paused: false,
  timer: undefined,
  asking: false,
};

const push = (values, value, most) => {
  values.push(value);
  if (values.length > most) values.shift();
};
const say = (words) => text($("polite"), words);

async function begin() {
  fillWords();
  theme();
  headings(() => state.stats !== undefined && showWorkers(state.stats, state.workers, act));
  text($("language"), t("other"));
  listen();
  window.addEventListener("hashchange", () => location.hash.startsWith("#ticket=") && void logIn());
  await logIn();
}

/** By the link in the address if there is one, else by the session. A link may come while the page is shown: then only its hash changes. */
async function logIn() {
  const ticket = /^#ticket=([\w-]{20,128})$/.exec(location.hash)?.[1];
  if (ticket !== undefined) {
    window.history.replaceState(null, "", location.pathname + location.search); // a key has no business in the history
    const { role } = await api.login({ ticket });
    if (role !== undefined) return enter(role);
  }
  const role = await api.session();
  if (role !== undefined) return enter(role);
  leave(ticket === undefined ? "" : t("wrongToken"));
}

async function enter(role) {
  document.body.dataset.role = role;
  for (const id of ["every-label", "pause", "logout"]) show($(id), true);
  const { status, body } = await api.history();
  if (status === 200) {
    const { slots, rps, p95, errorRate, connections, cpu, workers } = body.lines;
    state.lines = { slots, rps, p95, errorRate, connections, cpu };
    state.workers = new Map(workers.map(({ slot, elu, rps: each, rss }) => [`worker/${slot}`, { elu, rps: each, rss }]));
    state.events = body.events;
  }
  show($("login"), false);
  await refresh();
}

function leave(why = "") {
  clearTimeout(state.timer);
  state.timer = undefined;
  for (const id of ["board", "badge", "every-label", "pause", "logout", "stale"]) show($(id), false);
  show($("login"), true);
  text($("login-error"), why);
  $("token").focus();
}

async function refresh() {
  clearTimeout(state.timer);
  if (state.asking) return;
  state.asking = true;
  const { status, body } = await api.stats(state.events.at(-1)?.nr ?? 0);
  state.asking = false;
  if (status === 401) return leave();
  if (status === 200) take(body);
  else stale();
  plan();
}

function plan() {
  clearTimeout(state.timer);
  if (state.paused || document.hidden || !$("login").hidden) return;
  state.timer = setTimeout(() => void refresh(), Number($("every").value) * 1_000);
}

function take(stats) {
  const before = state.stats;
  const seconds = before === undefined ? 0 : (Date.parse(stats.at) - Date.parse(before.at)) / 1_000;
  state.stats = stats;
  state.answeredAt = performance.now();
  if (before?.pid !== stats.pid) state.events = before === undefined ? state.events : [];
  state.events = [...state.events, ...stats.events.filter(({ nr }) => nr > (state.events.at(-1)?.nr ?? 0))].slice(-MOST_EVENTS);
  if (seconds > 0) grow(before, stats, seconds);
  show($("stale"), false);
  show($("board"), true);
  showStats(stats, state.lines);
  showAlerts(stats.alerts, (name) => order("alerts/ack", { name }));
  showWorkers(stats, state.workers, act);
  showTimeline(state.events);
  void showAside(stats.writes, dealWith);
  announce(before, stats);
}

/** The lines go on by what this answer adds to the one before. */
function grow(before, { capacity, requests, connections, machine, places }, seconds) {
  const { lines, workers } = state;
  push(lines.slots, capacity.current, KEPT_LINES);
  push(lines.rps, requests.per_second, KEPT_LINES);
  push(lines.p95, requests.p95_ms, KEPT_LINES);
  push(lines.errorRate, requests.error_rate, KEPT_LINES);
  push(lines.connections, connections, KEPT_LINES);
  push(lines.cpu, machine?.cpu ?? null, KEPT_LINES);
  const earlier = new Map(before.places.map((place) => [place.id, place]));
  for (const { id, pid, served, elu, rss } of places) {
    const of = workers.get(id) ?? { elu: [], rps: [], rss: [] };
    workers.set(id, of);
    const last = earlier.get(id);
    const rate = last?.pid === pid && served !== null ? Math.max(0, (served - last.served) / seconds) : 0;
    push(of.rps, Math.round(rate * 10) / 10, KEPT_OF_WORKER);
    push(of.elu, elu, KEPT_OF_WORKER);
    push(of.rss, rss === null ? null : Math.round(rss / 1_048_576), KEPT_OF_WORKER);
  }
}

/** A screen reader hears of changes, not of every tick; of a full house at once. */
function announce(before, { capacity: { status } }) {
  if (before === undefined || before.capacity.status === status) return;
  const words = t("becomes", named("status", status));
  if (status === "FULL") text($("assertive"), words);
  else say(words);
}

function stale() {
  const since = state.answeredAt === 0 ? 0 : (performance.now() - state.answeredAt) / 1_000;
  text($("stale"), t("stale", span(since)));
  show($("stale"), true);
}

/** @returns whether it was done. */
async function order(name, body) {
  const { status, body: answer } = await api.order(name, body);
  if (status === 401) leave();
  const done = status === 200;
  say(done ? answer.message : t("failed", answer.detail));
  if (!done && status !== 401) await ask({ title: t("failed", ""), words: answer.detail ?? "", only: true });
  await refresh();
  return done;
}

let answered = Promise.resolve(false);

/** One question at a time: the event that closes the one before comes a moment after it has closed. @returns whether the operator said yes. */
const ask = (question) => (answered = answered.then(() => open(question)));

function open({ title, words = "", pre, only = false }) {
  const dialog = $("dialog");
  text($("dialog-title"), title);
  text($("dialog-text"), words);
  show($("dialog-pre"), pre !== undefined);
  text($("dialog-pre"), pre ?? "");
  show($("dialog-no"), !only);
  text($("dialog-yes"), only ? t("close") : t("ok"));
  dialog.returnValue = "no";
  dialog.showModal();
  $("dialog-yes").focus();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

async function act(what, slot) {
  if (what === "recycle") return (await ask({ title: t("recycle"), words: t("askRecycle", slot) })) && order("recycle", { slot });
  const { status, body } = await api.order("stack", { slot });
  if (status === 401) return leave();
  await ask({ title: t("stackOf", slot), pre: status === 200 ? body.message : body.detail, only: true });
}

/** @param id of a write that was set aside; undefined: all of them. */
async function dealWith(what, id) {
  const [title, words] = id === undefined ? [`${what}All`, `ask${what}All`] : [what, `ask${what}`];
  if (await ask({ title: t(title), words: t(words) })) await order(`writes/${what}`, id === undefined ? { all: true } : { ids: [id] });
}

async function scale(by) {
  const to = (state.stats?.workers.target ?? 1) + by;
  if (to < 1 || to > (state.stats?.workers.most ?? 1)) return;
  if (by > 0 || (await ask({ title: t("oneFewer"), words: t("askScale", to) }))) await order("scale", { to });
}

async function schedule(what, title, words) {
  if (await ask({ title: t(title), words: t(words) })) await order("slots/schedule", { do: what });
}

async function limits(event) {
  event.preventDefault();
  const field = $("max-slots");
  const max = Number(field.value);
  if (await ask({ title: t("places"), words: t("askLimits", max, state.stats?.capacity.current ?? 0) }))
    await order("limits", { max_slots: max });
  delete field.dataset.touched;
  if (state.stats !== undefined) showStats(state.stats, state.lines);
}

function listen() {
  const on = (id, what, then) => $(id).addEventListener(what, then);
  on("login-form", "submit", async (event) => {
    event.preventDefault();
    const { role, status } = await api.login({ token: $("token").value.trim() });
    $("token").value = "";
    if (role !== undefined) {
      text($("login-error"), "");
      await enter(role);
      return $("main").focus();
    }
    text($("login-error"), status === 429 ? t("tooMany") : status === 0 ? t("failed", "…") : t("wrongToken"));
  });
  on("logout", "click", async () => (await api.logout(), leave()));
  on("language", "click", switchLanguage);
  on("theme", "click", () => theme(true));
  on("every", "change", () => refresh());
  on("pause", "click", () => {
    state.paused = !state.paused;
    attribute($("pause"), "aria-pressed", String(state.paused));
    text($("pause"), t(state.paused ? "resume" : "pause"));
    say(t(state.paused ? "paused" : "going"));
    if (state.paused) clearTimeout(state.timer);
    else void refresh();
  });
  on("reload", "click", async () => (await ask({ title: t("reload"), words: t("askReload") })) && order("reload", {}));
  on("more", "click", () => scale(1));
  on("fewer", "click", () => scale(-1));
  on("limits", "submit", limits);
  on("max-slots", "input", () => ($("max-slots").dataset.touched = "yes"));
  on("schedule-hold", "click", () => schedule("hold", "scheduleHold", "askHold"));
  on("schedule-resume", "click", () => schedule("resume", "scheduleResume", "askResume"));
  on("reap", "click", () => order("slots/reap", {}));
  on("retry-all", "click", () => dealWith("retry"));
  on("discard-all", "click", () => dealWith("discard"));
  on("purge", "click", () => order("cache/purge", {}));
  document.addEventListener("visibilitychange", () => {
    clearTimeout(state.timer);
    if (!document.hidden && !state.paused && $("login").hidden) void refresh();
  });
}

const THEMES = ["auto", "light", "dark"];

function theme(next = false) {
  const kept = localStorage.getItem("drover-theme") ?? "auto";
  const chosen = next ? THEMES[(THEMES.indexOf(kept) + 1) % THEMES.length] : THEMES.includes(kept) ? kept : "auto";
  localStorage.setItem("drover-theme", chosen);
  document.documentElement.dataset.theme = chosen;
  text($("theme"), { auto: "◐", light: "○", dark: "●" }[chosen]);
  attribute($("theme"), "aria-label", t({ auto: "themeAuto", light: "themeLight", dark: "themeDark" }[chosen]));
  attribute($("theme"), "title", t({ auto: "themeAuto", light: "themeLight", dark: "themeDark" }[chosen]));
}

await begin();
