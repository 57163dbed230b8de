/** The page: one state, drawn again whenever something has changed. */
import { ask, save } from "./api.js";
import { BOARD, NAMES } from "./config.js";
import { patch } from "./dom.js";
import { Live, reduce } from "./feed.js";
import { fill, languageOf, numericColumns, own } from "./format.js";
import { listTables, readAll, readHealth, readTable } from "./load.js";
import { notices } from "./notices.js";
import { overlay } from "./outbox.js";
import { discard, pump, recall, write } from "./sender.js";
import { logIn, logOut, readMe } from "./session.js";
import { TEXTS } from "./texts.js";
import { hasBoard, partOf } from "./parts.js";
import { ownRow } from "./views/home.js";
import { loginDialog } from "./views/login.js";
import { titleOf } from "./views/parts.js";
import { page as pageOf } from "./views/shell.js";

/** How often the page asks how the server is and whether the rows it shows are still fresh, ms. */
const ASK = 10_000;
/** How long events of a table without a key are collected, ms: half as long to half as long again. */
const TOGETHER = 1_000;
/** How long a changed cell glows, ms. */
const GLOW = 2_500;
const LANGUAGES = ["en", "fr"];
const LANGUAGE = "board.language";

const at = (id) => document.getElementById(id);
const remembered = () => {
  try {
    return [localStorage.getItem(LANGUAGE) ?? ""];
  } catch {
    return [];
  }
};

const state = {
  language: languageOf([...remembered().filter((one) => LANGUAGES.includes(one)), ...navigator.languages], LANGUAGES),
  /** The reader's own variant of the language: for numbers, dates and orders. */
  get locale() {
    return navigator.languages.find((one) => one.toLowerCase().split("-", 1)[0] === state.language) ?? state.language;
  },
  view: "",
  now: Date.now(),
  seenAt: Date.now(),
  online: navigator.onLine,
  reach: "ok",
  live: "new",
  health: undefined,
  limitedUntil: 0,
  known: false,
  /** The list of tables is that of who is logged in now. */
  listed: false,
  /** Tables that were answered once, with rows or without. */
  asked: new Set(),
  hasSession: false,
  canLogin: false,
  described: Object.create(null),
  order: [],
  tables: Object.create(null),
  rights: Object.create(null),
  trouble: undefined,
  me: undefined,
  session: { is: "none" },
  full: undefined,
  login: { open: false, busy: false, shown: false, problem: undefined },
  outbox: [],
  exports: { busy: undefined, text: undefined },
  ui: Object.create(null),
  fresh: new Map(),
};

const say = (name, values) => fill(TEXTS[state.language][name] ?? TEXTS.en[name] ?? name, values);
const label = (name) => own(NAMES[state.language], name) ?? name;

/** What views are given, and what is done to the page. */
const page = {
  state,
  say,
  label,
  get texts() {
    return TEXTS[state.language];
  },
  ask: (path, options) => ask(path, { language: state.language, ...options }),
  changed,
  tell: (text) => void (at("said").textContent = text),
  entered,
  left,
  listed: () => {
    route();
    changed();
  },
  /** Rows as they are shown: changes of one's own lie over them. */
  rowsOf: (name) => overlay(state.tables[name].rows, state.outbox, state.tables[name]),
  uiOf: (name) => (state.ui[name] ??= { search: "", only: "all", sort: firstSort(name), shown: 50 }),
  numbersOf: (name) => numericColumns(state.tables[name].rows, state.tables[name].columns),
  isFresh: (table, key, column) => state.fresh.has(`${table}\0${key}\0${column}`),
  isFilled: (table, column) =>
    column in (own(BOARD.forms, table)?.fill ?? {}) || (table === BOARD.checkins.table && column === BOARD.checkins.at),
  filled,
  named,
  act: {
    login: openLogin,
    closeLogin: () => at("login").close(),
    enterWith: (shown) => void logIn(page, shown),
    enter: () => void readMe(page),
    logout: () => void logOut(page),
    showSecret: () => changed(void (state.login.shown = !state.login.shown)),
    take: ({ name, secret }) => {
      Object.assign(at("login-name"), { value: name });
      Object.assign(at("login-secret"), { value: secret });
      at("login-send").focus();
    },
    language: switchLanguage,
    skip: (event) => {
      event.preventDefault();
      at("content").focus();
    },
    search: (name, search) => changed(Object.assign(page.uiOf(name), { search, shown: 50 })),
    only: (name, only) => changed(Object.assign(page.uiOf(name), { only, shown: 50 })),
    more: (name) => changed((page.uiOf(name).shown += 100)),
    sort: sortBy,
    write: (what) => write(page, what),
    discard: (entry) => discard(page, entry),
    say: (text) => page.tell(text),
    exported: (name, format, sort) => void exported(name, format, sort),
  },
};

