/** What workers ask, answered once: a repeated call gets the first one's answer, from whichever connection it comes. */
import { LRUCache } from "lru-cache";
import type { BrokerPort } from "../sheets/direct-transport.ts";
import type { Unavailable } from "../sheets/types.ts";
import type { FromClient } from "../sheets/wire.ts";
import type { WriteAnswer } from "../sheets/writes.ts";

const ANSWERS_KEPT = 1_000;

/** A call by its method. */
export type CallOf<M> = Extract<FromClient, { type: "call"; method: M }>;

/** The calls of all clients, by id. */
export class RpcCalls {
  readonly #broker: BrokerPort;
  readonly #answers = new LRUCache<string, Promise<Unavailable | undefined>>({ max: ANSWERS_KEPT });
  /** Under way. One that was answered is known to the journal. */
  readonly #writes = new Map<string, Promise<WriteAnswer>>();

  constructor(broker: BrokerPort) {
    this.#broker = broker;
  }

  want({ id, params }: CallOf<"want">): Promise<Unavailable | undefined> {
    const known = this.#answers.get(id);
    if (known !== undefined) return known;
    const answer = this.#broker.want(params.table, params.priority);
    this.#answers.set(id, answer);
    return answer;
  }

  write({ id, params }: CallOf<"write">): Promise<WriteAnswer> {
    const known = this.#writes.get(id);
    if (known !== undefined) return known;
    const { request, wait, within } = params;
    const answer = this.#broker.write(request, { wait, within, id }).finally(() => this.#writes.delete(id));
    this.#writes.set(id, answer);
    return answer;
  }
}
