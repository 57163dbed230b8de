/**
 * What is asked of the journal's thread: while a commit runs it waits, and shares the next one. When the thread dies, another one gets
 * what was in its hands: once.
 */
import { DroverError, messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { mebibytes } from "../../base/units.ts";
import { Copies } from "./copies.ts";
import type { Op, Result } from "./messages.ts";
import type { Thread, ThreadState } from "./start.ts";
import type { SteadyClock } from "./steady.ts";

export interface QueueOptions {
  readonly dir: string;
  readonly clock: SteadyClock;
  readonly log: Logger;
  /** Starts another thread. */
  readonly start: () => Promise<Thread>;
  /** The thread died twice, or its files are not those it had: the process must be started again. */
  readonly onFatal: (why: string) => void;
}

/** What one commit takes, at most: a group waits for all of it. */
const GROUP = { ops: 2_000, bytes: mebibytes(4) };

/** Who waits for an operation's answer. */
interface Asker {
  /** @param resent it had been given to a thread that died, and may have been done by that. */
  readonly resolve: (value: unknown, resent: boolean) => void;
  /** It has not happened, as far as is known. */
  readonly fail: (why: string) => void;
}

/** One operation that waits for its answer. */
interface Call {
  readonly op: Op;
  readonly bytes: number;
  /** The thread it was first given to has died. */
  resent: boolean;
  readonly by: Asker;
}

export class Queue {
  readonly #options: QueueOptions;
  /** Of the journal that the first thread opened. */
  readonly #identity: string;
  readonly #copies = new Copies();
  #thread: Thread | undefined;
  #waiting: Call[] = [];
  #flight: Call[] | undefined;
  #bytes = 0;
  #state: ThreadState;
  #restarted = false;
  #over: string | undefined;
  #closing = false;

  constructor(options: QueueOptions, thread: Thread) {
    this.#options = options;
    this.#identity = thread.recovered.identity;
    this.#state = { setAside: thread.setAside, trouble: undefined };
    this.#adopt(thread);
  }

  /** Why nothing is taken any more. */
  get over(): string | undefined {
    return this.#over;
  }

  /** As the thread said last. */
  get state(): ThreadState {
    return this.#state;
  }

  /** What waits: the calls that the thread was not given yet, and the bytes of all that it has not answered. */
  get size(): { readonly calls: number; readonly bytes: number } {
    return { calls: this.#waiting.length, bytes: this.#bytes };
  }

  /** @throws DroverError DROVER_E_BROKER when it was not done, as far as is known. */
  ask<T>(op: Op, bytes = 0): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const fail = (why: string): void => reject(new DroverError("DROVER_E_BROKER", `the journal did not ${op.do}: ${why}`));
      if (this.#over !== undefined) return fail(this.#over);
      this.push(op, bytes, { resolve: (value) => resolve(value as T), fail });
    });
  }

  push(op: Op, bytes: number, by: Asker): void {
    this.#waiting.push({ op, bytes, resent: false, by });
    this.#bytes += bytes;
    this.#post();
  }

  /** @returns when the copy is whole. @throws DroverError when it is not to be. */
  copy(to: string): Promise<void> {
    return this.#copies.make(to, () => this.ask({ do: "copy", to }));
  }

  /** Takes nothing more. @returns when all that was asked is done, and the thread has ended. */
  async close(): Promise<void> {
    if (this.#over !== undefined) return await this.#thread?.ended;
    const closed = this.ask<void>({ do: "close" });
    this.#closing = true;
    this.#over = "the journal is closed";
    await closed;
    await this.#thread?.ended;
  }

  /** Gives the thread what waits, once it has answered what it was given before. */
  #post(): void {
    if (this.#flight !== undefined || this.#thread === undefined || this.#waiting.length === 0) return;
    let bytes = 0;
    let count = 0;
    for (const call of this.#waiting) {
      if (count > 0 && (count >= GROUP.ops || bytes + call.bytes > GROUP.bytes)) break;
      bytes += call.bytes;
      count += 1;
    }
    this.#flight = this.#waiting.splice(0, count);
    this.#thread.post({ at: this.#options.clock.look(), ops: this.#flight.map(({ op }) => op) });
  }

  #answer(results: readonly Result[]): void {
    const calls = this.#flight ?? [];
    this.#flight = undefined;
    this.#post();
    calls.forEach(({ bytes, resent, by }, i) => {
      this.#bytes -= bytes;
      const result = results[i];
      if (result?.is === "done") by.resolve(result.value, resent);
      else by.fail(result?.message ?? "the journal's thread gave no answer");
    });
  }

  #adopt(thread: Thread): void {
    this.#thread = thread;
    thread.onResults((results, { setAside, trouble }) => {
      this.#state = { setAside, trouble };
      this.#answer(results);
    });
    thread.onCopied((to, failed) => this.#copies.ended(to, failed));
    thread.onDeath((why) => {
      this.#copies.lost(why);
      void this.#restart(why);
    });
  }

  /** What the dead thread had in its hands is given to the next one: everything can be done twice, writes by their ids. */
  async #restart(why: string): Promise<void> {
    const { dir, log, start } = this.#options;
    this.#thread = undefined;
    if (this.#closing && this.#flight === undefined && this.#waiting.length === 0) return;
    if (this.#closing) return this.#end(`the journal's thread died while it closed: ${why}`);
    if (this.#restarted) return this.#end(`the journal's thread died again: ${why}`);
    this.#restarted = true;
    log.error({ dir }, `the journal's thread died and is started again: ${why}`);
    try {
      const thread = await start();
      const { identity, damage } = thread.recovered;
      if (damage !== undefined) log.error({ dir }, damage);
      if (identity !== this.#identity) {
        void thread.terminate();
        return this.#end(`${why}; the journal that is there now is another one`);
      }
      const again = this.#flight ?? [];
      this.#flight = undefined;
      for (const call of again) call.resent = true;
      this.#waiting = [...again, ...this.#waiting];
      this.#adopt(thread);
      this.#post();
    } catch (e) {
      this.#end(`${why}; and it did not start again: ${messageOf(e)}`);
    }
  }

  #end(why: string): void {
    this.#over = `${why}. Whether what was under way is on disk is not known`;
    const calls = [...(this.#flight ?? []), ...this.#waiting];
    this.#flight = undefined;
    this.#waiting = [];
    for (const { op, by } of calls) {
      if (op.do === "close") by.resolve(undefined, false);
      else by.fail(this.#over);
    }
    if (!this.#closing) this.#options.onFatal(why);
  }
}
