/** Which parts of the board a spreadsheet has the tables and the columns for. */
import { BOARD } from "./config.js";

/** The columns that each part can't do without. */
const NEEDED = {
  people: ({ name }) => [name],
  teams: ({ name, points, size, left }) => [name, points, size, left],
  checkins: ({ who, at, fields }) => [who, at, ...fields],
  news: ({ at, title, text }) => [at, title, text],
};

/** @returns what config.js says of a part, or undefined: its table is not there, or is of something else. */
export function partOf({ described, tables }, name) {
  const part = BOARD[name];
  const columns = tables[part?.table]?.columns ?? described[part?.table]?.columns;
  return columns !== undefined && NEEDED[name](part).every((column) => columns.includes(column)) ? part : undefined;
}

/** Whether the people's table says who is still in. */
export const hasStates = (state) => {
  const { table } = partOf(state, "people") ?? {};
  return table !== undefined && (state.tables[table] ?? state.described[table]).columns.includes(BOARD.people.state);
};

/** Whether there is a board besides the tables: people of whom something is known, or who may log in. */
export const hasBoard = (state) => hasStates(state) || (state.canLogin && partOf(state, "people") !== undefined);

/** Whether all that the page shows was answered once: it is drawn as a whole, so that nothing moves under a finger. */
export function isReady(state) {
  if (!state.known || state.health === undefined) return false;
  const names = state.view === "" ? Object.keys(NEEDED).map((name) => partOf(state, name)?.table) : [state.view];
  return names.every((name) => name === undefined || state.asked.has(name));
}
