/**
 * The titles of a spreadsheet's tabs as the spreadsheet spells them. Unicode has two forms of an accent that look the same (NFC, NFD), and
 * Google may not find the one by the other; ids of tabs are looked up by the exact title.
 */
import { foldTitle, parseRange, rangeOf } from "../sheets/a1.ts";
import type { Outcome } from "./upstream.ts";

interface Calls {
  /** Makes the reading; the next one spells titles as the list of the tabs does. */
  read(): Promise<Outcome<readonly unknown[]>>;
  tabs(): Promise<Outcome<readonly string[]>>;
  /** Whether another call may be made now. */
  mayCall(): boolean;
}

/** Reads; if a range with an accent is not found, lists the tabs and reads once more. */
export async function readSpelled({ read, tabs, mayCall }: Calls): Promise<Outcome<readonly unknown[]>> {
  const outcome = await read();
  if (outcome.is !== "noRange" || outcome.range.normalize("NFC") === outcome.range.normalize("NFD") || !mayCall()) return outcome;
  return (await tabs()).is === "ok" && mayCall() ? read() : outcome;
}

export class Titles {
  readonly #listed = new Map<string, string>();

  /** Takes a list of the tabs, or nothing where there was none. */
  learn(titles: Iterable<string>): void {
    this.#listed.clear();
    for (const title of titles) {
      if (!this.#listed.has(foldTitle(title))) this.#listed.set(foldTitle(title), title);
      this.#listed.set(title, title);
    }
  }

  /** @returns a tab's title as the last list had it; as it is while there was none. */
  spelled(title: string): string {
    return this.#listed.get(title) ?? this.#listed.get(foldTitle(title)) ?? title;
  }

  /** @returns the range, with its tab's title as the last list had it. */
  range(range: string): string {
    const named = parseRange(range);
    return named === undefined ? range : rangeOf({ ...named, tab: this.spelled(named.tab) });
  }
}
