import type { IncomingMessage, ServerResponse } from "node:http";

export default function (request: IncomingMessage, response: ServerResponse): void {
  response.end(`typed ${request.url ?? ""}`);
}
