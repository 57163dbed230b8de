/**
 * Writes that Google has refused for good, in the operator's hands:
 *
 *   parked ─ retry ──→ journaled, under the same id and another number: the newest of its row ─→ landed, or parked again
 *          └ discard → parked for ever, without its values
 *
 * One order after the other, so that the same write, asked for twice at once, is tried once.
 */
import { messageOf } from "../base/errors.ts";
import type { Dealt, SetAsideView } from "../base/aside.ts";
import type { WritesQuestion } from "../base/protocol.ts";
import { isWritable } from "../sheets/layout.ts";
import type { Write } from "../sheets/writes.ts";
import type { Flusher } from "./flusher/port.ts";
import type { Entry, Journal, SetAside } from "./journal/journal.ts";
import { layRow } from "./overlay.ts";
import type { Waiting } from "./waiting.ts";
import type { Draft, WrittenTable } from "./written.ts";

/** An open journal, and who must hear of what is taken out of what was set aside. */
interface Hands {
  readonly journal: Journal;
  readonly flusher: Flusher;
  readonly waiting: Waiting;
}

export interface AsideOptions {
  readonly tables: ReadonlyMap<string, WrittenTable>;
  /** Undefined: the journal is another broker's. */
  readonly open: () => Hands | undefined;
  /** Reads a table's rows now. @returns whether it could be read in time. */
  readonly reread: (table: string) => Promise<boolean>;
  /** Shows a table's rows to all readers. */
  readonly show: (table: string) => Promise<void>;
}

/** What one order deals with: the rest is for the next one. */
const MOST_AT_ONCE = 500;
const AWAY = "the broker does not take orders for its journal now: it is changing hands, try again";

const UNREAD = "its table could not be read just now, and a row with its key may stand in it: try again";

type Order = Exclude<WritesQuestion, { do: "aside" }>;

interface Candidate {
  readonly held: SetAside;
  readonly written: WrittenTable;
  readonly draft: Draft;
}

