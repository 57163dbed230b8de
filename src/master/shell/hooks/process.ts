/**
 * One process with a user's hooks module in it. The master's fence around it: a call that takes too long, memory, output and
 * nonsense on its channel each cost this process its life, and nobody else anything.
 */
import type { ChildProcess } from "node:child_process";
import { messageOf } from "../../../base/errors.ts";
import { readFromHooks, type FromHooks, type HookCall, type HookName, type ToHooks } from "../../../base/hooks.ts";
import type { Logger } from "../../../base/log.ts";
import { mebibytes, ms, type Ms } from "../../../base/units.ts";
import { guardChannel } from "../channel.ts";
import { logOutput } from "../childlog.ts";
import { discard } from "../children.ts";
import { readProcStat } from "../procstat.ts";
import { printing } from "./printing.ts";

export interface HookProcess {
  readonly hooks: ReadonlySet<HookName>;
  readonly alive: boolean;
  /** @returns why the call failed; undefined: it went well. Never rejects, never takes longer than `limit`. */
  call(call: HookCall, limit: Ms): Promise<string | undefined>;
  /** Looks at what it uses. */
  look(): void;
  /** Lets it go: it has a moment to leave by itself. */
  end(): Promise<void>;
}

export type Loading =
  | { readonly ok: true; readonly process: HookProcess; readonly strange: readonly string[] }
  | { readonly ok: false; readonly why: string };

export interface Birth {
  readonly log: Logger;
  readonly file: string;
  readonly generation: number;
  /** How long loading may take. */
  readonly limit: Ms;
  /** @throws Error when the system gives no process. */
  fork(): ChildProcess;
}

const MOST_MEMORY = mebibytes(256);
/** Messages that answer nothing: a module may send some by mistake, but not without end. */
const MOST_STRANGE = 1_000;
const LET_GO = "it was let go";
/** Between its exit and the end of its channel and its output: why it died stands in there. */
const LAST_WORDS = ms(250);

/** Starts a process and has it load the module. Never rejects. */
export async function startHooks(birth: Birth): Promise<Loading> {
  try {
    const child = new Fenced(birth);
    const answer = await child.ask({ type: "load", file: birth.file }, birth.limit, `it was not loaded within ${birth.limit / 1_000} s`);
    if (typeof answer === "string") return { ok: false, why: answer };
    if (answer.type !== "loaded") {
      await child.end();
      return { ok: false, why: answer.type === "failed" ? answer.message : "it sent nonsense" };
    }
    return { ok: true, process: running(child, new Set(answer.hooks)), strange: answer.strange };
  } catch (error) {
    return { ok: false, why: messageOf(error) };
  }
}

function running(child: Fenced, hooks: ReadonlySet<HookName>): HookProcess {
  let id = 0;
  return {
    hooks,
    get alive() {
      return child.alive;
    },
    async call(call, limit) {
      id += 1;
      const answer = await child.ask(
        { type: "call", id, ...call },
        limit,
        `it was not done within ${limit / 1_000} s, and its process was ended`,
      );
      if (typeof answer === "string") return answer;
      return answer.type === "threw" ? answer.message : undefined;
    },
    look: () => child.look(),
    end: () => child.end(),
  };
}

class Fenced {
  readonly #process: ChildProcess;
  readonly #log: Logger;
  readonly #gone: Promise<void>;
  #waiting: { readonly id: number | undefined; readonly resolve: (answer: FromHooks | string) => void } | undefined;
  /** Why it has ended, or is being ended. */
  #over: string | undefined;
  #strange = 0;

  constructor({ log, generation, fork }: Birth) {
    this.#log = log;
    this.#process = fork();
    const who = { role: "hooks", slot: null, generation, pid: this.#process.pid ?? 0 } as const;
    logOutput(
      printing(log, () => this.kill("it printed without measure, and its process was ended")),
      who,
      this.#process,
    );
    guardChannel(this.#process, (why) => this.kill(`it broke its channel to the master: ${why}`));
    this.#process.on("message", (raw: unknown, handle: unknown) => (discard(handle), this.#heard(raw)));
    this.#process.on("error", (error) => this.kill(error.message));
    this.#process.once("disconnect", () => setTimeout(() => this.#deaf(), LAST_WORDS).unref());
    this.#gone = this.#end();
  }

  get alive(): boolean {
    return this.#over === undefined;
  }

  /** @returns the answer, or why there is none. */
  async ask(message: ToHooks, limit: Ms, late: string): Promise<FromHooks | string> {
    if (this.#over !== undefined) return this.#over;
    const { promise, resolve } = Promise.withResolvers<FromHooks | string>();
    this.#waiting = { id: message.type === "call" ? message.id : undefined, resolve };
    this.#process.send(message, () => {}); // a channel that has closed is told of by the exit
    const timer = setTimeout(() => this.kill(late), limit);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  kill(why: string): void {
    this.#process.kill("SIGKILL");
    this.#ended(why);
  }

  look(): void {
    const { rss = 0 } = readProcStat(this.#process.pid ?? 0) ?? {};
    if (this.alive && rss > MOST_MEMORY) this.kill(`it took ${Math.round(rss / 1_048_576)} MiB of memory, and its process was ended`);
  }

  async end(): Promise<void> {
    this.#ended(LET_GO);
    if (this.#process.connected) this.#process.disconnect();
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), LAST_WORDS);
    await Promise.race([this.#gone, new Promise((resolve) => setTimeout(resolve, LAST_WORDS * 2).unref())]);
    clearTimeout(timer);
  }

  /** A process that ends closes its channel too; one that lives on can't be told anything any more. */
  #deaf(): void {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.kill("it closed its channel to the master");
  }

  #heard(raw: unknown): void {
    const message = readFromHooks(raw);
    if (message?.type === "fault") return this.#ended(message.message); // its exit follows
    const id = message !== undefined && "id" in message ? message.id : undefined;
    if (message !== undefined && this.#waiting !== undefined && id === this.#waiting.id) return this.#waiting.resolve(message);
    this.#strange += 1;
    if (this.#strange === MOST_STRANGE) this.kill("it sent messages without end, and its process was ended");
  }

  #ended(why: string): void {
    if (this.#over !== undefined) return;
    this.#over = why;
    if (this.#waiting === undefined && why !== LET_GO)
      this.#log.warn(`the hooks' process has ended, the next event starts another: ${why}`);
    this.#waiting?.resolve(why);
  }

  async #end(): Promise<void> {
    const child = this.#process;
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
      child.once("exit", (code, signal) => resolve([code, signal])),
    );
    await Promise.race([new Promise((resolve) => child.once("close", resolve)), new Promise((resolve) => setTimeout(resolve, LAST_WORDS))]);
    this.#ended(signal === null ? `it ended its process with exit code ${code}` : `its process was killed by ${signal}`);
    for (const stream of [child.stdout, child.stderr]) stream?.destroy();
  }
}
