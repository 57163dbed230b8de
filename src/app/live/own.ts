/** Events of tables where a user sees only their own rows. */
import type { Tables } from "../../sheets/client.ts";
import type { FeedEvent } from "../../sheets/events.ts";
import type { Row } from "../../sheets/snapshot.ts";
import type { TableInfo } from "../../sheets/types.ts";
import { owns } from "../session/own.ts";
import type { Who } from "../session/who.ts";
import { may, ownerFor } from "../visibility.ts";

/** Rows of events, parsed once for all users. */
const rows = new WeakMap<FeedEvent, Row>();

/** Which rows are one user's, as they have been told: only what becomes of those is theirs to hear. */
export class OwnRows {
  readonly #who: Who;
  readonly #tables: Tables;
  readonly #keys = new Map<string, { readonly definition: string; readonly keys: Set<string> }>();

  constructor(who: Who, tables: Tables) {
    this.#who = who;
    this.#tables = tables;
  }

  /** Takes what is there for known. */
  begin(): void {
    for (const info of this.#tables.list()) {
      const user = may(info, "read", this.#who) ? ownerFor(info, "read", this.#who) : undefined;
      if (user !== undefined) this.#learn(info, user);
    }
  }

  /** Nothing is taken for known any more: the next event of such a table is a reset. */
  forget(): void {
    this.#keys.clear();
  }

  /** @returns the event as this user may see it, or undefined: it is none of theirs. */
  cut(event: FeedEvent, info: TableInfo): FeedEvent | undefined {
    const user = ownerFor(info, "read", this.#who);
    if (user === undefined) return event;
    const known = this.#keys.get(event.table);
    if (known === undefined || known.definition !== info.definition) {
      this.#learn(info, user);
      return { ...event, what: { kind: "reset", reason: "history" } };
    }
    const { what } = event;
    if (what.kind === "reset") {
      this.#learn(info, user);
      return event;
    }
    const was = known.keys.has(what.key);
    const is = what.kind !== "row.deleted" && owns(rowOf(event, what.row), info, user);
    if (is) known.keys.add(what.key);
    else known.keys.delete(what.key);
    if (is) return was || what.kind === "row.created" ? event : { ...event, what: { ...what, kind: "row.created" } };
    return was ? { ...event, what: { kind: "row.deleted", key: what.key } } : undefined;
  }

  /** The rows as they are now; a row that is on its way is told once more. */
  #learn(info: TableInfo, user: string): void {
    const { name, definition } = info;
    const snapshot = this.#tables.peek(name)?.snapshot;
    const owners = info.owner === undefined ? undefined : snapshot?.columnValues(info.owner);
    if (owners === undefined || snapshot === undefined) return;
    const keys = snapshot.keys().filter((_, i) => String(owners[i]) === user);
    this.#keys.set(name, { definition, keys: new Set(keys) });
  }
}

function rowOf(event: FeedEvent, text: string): Row {
  const known = rows.get(event);
  if (known !== undefined) return known;
  const row = JSON.parse(text) as Row;
  rows.set(event, row);
  return row;
}
