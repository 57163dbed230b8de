/** Whether Google lets the account write. The first write to a spreadsheet shows it, and is acknowledged only then. */
import { seconds, type Instant } from "../../base/units.ts";
import type { FlusherOptions, Right } from "./port.ts";

/** A write waits so long for the proof. */
const PROVE_WITHIN = seconds(5);
/** A 403 is believed for so long, and that Google does not answer. */
const DENIED_FOR = seconds(3);
const SILENT_FOR = seconds(30);

export class WriteRight {
  readonly #options: Pick<FlusherOptions, "alarm" | "clock">;
  #right: Right;
  #triedAt = Number.NEGATIVE_INFINITY;
  #closed = false;
  /** Called once Google has answered. */
  readonly #waiting = new Set<() => void>();

  constructor({ journal, proof, alarm, clock }: Pick<FlusherOptions, "journal" | "proof" | "alarm" | "clock">) {
    this.#options = { alarm, clock };
    this.#right = { is: proof.read() === undefined && journal.recovered.landed === 0 ? "unknown" : "yes" };
  }

  get is(): Right {
    return this.#right;
  }

  /** @param attempt begins a try to write. @returns when Google has answered one, or in vain. */
  async prove(attempt: () => void): Promise<void> {
    const { alarm, clock } = this.#options;
    const now = clock.now();
    const believed = this.#right.is === "no" ? DENIED_FOR : SILENT_FOR;
    if (this.#right.is === "yes" || now - this.#triedAt < believed || this.#closed) return;
    attempt();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    const cancel = alarm((now + PROVE_WITHIN) as Instant, resolve);
    await promise;
    cancel();
    this.#waiting.delete(resolve);
    this.#triedAt = clock.now();
  }

  /** What the end of a call tells. No answer tells nothing: then writes wait in the journal, as they do later. */
  learn({ is, message = "" }: { readonly is: string; readonly message?: string }, isWrite: boolean): void {
    if (is === "ok" && !isWrite) return;
    if (is === "ok") this.#right = { is: "yes" };
    else if (is === "denied" && (isWrite || this.#right.is === "unknown")) this.#right = { is: "no", message };
    this.#triedAt = this.#options.clock.now();
    for (const resolve of this.#waiting) resolve();
  }

  close(): void {
    this.#closed = true;
    for (const resolve of this.#waiting) resolve();
  }
}
