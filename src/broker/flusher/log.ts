/** What the flusher logs, each thing once, and what it tells the broker beside. */
import type { State } from "./core/model.ts";
import type { FlusherOptions } from "./port.ts";

export class FlusherLog {
  readonly #options: Pick<FlusherOptions, "log" | "proof" | "events">;
  #said = "";
  #astray = 0;
  #misplaced = 0;

  constructor(options: Pick<FlusherOptions, "log" | "proof" | "events">) {
    this.#options = options;
  }

  /** Logs a failure once, until another comes or calls succeed again. */
  say({ is, message = "" }: { readonly is: string; readonly message?: string }): void {
    const said = is === "ok" ? "" : message;
    if (said === this.#said) return;
    this.#said = said;
    if (said === "") this.#options.log.info("writes go to Google again");
    else this.#options.log.warn({ upstream: is }, `a write waits: ${said}`);
  }

  /** Logs what the last step found. @param before the delivery before it. */
  tell({ delivery, stats, moved, found }: State, before: State["delivery"]): void {
    const { log, proof, events } = this.#options;
    if (delivery !== before && delivery !== "unproven") {
      proof.keep(delivery);
      if (delivery === "at-least-once")
        log.error("this spreadsheet did not refuse a second write with the same fence: a write whose answer is lost may come twice");
    }
    if (stats.astray > this.#astray)
      log.error(`${stats.astray - this.#astray} rows were written whose key had been changed by hand in the same moment`);
    this.#astray = stats.astray;
    const misplaced = stats.misplaced - this.#misplaced;
    if (misplaced > 0)
      log.error(
        `${misplaced} writes landed in other columns, changed by hand meanwhile: what changes overwrote is put back, look at new rows`,
      );
    this.#misplaced = stats.misplaced;
    for (const table of moved) {
      log.warn({ table }, "the table is not where it was read last: its writes wait until it has been read again");
      events.moved(table);
    }
    moved.clear();
    for (const table of found) events.found(table);
    found.clear();
  }
}
