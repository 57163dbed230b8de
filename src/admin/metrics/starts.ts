/** What stands before the values of a metric's lines. Every scrape needs it again: it is made once, for each metric by itself. */
import { labelText } from "./text.ts";

interface Place {
  readonly role: string;
  readonly slot: number;
}

/** Something for each place, made when it is first asked for. Roles and slots are the master's own: there are few. */
function byPlace<T>(make: (name: string, place: Place) => T): (name: string, place: Place) => T {
  const roles: Record<string, T[]> = {};
  return (name, place) => ((roles[place.role] ??= [])[place.slot] ??= make(name, place));
}

/** `process_open_fds{role="worker",slot="3"} ` */
export const placeStarts = (): ((name: string, place: Place) => string) =>
  byPlace((name, { role, slot }) => `${name}${labelText({ role, slot: String(slot) })} `);

/** `drover_worker_full{slot="3"} ` */
export const slotStarts = (): ((name: string, place: Place) => string) =>
  byPlace((name, { slot }) => `${name}${labelText({ slot: String(slot) })} `);

/** Words that are kept for a place: an application can make up new ones for ever. */
const MOST_WORDS = 64;

/** The same with one label more: `nodejs_active_resources{role="worker",slot="3",type="Timeout"} ` */
export function wordStarts(label: string): (name: string, place: Place, word: string) => string {
  const wordsOf = byPlace(() => new Map<string, string>());
  return (name, place, word) => {
    const words = wordsOf(name, place);
    const known = words.get(word);
    if (known !== undefined) return known;
    if (words.size >= MOST_WORDS) words.clear();
    const start = `${name}${labelText({ role: place.role, slot: String(place.slot), [label]: word })} `;
    words.set(word, start);
    return start;
  };
}
