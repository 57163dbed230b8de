/** Counts requests and connections: for heartbeats, and for tests that count calls. */
import type { Server } from "node:http";
import { isRead } from "./api/discovery.ts";

/** Calls since the start, with refused and failed ones. */
export interface Requests {
  readonly reads: number;
  readonly writes: number;
  /** Calls of the token endpoint. */
  readonly tokens: number;
  /** By the method's id. */
  readonly byMethod: Readonly<Record<string, number>>;
  /** Answers by status. */
  readonly byStatus: Readonly<Record<number, number>>;
}

export class RequestCounters {
  readonly #byMethod = new Map<string, number>();
  readonly #byStatus = new Map<number, number>();
  inFlight = 0;
  connections = 0;
  served = 0;

  watchConnections(server: Server): void {
    server.on("connection", (socket) => {
      this.connections += 1;
      socket.once("close", () => (this.connections -= 1));
    });
  }

  /** @param method its id, or "oauth.token" */
  called(method: string): void {
    this.#byMethod.set(method, (this.#byMethod.get(method) ?? 0) + 1);
  }

  begin(): void {
    this.inFlight += 1;
  }

  end(status: number): void {
    this.inFlight -= 1;
    this.served += 1;
    this.#byStatus.set(status, (this.#byStatus.get(status) ?? 0) + 1);
  }

  requests(): Requests {
    const { "oauth.token": tokens = 0, ...byMethod } = Object.fromEntries(this.#byMethod);
    const byStatus = Object.fromEntries(this.#byStatus);
    const [reads, writes] = [true, false].map((wanted) =>
      Object.entries(byMethod).reduce((n, [id, of]) => n + (isRead(id) === wanted ? of : 0), 0),
    ) as [number, number];
    return { reads, writes, tokens, byMethod, byStatus };
  }
}
