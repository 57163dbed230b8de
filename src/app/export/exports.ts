/**
 * All exports of one worker. Pieces are made in the pool's thread, one at a time for all exports together, so that other questions to the
 * thread wait for one piece at most; each is asked for when the client has taken the one before.
 *
 *   chosen ─→ first piece ─→ head and piece written ─ taken ─→ next piece … ─→ end
 *                                                   └ not within TAKE_WITHIN, or the client left ─→ connection closed
 */
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../../base/log.ts";
import { ownModule } from "../../base/place.ts";
import { acknowledged } from "../../base/sendqueue.ts";
import { kibibytes, seconds, type Ms } from "../../base/units.ts";
import type { TableView } from "../../sheets/client.ts";
import type { Threads } from "../../worker/app.ts";
import type { Query } from "../query/model.ts";
import { isSlice } from "../query/page.ts";
import { rowsOf } from "../query/rows.ts";
import { jsonLength, type Job, type Piece, type Place } from "./pieces.ts";
import type { PieceTask, Selected, SelectTask } from "./thread.ts";

const MODULE = ownModule("app/export/thread");

/** Exports of one worker at a time: what a client can hold of its memory is a piece, and the version of the table that it began with. */
export const MOST_EXPORTS = 10;
/** A client takes so many bytes in this time, about 2 KiB/s, or is disconnected: a slower one holds a place that others could have. */
const TAKE_WITHIN = seconds(60);
const LEAST_TAKEN = kibibytes(128);
/** The thread's queue is full of other questions: when to ask again. */
const AGAIN = 50;

export interface ExportsParts {
  readonly threads: Threads;
  readonly log: Logger;
  /** In which a piece must be taken; for tests. */
  readonly takeWithin?: Ms;
  /** Bytes of an answer that its client has; for tests. */
  readonly acknowledged?: typeof acknowledged;
}

export class Exports {
  readonly #parts: ExportsParts;
  #open = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: ExportsParts) {
    this.#parts = parts;
  }

  get full(): boolean {
    return this.#open >= MOST_EXPORTS;
  }

  /** Holds one of the places until `work` is over, also if its client left while the thread was busy for it. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    this.#open += 1;
    try {
      return await work();
    } finally {
      this.#open -= 1;
    }
  }

  /** Which rows an export has; undefined: its client has gone. @throws as `threads.run`. */
  async select({ snapshot, head }: TableView, query: Query, res: ServerResponse): Promise<Selected | undefined> {
    const rows = rowsOf(snapshot, head.hash);
    if (!isSlice(query, rows)) {
      const task: SelectTask = { hash: head.hash, bytes: snapshot.buffer, query };
      return await this.#inTurn<Selected>("select", task, res);
    }
    const from = Math.min(query.cursor?.offset ?? 0, rows.rowCount);
    const range = { order: undefined, from, to: Math.min(from + query.limit, rows.rowCount) };
    return { ...range, jsonBytes: jsonLength(snapshot, range) };
  }

  /**
   * Makes and writes all of it; over when the answer is, or its client has gone.
   * @param begin writes the head, once the first piece is there. @throws as `threads.run`, as long as nothing is written.
   */
  async send({ snapshot, head }: TableView, job: Job, res: ServerResponse, begin: () => void): Promise<void> {
    const piece = (place: Place | undefined): Promise<Piece | undefined> => {
      const task: PieceTask = { hash: head.hash, bytes: snapshot.buffer, job, place };
      return this.#inTurn<Piece>("piece", task, res);
    };
    let made = await piece(undefined);
    if (made === undefined || isGone(res) || res.headersSent) return; // the client is gone, or the request timeout has answered
    begin();
    while (made?.next !== undefined) {
      if (!(await this.#written(res, made.bytes))) return;
      made = await this.#later(piece, made.next, res);
    }
    if (made === undefined || isGone(res)) return;
    res.end(made.bytes);
    if (!res.writableFinished) await this.#taken(res, "finish");
  }

  /** A piece in the middle: an answer that has begun is not given up because others are waiting for the thread too. */
  async #later(piece: (place: Place) => Promise<Piece | undefined>, place: Place, res: ServerResponse): Promise<Piece | undefined> {
    for (;;) {
      try {
        return await piece(place);
      } catch (thrown) {
        if ((thrown as { code?: unknown }).code !== "THREADS_BUSY") {
          this.#parts.log.error(
            { err: thrown },
            "an export failed in the middle: its connection is closed, so that nobody takes it for whole",
          );
          res.req.socket.destroy();
          return undefined;
        }
      }
      await sleep(AGAIN);
    }
  }

  /** @returns true when the client has taken it, or as much as makes room for the next one. */
  async #written(res: ServerResponse, bytes: Uint8Array): Promise<boolean> {
    if (isGone(res)) return false;
    return res.write(bytes) || (await this.#taken(res, "drain"));
  }

  /**
   * Waits until the event, the client's leaving, or too little of it was acknowledged: the event comes only when a third of the
   * kernel's buffer, which grows to 4 MiB, is free.
   */
  #taken(res: ServerResponse, event: "drain" | "finish"): Promise<boolean> {
    const within = this.#parts.takeWithin ?? TAKE_WITHIN;
    const { socket } = res.req; // an answer that is queued behind another has none, and hears of no end
    return new Promise((resolve) => {
      const settle = (taken: boolean) => (): void => {
        clearInterval(timer);
        res.off(event, came);
        for (const one of [res, socket]) one.off("close", left);
        resolve(taken);
      };
      const came = settle(true);
      const left = settle(false);
      let before: number | undefined; // looked up only for clients that take their time
      const timer = setInterval(() => {
        const now = (this.#parts.acknowledged ?? acknowledged)(socket);
        if (before === undefined || now - before >= LEAST_TAKEN / 2) return void (before = now);
        this.#parts.log.info({ within }, "a client takes its export too slowly: connection closed");
        socket.destroy();
        left();
      }, within / 2).unref();
      res.once(event, came);
      for (const one of [res, socket]) one.once("close", left);
    });
  }

  /** The pool's thread does this, one such task after the other in the order of asking; nothing for clients that have gone meanwhile. */
  #inTurn<T>(name: "select" | "piece", task: SelectTask | PieceTask, res: ServerResponse): Promise<T | undefined> {
    const done = this.#turn.then(() => (isGone(res) ? undefined : this.#parts.threads.run<T>(MODULE, task, { name })));
    this.#turn = done.then(ignore, ignore);
    return done;
  }
}

const ignore = (): void => {};
const isGone = (res: ServerResponse): boolean => res.destroyed || res.req.socket.destroyed;
