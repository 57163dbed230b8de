/** What the operator is told of the slots, as text for a terminal of 80 columns. */
import type { Question, WritesQuestion } from "../../base/protocol.ts";
import { capacityOf } from "../../base/slots.ts";
import type { Ms, Timestamp } from "../../base/units.ts";
import { zombies, type SessionLine } from "./sessions.ts";
import { AWAY, type LedgerStore } from "./store.ts";

/** Lines of a list. */
const MOST_LINES = 1_000;
const LONGEST_USER = 32;

const NOT_DURABLE =
  "This is not on disk yet: a restart now would admit them again. drover goes on trying, and logs “the ledger is written again”";

const UNREAD = "The ledger can't be read yet, see the log: who is in is not known";

/** @param wall now. */
export async function answerOperator(
  ledger: LedgerStore,
  question: Exclude<Question, WritesQuestion | { do: "purge" }>,
  wall: Timestamp,
): Promise<{ readonly ok: boolean; readonly text: string }> {
  switch (question.do) {
    case "list": {
      const all = await ledger.list();
      const text = question.zombies === true ? zombieList(ledger, all, wall) : list(ledger, all, wall);
      return { ok: true, text: ledger.isUnread ? `${text}\n${UNREAD}` : text };
    }
    case "reap": {
      const freed = await ledger.reap();
      return { ok: true, text: `${slots(freed)} freed; ${used(ledger)}` };
    }
    case "end": {
      const { isUnread } = ledger;
      const out = await ledger.end(question.who);
      if (typeof out === "string") return { ok: false, text: out };
      if (isUnread) return { ok: false, text: `${UNREAD}. Once it is read, all sessions of a user ${question.who} end` };
      const text = `${sessions(out.count)} put out; ${used(ledger)}`;
      return out.durable ? { ok: true, text } : { ok: false, text: `${text}. ${NOT_DURABLE}` };
    }
    case "reset-day": {
      if (ledger.isUnread) return { ok: false, text: `${UNREAD}. Try again` };
      const day = await ledger.resetDay();
      return day === undefined ? { ok: false, text: AWAY } : { ok: true, text: `daily quotas are counted on ${day}` };
    }
    case "max":
      return ledger.setMax(question.max)
        ? { ok: true, text: `${question.max} slots from now on; ${used(ledger)}` }
        : { ok: false, text: AWAY };
    case "close": {
      if (!ledger.setShortage(question.why ?? undefined)) return { ok: false, text: AWAY };
      return { ok: true, text: question.why === null ? "new sessions are admitted" : `new sessions are refused: ${question.why}` };
    }
    default:
      return question satisfies never;
  }
}

function zombieList(ledger: LedgerStore, all: readonly SessionLine[], wall: Timestamp): string {
  const { lease } = ledger;
  const found = zombies(all, lease);
  const what = `${sessions(found.length)} without a stream and unused for a minute; a slot is free ${span(lease)} after its last use`;
  return `${list(ledger, found, wall)}\n${what}`;
}

function list(ledger: LedgerStore, lines: readonly SessionLine[], wall: Timestamp): string {
  const shown = lines.slice(0, MOST_LINES).map((line) => row(line, wall));
  const head = ["SESSION".padEnd(10), "USER".padEnd(LONGEST_USER), "IN FOR".padEnd(8), "LEFT".padEnd(8), "BY"].join(" ");
  const more = lines.length > shown.length ? [`and ${lines.length - shown.length} more`] : [];
  return [used(ledger), ...(shown.length === 0 ? [] : ["", head]), ...shown, ...more].join("\n");
}

function row({ id, user, admin, since, left, held }: SessionLine, wall: Timestamp): string {
  const name = user.length > LONGEST_USER ? `${user.slice(0, LONGEST_USER - 1)}…` : user;
  const by = `${held ? "an open stream" : "what it did last"}${admin ? ", admin" : ""}`;
  return [id.slice(0, 10).padEnd(10), name.padEnd(LONGEST_USER), span(wall - since).padEnd(8), span(left).padEnd(8), by].join(" ");
}

function used(ledger: LedgerStore): string {
  const { state } = ledger;
  const { percentUsed, available } = capacityOf(state);
  return `slots ${state.used}/${state.max} ${state.status} (${percentUsed.toFixed(1)} %, ${available} free)`;
}

const slots = (n: number): string => `${n} slot${n === 1 ? "" : "s"}`;
const sessions = (n: number): string => `${n} session${n === 1 ? "" : "s"}`;

/** "45s", "12m", "3h", "2d" */
function span(millis: number | Ms): string {
  const s = Math.max(0, Math.round(millis / 1_000));
  if (s < 120) return `${s}s`;
  if (s < 7_200) return `${Math.round(s / 60)}m`;
  return s < 172_800 ? `${Math.round(s / 3_600)}h` : `${Math.round(s / 86_400)}d`;
}
