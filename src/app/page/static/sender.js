/** Sends what stands in the outbox, and looks after what was accepted until it is in the sheet. */
import { BOARD } from "./config.js";
import { randomKey } from "./api.js";
import { reduce } from "./feed.js";
import { readTable } from "./load.js";
import { answered, due, entryOf, looked, restore, store } from "./outbox.js";
import { outOf } from "./session.js";

const PLACE = "board.outbox";
/** How long "saved in the sheet" stays to be read, ms. */
const READ = 60_000;
const MOST = 50;

/** @param what {table, key, values} */
export function write(page, what) {
  const { state } = page;
  const entry = entryOf(
    { ...what, user: state.rights[what.table]?.everybody === true ? undefined : state.me?.name },
    randomKey(),
    Date.now(),
  );
  put(page, [...state.outbox.slice(-MOST), entry]);
  void pump(page);
}

export function discard(page, { once }) {
  put(
    page,
    page.state.outbox.filter((entry) => entry.once !== once),
  );
}

/** What an earlier life of the page had not heard back of. */
export function recall(page) {
  try {
    page.state.outbox = restore(sessionStorage.getItem(PLACE));
  } catch {
    page.state.outbox = []; // storage is forbidden here: nothing outlives the page then
  }
}

function put(page, outbox) {
  page.state.outbox = outbox;
  try {
    sessionStorage.setItem(PLACE, store(outbox));
  } catch {
    page.state.unkept = true; // full or forbidden: it is still in memory
  }
  page.changed();
}

const replaced = (page, entry) =>
  put(
    page,
    page.state.outbox.map((one) => (one.once === entry.once ? entry : one)),
  );

/** Does what is due. Called every second, and whenever something has changed. */
export async function pump(page) {
  const { state } = page;
  const now = Date.now();
  const over = state.outbox.filter(({ is, since }) => is === "landed" && now - since > READ);
  if (over.length > 0)
    put(
      page,
      state.outbox.filter((entry) => !over.includes(entry)),
    );
  if (!state.online) return;
  await Promise.all([
    ...due(state.outbox, now, state.me?.name).map((entry) => send(page, entry)),
    ...state.outbox.filter(({ is, next }) => is === "kept" && next <= now).map((entry) => look(page, entry)),
  ]);
}

async function send(page, entry) {
  replaced(page, { ...entry, is: "sending" });
  const { table, key, values, once } = entry;
  const path = `/api/tables/${encodeURIComponent(table)}${key === undefined ? "" : `/${encodeURIComponent(key)}`}`;
  const answer = await page.ask(path, { method: key === undefined ? "POST" : "PATCH", json: values, once });
  const next = answered(entry, answer, Date.now());
  if (next.is === "kept") await show(page, next);
  replaced(page, next);
  if (answer.is === "refused" && answer.status === 401 && entry.user !== undefined) outOf(page, answer.code);
}

/** Accepted rows are shown from now on as the sheet's: the stream tells of them too, in its own time. */
async function show(page, { table: name, key, values, user }) {
  const { state } = page;
  const table = state.tables[name];
  if (table === undefined || key === undefined) return;
  if (table.key === null) return await readTable(page, name); // no row of it can be told from another
  const before =
    table.rows.find((row) => String(row[table.key]) === key) ?? Object.fromEntries(table.columns.map((column) => [column, null]));
  const owner = name === BOARD.checkins.table && user !== undefined ? { [BOARD.checkins.who]: user } : {};
  const row = { ...before, ...values, ...owner, [table.key]: before[table.key] ?? key };
  state.tables[name] = reduce(table, { kind: "row.updated", key, row }).table;
}

async function look(page, entry) {
  replaced(page, { ...entry, next: Infinity });
  const answer = await page.ask(`/api/writes/${entry.id}`);
  const gone = answer.is === "refused" && answer.status === 404;
  if (answer.is === "ok") replaced(page, looked(entry, answer.body.write, Date.now()));
  else if (gone) discard(page, entry); // over a day ago, or not ours to see any more
  else replaced(page, { ...entry, next: Date.now() + 5_000 });
}
