/** What is read from the server: which tables there are, their rows, how it is. Each function takes the page: {state, changed, ask}. */
import { BOARD } from "./config.js";

/** Rows of a table that the page holds at most, and those of one answer. */
const MOST_ROWS = 3_000;
const PAGE = 1_000;

let listing;

/** Which tables the reader may see, and what they may do with them. @returns whether that is known now. */
export function listTables(page) {
  listing ??= list(page).finally(() => (listing = undefined));
  return listing;
}

async function list(page) {
  const answer = await page.ask("/api/tables");
  noted(page, answer);
  if (answer.is !== "ok") return false;
  const { tables, login, session } = answer.body;
  const { state } = page;
  const byName = (of) => Object.assign(Object.create(null), Object.fromEntries(tables.map((table) => [table.name, of(table)])));
  state.described = byName(({ key, keyNamed, columns }) => ({ key, keyNamed, columns: columns?.map(({ name }) => name) }));
  state.rights = byName(({ append, update }) => ({
    append: append !== undefined,
    update: update !== undefined,
    everybody: append === "everybody",
  }));
  for (const name of Object.keys(state.tables)) if (state.described[name] === undefined) delete state.tables[name];
  Object.assign(state, {
    canLogin: login,
    hasSession: session !== "none",
    order: inOrder(Object.keys(state.described)),
    known: true,
    listed: true,
  });
  page.listed();
  return true;
}

const inOrder = (names) => [...BOARD.order.filter((name) => names.includes(name)), ...names.filter((name) => !BOARD.order.includes(name))];

/** Reads a table unless its rows are still the ones that are here. */
export async function readTable(page, name) {
  const { state } = page;
  const before = state.tables[name];
  const path = `/api/tables/${encodeURIComponent(name)}?limit=${PAGE}`;
  const first = await page.ask(path, { etag: before?.etag });
  noted(page, first);
  state.asked.add(name);
  if (first.is !== "ok") return refusedTable(page, name, first);
  const { headers } = first;
  const fresh = {
    readAt: Date.now() - 1_000 * Number(headers.get("age") ?? 0),
    reason: headers.get("x-cache") === "STALE" ? (headers.get("x-cache-reason") ?? "") : "",
  };
  // Events may have come meanwhile: what is here now is newer than what was here when it was asked.
  if (first.status === 304) state.tables[name] = { ...state.tables[name], ...fresh };
  else {
    const rows = await rest(page, path, first.body);
    const described = state.described[name] ?? {};
    const columns = rows.length > 0 ? Object.keys(rows[0]) : (described.columns ?? []);
    // Without a key rows have ids that are not shown: `null`.
    const key = described.key === undefined ? columns[0] : described.key;
    state.tables[name] = { name, key, columns, rows, total: first.body.total, etag: headers.get("etag") ?? undefined, ...fresh };
  }
  state.trouble = undefined;
  if (!state.order.includes(name)) state.order = inOrder([...state.order, name]);
  page.changed();
}

function refusedTable({ state, changed }, name, answer) {
  if (answer.is === "refused" && [401, 403, 404].includes(answer.status)) {
    delete state.tables[name];
    state.order = state.order.filter((one) => one !== name);
  } else if (answer.is === "refused") state.trouble = answer.text;
  changed();
}

async function rest(page, path, { rows, next }) {
  const all = [...rows];
  while (next !== null && all.length < MOST_ROWS) {
    const more = await page.ask(`${path}&cursor=${encodeURIComponent(next)}`);
    if (more.is !== "ok") break;
    all.push(...more.body.rows);
    ({ next } = more.body);
  }
  return all;
}

/** All tables that the reader may see. */
export async function readAll(page) {
  const { state } = page;
  if (!state.listed && !(await listTables(page))) return;
  await Promise.all(Object.keys(state.described).map((name) => readTable(page, name)));
}

export async function readHealth(page) {
  const answer = await page.ask("/healthz");
  noted(page, answer);
  page.state.health = answer.is === "ok" ? answer.body : (page.state.health ?? {});
  page.changed();
}

/** What any answer says of the connection. */
export function noted({ state }, answer) {
  state.reach = answer.is === "unreachable" ? "unreachable" : "ok";
  if (answer.is === "ok") state.seenAt = Date.now();
  if (answer.is === "refused" && answer.status === 429)
    state.limitedUntil = Math.max(state.limitedUntil, Date.now() + 1_000 * Math.max(1, answer.wait));
}