/** The order that a table begins in, where it has that column. */
function firstSort(name) {
  const sort = own(BOARD.sort, name);
  return state.tables[name]?.columns.includes(sort?.column) ? sort : undefined;
}

let drawing = false;

/** Draws once, however much has changed meanwhile. */
function changed() {
  if (drawing) return;
  drawing = true;
  // Not by requestAnimationFrame: a page in the background must say how things stand too.
  queueMicrotask(() => {
    drawing = false;
    draw();
  });
}

let noticed = [];
/** The tab that was last brought into sight. */
let tab;

/** What has come up since the last time is said, once: not each second of its countdown. */
function notice() {
  const list = notices(state, say);
  const fresh = list.filter(({ id }) => !noticed.includes(id));
  if (fresh.length > 0) page.tell(fresh.map(({ title, text }) => `${title}. ${text}`).join(" "));
  noticed = list.map(({ id }) => id);
}

function draw() {
  state.now = Date.now();
  notice();
  document.documentElement.lang = state.language;
  document.title = titleOf(page);
  patch(at("page"), pageOf(page));
  patch(at("login"), state.login.open ? loginDialog(page) : []);
  if (tab === state.view || !state.known) return;
  tab = state.view;
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
}

function openLogin() {
  state.login = { open: true, busy: false, shown: false, problem: undefined };
  draw();
  at("login").showModal();
  at("login-name").focus();
}

function switchLanguage() {
  state.language = LANGUAGES[(LANGUAGES.indexOf(state.language) + 1) % LANGUAGES.length];
  try {
    localStorage.setItem(LANGUAGE, state.language);
  } catch {
    state.unkept = true; // it holds for this page
  }
  changed();
}

/** Upwards, downwards, the sheet's own order. */
function sortBy(name, column) {
  const ui = page.uiOf(name);
  const { sort } = ui;
  ui.sort = sort?.column !== column ? { column, down: false } : sort.down ? undefined : { column, down: true };
  if (ui.sort !== undefined) page.tell(say("sortedBy", { column: label(column) }));
  changed();
}

/** What the page knows better than who fills in a form. */
function filled(name) {
  const row = ownRow(state);
  const entries = Object.entries(own(BOARD.forms, name)?.fill ?? {}).map(([column, from]) => [
    column,
    from === "now" ? new Date().toISOString() : row?.[from],
  ]);
  return Object.fromEntries(entries.filter(([column, value]) => value !== undefined && state.tables[name].columns.includes(column)));
}

const names = new WeakMap();

/** What a cell stands for where its column holds keys of another table's rows. */
function named(column, value) {
  const [name, shown] = own(BOARD.refers, column) ?? [];
  const table = state.tables[name];
  if (table === undefined) return value;
  if (!names.has(table.rows)) names.set(table.rows, new Map(table.rows.map((row) => [row[table.key], row[shown]])));
  return names.get(table.rows).get(value) ?? value;
}

async function exported(name, format, sort) {
  state.exports = { busy: format, text: undefined };
  changed();
  const order = sort === undefined ? "" : `&sort=${sort.down ? "-" : ""}${encodeURIComponent(sort.column)}`;
  const answer = await page.ask(
    `/api/tables/${encodeURIComponent(name)}/export?format=${format}${format === "csv" ? "&bom=1" : ""}${order}`,
    { as: "blob" },
  );
  if (answer.is === "ok") save(answer.body, answer.headers.get("content-disposition"), `${name}.${format}`);
  const rows = answer.headers?.get("x-rows") ?? "";
  state.exports = {
    busy: undefined,
    text: answer.is === "ok" ? say("exported", { n: rows }) : say("exportRefused", { reason: answer.text ?? say("unreachable") }),
  };
  changed();
}

