import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, Server, ServerResponse } from "node:http";

interface Started {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly server: Server;
}

/**
 * Tells of every request of a server without being seen: Node publishes it before any listener runs, and the server's listeners
 * stay the application's own.
 * @returns a function that ends it.
 */
export function observeRequests(server: Server, begun: (req: IncomingMessage, res: ServerResponse) => void): () => void {
  const on = (message: unknown): void => {
    const started = message as Started;
    if (started.server === server) begun(started.request, started.response);
  };
  subscribe("http.server.request.start", on);
  return () => void unsubscribe("http.server.request.start", on);
}
