/** What a client is told of a write: what became of it, or why nothing was written. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { impossible } from "../../base/never.ts";
import { seconds, type Timestamp } from "../../base/units.ts";
import type { TableInfo } from "../../sheets/types.ts";
import type { Write, WriteAnswer, WriteRefusal, WriteState, WriteWait } from "../../sheets/writes.ts";
import { JSON_TYPE } from "../headers.ts";
import { answerPage, PAGE_TYPE } from "../page/answer.ts";
import { languageOf, type Language } from "../page/language.ts";
import { problem, retryAfter, type Problem } from "../problem.ts";
import { quoted } from "../query/model.ts";
import { unknownTable } from "../visibility.ts";

/** From the first to the last state of a write; parked is beside them, and what a client must hear of first. */
const STATES = ["parked", "journaled", "sent", "landed"] as const satisfies readonly WriteState[];
/** Of Google's words. */
const LONGEST_REASON = 500;

/** How a request was asked, as far as its answer depends on it. */
export interface Asked {
  readonly info: TableInfo;
  /** Whoever asks may read the row. */
  readonly readable: boolean;
  readonly op: Write["op"];
  /** It had several rows: the answer has as many writes. */
  readonly many: boolean;
  readonly wait: WriteWait;
}

const iso = (at: Timestamp): string => new Date(at).toISOString();

/** A write as clients see it. Of rows that they may not read neither keys are shown nor what Google says. */
export function shown({ id, table, op, key, state, reason, at, landedAt }: Write, readable: boolean): Readonly<Record<string, unknown>> {
  return {
    id,
    table,
    op,
    ...(readable ? { key } : {}),
    state,
    ...(readable && reason !== undefined ? { reason: reason.slice(0, LONGEST_REASON).toWellFormed() } : {}),
    at: iso(at),
    ...(landedAt === undefined ? {} : { landedAt: iso(landedAt) }),
  };
}

/** @returns the state that is furthest from the sheet. */
function stateOf(writes: readonly Write[]): WriteState {
  return STATES.find((state) => writes.some((write) => write.state === state)) ?? "landed";
}

/** Answers with what was written: 201 for new rows, 200 for changed ones, 202 when the sheet was waited for in vain. */
export function sendWritten(
  reply: FastifyReply,
  { writes, delivery, repeated }: Extract<WriteAnswer, { is: "written" }>,
  { readable, op, many, wait }: Asked,
): FastifyReply {
  const state = stateOf(writes);
  const done = wait === "journal" || state === "landed";
  const [first] = writes;
  if (op === "append" && !many && first !== undefined) reply.header("Location", placeOf(first, readable));
  if (delivery === "at-least-once") reply.header("X-Write-Delivery", delivery);
  if (repeated) reply.header("Idempotency-Replayed", "true");
  const all = writes.map((write) => shown(write, readable));
  return sendWrites(reply.code(done ? (op === "append" ? 201 : 200) : 202), state, many ? { writes: all } : { write: all[0] });
}

/** Where the new row is found; its write, where rows are not shown, or where no client could ask for that path. */
function placeOf({ id, table, key }: Write, readable: boolean): string {
  const reachable = readable && key.isWellFormed() && key !== "." && key !== "..";
  return reachable ? `/api/tables/${table}/${encodeURIComponent(key)}` : `/api/writes/${id}`;
}

/** The body and the headers that every answer about writes has. */
export function sendWrites(reply: FastifyReply, state: WriteState, body: unknown): FastifyReply {
  return reply.headers({ "X-Write-State": state, "Cache-Control": "no-store" }).type(JSON_TYPE).send(JSON.stringify(body));
}

const SAVED = { en: "Saved", fr: "Enregistré" };
const SET_ASIDE = { en: "Not in the sheet", fr: "Pas dans la feuille" };
const ON_ITS_WAY = {
  en: "Your entry is accepted and on its way to the spreadsheet.",
  fr: "Ta saisie est acceptée et en route vers la feuille.",
};
const STATE_WORDS: { readonly [S in WriteState]: Readonly<Record<Language, string>> } = {
  journaled: ON_ITS_WAY,
  sent: ON_ITS_WAY,
  landed: { en: "Your entry is in the spreadsheet.", fr: "Ta saisie est dans la feuille." },
  parked: {
    en: "The spreadsheet refuses your entry; the organiser has been told.",
    fr: "La feuille refuse ta saisie ; l’organisateur en est averti.",
  },
};

/** What became of a write, for a person. */
export function sendWritePage({ headers }: FastifyRequest, reply: FastifyReply, { state }: Write): FastifyReply {
  const language = languageOf(headers["accept-language"]);
  const page = answerPage(headers, state === "parked" ? SET_ASIDE : SAVED, STATE_WORDS[state][language]);
  return reply.headers({ "X-Write-State": state, "Cache-Control": "no-store" }).type(PAGE_TYPE).send(page);
}

const UNSURE =
  "nothing was written now, and it is not known whether this request was accepted before: repeat it under the same Idempotency-Key";

/** Why nothing was written, in words for clients: what a refusal says of places, disks and processes is the operator's. */
export function problemOfRefusal(
  refusal: WriteRefusal,
  { info, many }: Asked,
  request: FastifyRequest<{ Params: { key?: string } }>,
): Problem {
  const { reason, message, retryAfter: wait } = refusal;
  const headers = retryAfter(wait ?? seconds(5));
  const table = `the table ${quoted(info.name)}`;
  switch (reason) {
    case "unknown-table":
      return unknownTable(info.name);
    case "unknown-key":
      return problem(404, "unknown-key", `${table} has no row with the key ${quoted(request.params.key ?? "")}`);
    case "duplicate-key":
      return problem(409, "duplicate-key", message, place(refusal, many));
    case "invalid":
      return problem(422, "invalid", message, place(refusal, many));
    case "table-full":
      return problem(422, "table-full", `${message}: nothing was written`);
    case "conflict":
      return CHANGED;
    case "reused-key":
      return problem(422, "reused-key", "this Idempotency-Key was used for another request: make a new one", {
        parameter: "Idempotency-Key",
      });
    case "full":
      return problem(503, "full", "too much is waiting to be sent to the spreadsheet: nothing was written", { headers });
    case "disk":
      return problem(
        507,
        "disk",
        `the disk of this service takes nothing more: ${refusal.unsure === true ? UNSURE : "nothing was written"}`,
        {
          headers,
        },
      );
    case "read-only":
      return problem(503, "read-only", `${message}: nothing was written`, { headers });
    case "not-writer":
      return problem(
        503,
        "not-writer",
        `another machine accepts the writes to this spreadsheet: ${refusal.unsure === true ? UNSURE : "nothing was written"}`,
        { headers },
      );
    case "away":
      return problem(503, "broker", message, { headers });
    case "not-writable":
      return wait === undefined
        ? problem(
            403,
            "not-writable",
            `${table} can't be written where it stands in the spreadsheet: the operator finds the reason in the log`,
          )
        : problem(503, "never-loaded", `the columns of ${table} are not known yet: nothing was written`, { headers });
    default:
      return impossible(reason);
  }
}

/** Where in the body: the row only if there were several. */
const place = ({ column, nr }: WriteRefusal, many: boolean): Pick<Problem, "column" | "row"> => ({
  ...(column === undefined ? {} : { column }),
  ...(nr === undefined || !many ? {} : { row: nr }),
});

export const CHANGED: Problem = problem(412, "changed", "the row is not the one that If-Match names: read it again");
