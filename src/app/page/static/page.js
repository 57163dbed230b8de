// The page's only script. Everything that comes from the spreadsheet is set as text, never as markup.
import { offerWriting } from "./write.js";

const REFRESH = 5_000; // ms between two refreshes
const LONGEST_WAIT = 60_000; // ms between two attempts when they fail
const LOADED = 1_000; // rows asked for: the API's own limit
const FIRST = 12; // rows shown at first
const STEP = 50; // and so many more with each press

const at = (id) => document.getElementById(id);
const say = (text, values) => text.replaceAll(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
const plain = new Intl.NumberFormat(document.documentElement.lang, { useGrouping: false, maximumFractionDigits: 12 });
const number = new Intl.NumberFormat(document.documentElement.lang);
const times = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium" });
const dates = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
/** The time alone for what is of today. */
const moment = (at) => (at.toDateString() === new Date().toDateString() ? times : dates).format(at);

const state = {
  table: undefined,
  columns: [],
  key: undefined,
  sort: undefined,
  shown: FIRST,
  paused: false,
  failures: 0,
  etag: undefined,
  answer: undefined,
  cells: new Map(),
};
let all = []; // tables
let timer;
let asking; // AbortController of the request under way

/** @returns the answer's JSON with its headers. @throws Error with a sentence of the problem, and `wait` in seconds. */
async function ask(path, options = {}) {
  const headers = { accept: "application/json", ...options.headers };
  const response = await fetch(path, { ...options, cache: "no-cache", headers }).catch((error) => {
    throw error instanceof TypeError ? new Error(at("health").dataset.down) : error; // the browser's own words are in its own language
  });
  const body = await response.json().catch(() => undefined);
  if (response.ok) return { body, response };
  throw Object.assign(new Error(body?.detail ?? `HTTP ${response.status}`), {
    status: response.status,
    wait: Number(response.headers.get("retry-after")) || undefined,
  });
}

async function health() {
  const shown = at("health");
  let status = "down";
  try {
    status = (await ask("/healthz")).body.status;
  } catch (error) {
    if (error.status === 503) status = "stopping";
  }
  if (shown.dataset.state === status) return;
  shown.dataset.state = status;
  at("health-text").textContent = shown.dataset[status] ?? status;
}

/** The tables that can be read, as the API itself describes them. */
function tables(body) {
  return Object.entries(body.paths).flatMap(([path, { get }]) => {
    const name = /^\/api\/tables\/([^/{]+)$/.exec(path)?.[1];
    if (name === undefined || get === undefined) return [];
    // `required` keeps the sheet's order, which an object loses for names like 2026.
    return [{ name, columns: body.components.schemas[`row.${name}`].required ?? [] }];
  });
}

function choose(table) {
  Object.assign(state, {
    table: table.name,
    columns: table.columns,
    sort: undefined,
    shown: FIRST,
    etag: undefined,
    answer: undefined,
    cells: new Map(),
  });
  at("caption").textContent = say(at("caption").dataset.text, { table: table.name });
  for (const place of document.querySelectorAll(".table-name")) place.textContent = table.name;
  at("link-table").href = `/api/tables/${encodeURIComponent(table.name)}?limit=3`;
  header();
  at("body").replaceChildren();
  void refresh();
}

/** One button a column; focus survives because buttons are made again only when the columns change. */
function header() {
  at("head").replaceChildren(
    ...state.columns.map((name) => {
      const cell = document.createElement("th");
      cell.scope = "col";
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.addEventListener("click", () => sortBy(name));
      cell.append(button);
      return cell;
    }),
  );
  markSort();
}

function markSort() {
  for (const [i, cell] of [...at("head").children].entries()) {
    if (state.sort?.column === state.columns[i]) cell.setAttribute("aria-sort", state.sort.down ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
  }
}

/** Upwards, downwards, the sheet's own order. */
function sortBy(column) {
  const { sort } = state;
  state.sort = sort?.column !== column ? { column, down: false } : sort.down ? undefined : { column, down: true };
  markSort();
  const texts = at("live").dataset;
  at("live").textContent = say(state.sort === undefined ? texts.unsorted : state.sort.down ? texts.sortedDown : texts.sortedUp, { column });
  state.shown = FIRST;
  void refresh();
}

async function refresh() {
  clearTimeout(timer);
  asking?.abort();
  if (state.table === undefined) return;
  asking = new AbortController();
  const { signal } = asking;
  const sort = state.sort === undefined ? "" : `&sort=${state.sort.down ? "-" : ""}${encodeURIComponent(state.sort.column)}`;
  try {
    const { body, response } = await ask(`/api/tables/${encodeURIComponent(state.table)}?limit=${LOADED}${sort}`, { signal });
    state.failures = 0;
    learnColumns(body.rows);
    const etag = response.headers.get("etag");
    state.answer = { ...body, stale: response.headers.get("x-cache") === "STALE", age: Number(response.headers.get("age") ?? 0) };
    if (etag === null || etag !== state.etag) render(state.etag !== undefined);
    state.etag = etag ?? undefined;
    describe();
    again(REFRESH);
  } catch (error) {
    if (signal.aborted) return;
    state.failures += 1;
    if (error.status === 400 && state.sort !== undefined) {
      state.sort = undefined; // its column is gone
      markSort();
    }
    const wait = Math.min(LONGEST_WAIT, Math.max(REFRESH * 2 ** (state.failures - 1), (error.wait ?? 0) * 1_000));
    const texts = at("status").dataset;
    tell(
      say(state.answer === undefined ? texts.waiting : texts.failed, { reason: error.message, seconds: Math.round(wait / 1_000) }),
      "bad",
    );
    again(wait);
  }
}

/** Columns that came, went or were not known when the page asked: the header is made again for them alone. */
function learnColumns(rows) {
  if (rows.length === 0) return;
  const names = Object.keys(rows[0]);
  if (names.length === state.columns.length && names.every((name) => state.columns.includes(name))) return;
  state.columns = names;
  state.sort = names.includes(state.sort?.column) ? state.sort : undefined;
  header();
}

/** Columns that hold numbers and nothing else, whatever their type is said to be. */
function numericColumns(rows) {
  const holds = (name) => rows.some((row) => typeof row[name] === "number");
  return new Set(state.columns.filter((name) => holds(name) && rows.every((row) => row[name] === null || typeof row[name] === "number")));
}

function again(wait) {
  clearTimeout(timer);
  if (!state.paused && !document.hidden) timer = setTimeout(() => void refresh(), wait);
}

function matching() {
  const words = at("search").value.trim().toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return state.answer.rows;
  return state.answer.rows.filter((row) => {
    const text = Object.values(row).join("\u0000").toLocaleLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Rows are rewritten in place, so that scrolling and a selection survive a refresh; changed cells glow once. */
function render(mayGlow) {
  if (state.answer === undefined) return;
  const rows = matching();
  const visible = rows.slice(0, state.shown);
  const numeric = numericColumns(state.answer.rows);
  for (const [i, name] of state.columns.entries()) at("head").children[i].classList.toggle("number", numeric.has(name));
  const body = at("body");
  while (body.children.length > visible.length) body.lastElementChild.remove();
  const seen = new Map();
  for (const [i, row] of visible.entries()) {
    const line = body.children[i] ?? body.appendChild(document.createElement("tr"));
    while (line.children.length > state.columns.length) line.lastElementChild.remove();
    const key = String(row[state.columns[0]]);
    for (const [j, name] of state.columns.entries()) {
      const cell = line.children[j] ?? line.appendChild(newCell(j));
      const text = textOf(row[name]);
      const id = [key, name].join("\u0000");
      if (cell.textContent !== text) cell.textContent = text;
      cell.classList.toggle("number", numeric.has(name));
      cell.classList.toggle("fresh", mayGlow && state.cells.has(id) && state.cells.get(id) !== text);
      seen.set(id, text);
    }
  }
  state.cells = seen;
  const rest = rows.length - visible.length;
  at("more").hidden = rest <= 0;
  at("more-button").textContent = `${at("more-button").dataset.text} (${number.format(Math.max(0, rest))})`;
}

function textOf(cell) {
  if (cell === null || cell === undefined) return "";
  return typeof cell === "number" ? plain.format(cell) : String(cell);
}

function newCell(column) {
  const cell = document.createElement(column === 0 ? "th" : "td");
  if (column === 0) cell.scope = "row";
  return cell;
}

function describe() {
  const { rows, total, asOf, stale, age } = state.answer;
  const texts = at("status").dataset;
  const found = matching().length;
  const searching = at("search").value.trim() !== "";
  const parts = [
    say(texts.shown, { shown: number.format(searching ? found : Math.min(state.shown, rows.length)), total: number.format(total) }),
  ];
  if (rows.length < total)
    parts.push(say(searching ? texts.first : texts.limited, { loaded: number.format(rows.length), total: number.format(total) }));
  parts.push(
    stale ? say(texts.stale, { age: number.format(age) }) : say(texts.updated, { time: moment(new Date(asOf)), age: number.format(age) }),
  );
  if (state.paused) parts.push(texts.paused);
  tell(parts.join(" · "), stale ? "warn" : "");
}

function tell(text, tone) {
  const status = at("status");
  if (status.textContent !== text) status.textContent = text;
  status.dataset.tone = tone;
}

function wire() {
  let quiet;
  at("search").addEventListener("input", () => {
    state.shown = FIRST;
    if (state.answer === undefined) return;
    render(false);
    describe();
    clearTimeout(quiet); // spoken once the typing rests
    quiet = setTimeout(() => (at("live").textContent = say(at("live").dataset.found, { shown: number.format(matching().length) })), 600);
  });
  at("pause").addEventListener("click", ({ currentTarget: button }) => {
    state.paused = !state.paused;
    button.setAttribute("aria-pressed", String(state.paused));
    clearTimeout(timer);
    if (!state.paused) void refresh();
    else if (state.answer !== undefined) describe();
  });
  at("more-button").addEventListener("click", () => {
    const first = state.shown;
    state.shown += STEP;
    render(false);
    describe();
    // The button may be gone: the reader goes on where the new rows begin.
    if (at("more").hidden) {
      const row = at("body").children[first];
      row?.setAttribute("tabindex", "-1");
      row?.focus();
    }
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else if (!state.paused) void refresh();
  });
  for (const place of document.querySelectorAll(".origin")) place.textContent = location.origin;
}

/** Shows one row of a table, found by its key. */
function showRow(name, key) {
  const table = all.find((one) => one.name === name);
  if (table === undefined) return;
  at("table").value = name;
  at("search").value = key;
  if (state.table === name) void refresh();
  else choose(table);
}

async function start() {
  const { body } = await ask("/api/openapi.json");
  all = tables(body);
  if (all.length === 0) {
    at("empty").hidden = false;
    for (const part of document.querySelectorAll(".controls, #status, .scroll, #link-item")) part.hidden = true;
    return;
  }
  const first = all.find(({ name }) => name === "players") ?? all[0];
  const select = at("table");
  select.append(...all.map(({ name }) => new Option(name, name, false, name === first.name)));
  select.addEventListener("change", () => choose(all.find(({ name }) => name === select.value)));
  at("table-field").hidden = all.length < 2;
  choose(first);
  offerWriting(body, { ask, say, showRow });
}

async function startAgain(wait = REFRESH) {
  try {
    await start();
  } catch (error) {
    tell(say(at("status").dataset.waiting, { reason: error.message, seconds: Math.round(wait / 1_000) }), "bad");
    setTimeout(() => void startAgain(Math.min(LONGEST_WAIT, wait * 2)), wait);
  }
}

wire();
void health();
setInterval(() => document.hidden || void health(), REFRESH);
void startAgain();
