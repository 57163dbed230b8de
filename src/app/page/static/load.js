/** What is read from the server: which tables there are, their rows, how it is. Each function takes the page: {state, changed, ask}. */
import { BOARD } from "./config.js";

/** Rows of a table that the page holds at most, and those of one answer. */
const MOST_ROWS = 3_000;
const PAGE = 1_000;

/** Tables that everybody may read come from the API's own description; others are tried by the names that the board knows. */
export async function listTables(page) {
  const answer = await page.ask("/api/openapi.json");
  noted(page, answer);
  if (answer.is !== "ok") return false;
  const { paths, components } = answer.body;
  const names = Object.keys(paths).flatMap((path) => /^\/api\/tables\/([^/{]+)$/.exec(path)?.[1] ?? []);
  const isPublic = (name) => paths[`/api/tables/${name}`].get !== undefined;
  const { state } = page;
  state.described = Object.assign(
    Object.create(null),
    Object.fromEntries(
      names.filter(isPublic).map((name) => {
        const key = /^The row's (.+)$/.exec(
          paths[`/api/tables/${name}/{key}`]?.get?.parameters?.find((one) => one.name === "key")?.description ?? "",
        )?.[1];
        return [
          name,
          { key, columns: components.schemas[`row.${name}`]?.required ?? [], everybody: paths[`/api/tables/${name}`].post !== undefined },
        ];
      }),
    ),
  );
  state.canLogin = "/api/login" in paths;
  state.order = inOrder(Object.keys(state.described));
  state.known = true;
  page.changed();
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
    const key = described.key ?? columns[0];
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

/** All tables, and those of the board that may be for members alone. */
export async function readAll(page) {
  const { state } = page;
  if (!state.known && !(await listTables(page))) return;
  const hidden = state.me === undefined ? [] : BOARD.order.filter((name) => state.described[name] === undefined);
  await Promise.all([...Object.keys(state.described), ...hidden].map((name) => readTable(page, name)));
}

/** Who may write what: the tables file lets nobody do what `Allow` does not name. What was not answered is asked for again by the next call. */
export async function readRights(page) {
  const { state } = page;
  const allows = async (path) => (await page.ask(path, { method: "OPTIONS" })).headers?.get("allow");
  const unknown = Object.entries(state.described).filter(([name]) => state.rights[name]?.whole !== true);
  if (unknown.length === 0) return;
  await Promise.all(
    unknown.map(async ([name, { everybody }]) => {
      const path = `/api/tables/${encodeURIComponent(name)}`;
      const [rows, row] = await Promise.all([allows(path), allows(`${path}/-`)]);
      const whole = typeof rows === "string" && typeof row === "string";
      state.rights[name] = {
        append: everybody || rows?.includes("POST") === true,
        update: row?.includes("PATCH") === true,
        everybody,
        whole,
      };
    }),
  );
  page.changed();
}

export async function readHealth(page) {
  const answer = await page.ask("/healthz");
  noted(page, answer);
  if (answer.is === "ok") page.state.health = answer.body;
  page.changed();
}

/** What any answer says of the connection. */
export function noted({ state }, answer) {
  state.reach = answer.is === "unreachable" ? "unreachable" : "ok";
  if (answer.is === "ok") state.seenAt = Date.now();
  if (answer.is === "refused" && answer.status === 429)
    state.limitedUntil = Math.max(state.limitedUntil, Date.now() + 1_000 * Math.max(1, answer.wait));
}