export class Aside {
  readonly #options: AsideOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: AsideOptions) {
    this.#options = options;
  }

  /** The oldest parked writes, without their values. @throws Error when the journal is not open here, or can't be read. */
  async list(most: number): Promise<{ readonly count: number; readonly writes: readonly SetAsideView[] }> {
    const { journal } = this.#hands();
    const found = await journal.aside(most);
    return { count: journal.setAside, writes: found.map(shown) };
  }

  /** @returns what became of each. @throws Error when nothing was done. */
  deal(order: Order): Promise<Dealt> {
    const turn = this.#last.then(() => this.#deal(order));
    this.#last = turn.catch(() => {}); // who asked hears of it
    return turn;
  }

  async #deal({ do: verb, ids }: Order): Promise<Dealt> {
    const hands = this.#hands();
    const found = await hands.journal.aside(MOST_AT_ONCE, ids ?? undefined);
    const known = new Set(found.map(({ id }) => id));
    const others = (ids ?? []).filter((id) => !known.has(id));
    const notAside = await Promise.all([...new Set(others)].map(async (id) => ({ id, write: await hands.journal.find(id) })));
    if (this.#options.open() !== hands) throw new Error(AWAY);
    const dealt = verb === "discard" ? await discard(hands, found) : await this.#retry(hands, found);
    return {
      done: dealt.done,
      refused: [...dealt.refused, ...notAside.flatMap(({ id, write }) => (write === undefined ? [] : [{ id, why: whyNot(write, found) }]))],
      unknown: notAside.flatMap(({ id, write }) => (write === undefined ? [id] : [])),
      left: hands.journal.setAside,
    };
  }

  async #retry(hands: Hands, found: readonly SetAside[]): Promise<Pick<Dealt, "done" | "refused">> {
    const candidates: Candidate[] = [];
    const refused: Dealt["refused"][number][] = [];
    const unread = await this.#reread(found);
    if (this.#options.open() !== hands) throw new Error(AWAY);
    for (const held of found) {
      const candidate = held.op === "append" && unread.has(held.table) ? UNREAD : this.#judge(hands, held);
      if (typeof candidate === "string") refused.push({ id: held.id, why: candidate });
      else candidates.push(candidate);
    }
    if (candidates.length === 0) return { done: [], refused };
    const done: string[] = [];
    try {
      const again = await hands.journal.retry(candidates.map(({ held }) => held.lsn));
      candidates.forEach((candidate, i) => {
        const entry = again[i];
        if (entry === undefined) refused.push({ id: candidate.held.id, why: "it is not set aside any more" });
        else done.push(entry.id);
        settleDraft(hands, candidate, entry);
      });
    } catch (e) {
      for (const candidate of candidates) settleDraft(hands, candidate, undefined);
      throw e;
    }
    await Promise.all([...new Set(candidates.map(({ held }) => held.table))].map((table) => this.#options.show(table)));
    return { done, refused };
  }

  /** A person may have typed the row meanwhile, in a table that nobody reads. @returns the tables that could not be read. */
  async #reread(found: readonly SetAside[]): Promise<ReadonlySet<string>> {
    const tables = [...new Set(found.filter(({ op }) => op === "append").map(({ table }) => table))];
    const known = tables.filter((table) => this.#options.tables.has(table));
    const read = await Promise.all(known.map(async (table) => ({ table, ok: await this.#options.reread(table) })));
    return new Set(read.filter(({ ok }) => !ok).map(({ table }) => table));
  }

  /** Whether it may be tried now. Then room is kept for it, and the next are judged as if it had been taken. @returns why not. */
  #judge({ waiting }: Hands, held: SetAside): Candidate | string {
    const written = this.#options.tables.get(held.table);
    if (written === undefined || !isWritable(written.table)) return `the tables file lets nobody change "${held.table}"`;
    const standing = written.standing();
    if (standing === undefined) return `the columns of "${held.table}" are not known yet: it was never read`;
    const row = standing.row(held.key);
    if (held.op === "append" && row !== undefined)
      return "there is a row with its key by now: trying it again would double the row, so discard it";
    if (standing.isAmbiguous(held.key)) return "more than one row of the sheet has its key: which one is meant can't be told";
    const full = waiting.reserve([held]);
    if (full !== undefined) return full;
    const draft: Draft = { entries: [held], rows: new Map([[held.key, layRow(standing.columns, row, held)]]) };
    written.draft(draft);
    return { held, written, draft };
  }

  #hands(): Hands {
    const hands = this.#options.open();
    if (hands === undefined) throw new Error(AWAY);
    return hands;
  }
}

/** @param entry that waits now; undefined: it does not. */
function settleDraft({ waiting, flusher }: Hands, { held, written, draft }: Candidate, entry: Entry | undefined): void {
  if (entry === undefined) {
    written.drop(draft);
    waiting.free([held]);
    return;
  }
  written.commit(draft, [entry]);
  waiting.accept([entry], [held]);
  flusher.retried([entry]);
}

async function discard({ journal, waiting }: Hands, found: readonly SetAside[]): Promise<Pick<Dealt, "done" | "refused">> {
  if (found.length === 0) return { done: [], refused: [] };
  const gone = await journal.discard(found.map(({ lsn }) => lsn));
  const of = (was: boolean): readonly string[] => found.filter((_, i) => gone[i] === was).map(({ id }) => id);
  waiting.forget(of(true));
  return { done: of(true), refused: of(false).map((id) => ({ id, why: "it is not set aside any more" })) };
}

/** An order takes the first that it names. */
const whyNot = (write: Write, taken: readonly SetAside[]): string =>
  write.state === "parked" && taken.length >= MOST_AT_ONCE
    ? `it was not tried: an order takes ${MOST_AT_ONCE} writes, name the others again`
    : nowIs(write);

const nowIs = ({ state, reason }: Write): string =>
  state === "landed"
    ? "it is in the spreadsheet"
    : state === "parked"
      ? (reason ?? "it is not set aside any more")
      : "it waits for the spreadsheet already";

const LONGEST_SHOWN = 300;
const cut = (text: string): string => (text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN - 1)}…` : text);

const shown = ({ id, table, op, key, reason, at, settledAt }: SetAside): SetAsideView => ({
  id,
  table,
  op,
  key: cut(key),
  reason: cut(reason),
  at,
  parkedAt: settledAt,
});

/** The broker's answer to the operator, as text of the channel: JSON. */
export async function answerWrites(aside: Aside, question: WritesQuestion): Promise<{ readonly ok: boolean; readonly text: string }> {
  try {
    const answer = question.do === "aside" ? await aside.list(question.most) : await aside.deal(question);
    return { ok: true, text: JSON.stringify(answer) };
  } catch (e) {
    return { ok: false, text: messageOf(e) };
  }
}
