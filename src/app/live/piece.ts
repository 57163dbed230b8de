/** The text of event streams (WHATWG HTML §9.2), made once for all who read them. */
import { idOf, type FeedEvent, type Position, type ResetReason } from "../../sheets/events.ts";
import type { Ms } from "../../base/units.ts";

/** Bytes on their way to many clients: as they are, and as a chunk of HTTP/1.1 (RFC 9112 §7.1). One memory for both. */
export interface Piece {
  readonly plain: Buffer;
  readonly chunk: Buffer;
}

/** Why a client has to read again: besides what befalls a table, its Last-Event-ID was none of ours. */
type Reason = ResetReason | "id";

const CRLF = Buffer.from("\r\n");

export function pieceOf(text: string): Piece {
  const body = Buffer.from(text);
  const head = Buffer.from(`${body.length.toString(16)}\r\n`);
  const chunk = Buffer.concat([head, body, CRLF]);
  return { chunk, plain: chunk.subarray(head.length, chunk.length - CRLF.length) };
}

/** One line of data: JSON holds no line break. */
const block = (id: Position, event: string, data: string): string => `id: ${idOf(id)}\nevent: ${event}\ndata: ${data}\n\n`;

export function eventText(event: FeedEvent): string {
  const { what, version } = event;
  const table = JSON.stringify(event.table);
  if (what.kind === "reset") return block(event, what.kind, `{"table":${table},"reason":"${what.reason}"}`);
  const row = what.kind === "row.deleted" ? "" : `,"row":${what.row}`;
  return block(event, what.kind, `{"table":${table},"key":${JSON.stringify(what.key)},"version":${version}${row}}`);
}

/** For one client: everything it has read may be out of date. */
export const resetText = (at: Position, reason: Reason): string => block(at, "reset", `{"table":null,"reason":"${reason}"}`);

/** Moves a client's Last-Event-ID on without an event, so that it need not remember one that is forgotten here. */
export const placeText = (at: Position): string => `id: ${idOf(at)}\n\n`;

/** First of all: how long to wait before coming back. */
export const retryText = (wait: Ms): string => `retry: ${wait}\n\n`;

/** A comment, so that proxies and the client see that the connection lives. */
export const heartbeatText = (at: Position | undefined): string => `:\n${at === undefined ? "\n" : placeText(at)}`;