const live = new Live({
  event: ({ kind, table, key, row }) => {
    if (kind === "reset") return void (table === null ? readAll(page) : readTable(page, table));
    if (state.tables[table] === undefined) return void readTable(page, table);
    if (state.tables[table].key === null) return readAgain(table);
    apply({ kind, table, key, row });
  },
  opened: ({ isNew }) => {
    if (state.live === "broken") page.tell(say("liveAgain"));
    Object.assign(state, { live: "live", reach: "ok" });
    if (isNew) void readAll(page);
    changed();
  },
  broken: async () => {
    state.live = "broken";
    changed();
    const before = state.reach;
    await readHealth(page);
    // Tables are asked for again when a server is back that has no stream for us yet.
    if (before === "unreachable" && state.reach === "ok") void readAll(page);
    return state.me === undefined && state.session.is !== "in" ? 0 : await readMe(page);
  },
});

const waiting = new Set();

/** A row without a key can't be found by an event: its table is read again, once for events that come together. */
function readAgain(name) {
  if (waiting.has(name)) return;
  waiting.add(name);
  setTimeout(
    () => {
      waiting.delete(name);
      void readTable(page, name);
    },
    TOGETHER * (0.5 + Math.random()),
  );
}

function apply(event) {
  const { table: name, key } = event;
  const { table, changed: columns } = reduce(state.tables[name], event);
  if (columns === undefined) return;
  state.tables[name] = table;
  const marks = columns.map((column) => `${name}\0${key}\0${column}`);
  for (const mark of marks) state.fresh.set(mark, true);
  setTimeout(() => {
    for (const mark of marks) state.fresh.delete(mark);
    changed();
  }, GLOW);
  const isOwn =
    partOf(state, "people") !== undefined &&
    name === BOARD.people.table &&
    state.me !== undefined &&
    event.row?.[BOARD.people.name] === state.me.name;
  if (isOwn)
    page.tell(
      say("rowChanged", { what: columns.map((column) => `${label(column)} ${label(String(event.row[column] ?? ""))}`).join(", ") }),
    );
  changed();
}

/** Somebody is logged in now: the stream is theirs from now on, and holds their place. */
function entered() {
  if (at("login").open) {
    at("login").close();
    draw();
    // The button that opened the dialog is gone, and the focus with it.
    (document.querySelector(".view-title") ?? at("content")).focus();
  }
  relist();
  void pump(page);
}

function left() {
  relist();
}

/** Other tables, or other rights: somebody has come or gone. */
function relist() {
  state.listed = false;
  live.start();
  void readAll(page);
}

/** The part of the address that names a view; one that is none is the board. */
function route() {
  let wanted = "";
  try {
    wanted = decodeURIComponent(location.hash.slice(1));
  } catch {
    wanted = ""; // no address of ours
  }
  const before = state.view;
  state.view = state.order.includes(wanted) ? wanted : hasBoard(state) || !state.known ? "" : (state.order[0] ?? "");
  if (state.view !== before) Object.assign(state.exports, { text: undefined });
  return state.view !== before;
}

function wire() {
  addEventListener("hashchange", () => {
    if (location.hash === "#content") return;
    if (!route()) return;
    draw();
    scrollTo(0, 0);
    (document.querySelector(".view-title") ?? at("content")).focus({ preventScroll: true });
  });
  for (const name of ["online", "offline"])
    addEventListener(name, () => {
      state.online = name === "online";
      if (state.online) void lookAround();
      changed();
    });
  document.addEventListener("visibilitychange", () => document.hidden || void lookAround());
  at("login").addEventListener("close", () => changed(void (state.login = { ...state.login, open: false })));
}

/** Asks how things are: what events alone would not tell. */
async function lookAround() {
  if (document.hidden || state.limitedUntil > Date.now()) return;
  await readHealth(page);
  if (!state.listed) return await begin();
  const shown = state.view === "" ? BOARD.people?.table : state.view;
  // Those that could not be refreshed are asked for until they can: else the page would go on saying so.
  const names = Object.keys(state.described).filter((name) => name === shown || !state.tables[name] || state.tables[name].reason !== "");
  await Promise.all(names.map((name) => readTable(page, name)));
}

async function begin() {
  if (!(await listTables(page))) return;
  if (state.hasSession) await readMe(page);
  if (state.live === "new") live.start();
}

recall(page);
wire();
draw();
void readHealth(page);
void begin();
setInterval(() => void lookAround(), ASK);
setInterval(() => {
  void pump(page);
  if (!document.hidden) changed();
}, 1_000);
