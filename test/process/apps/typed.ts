// TypeScript, as it is: types are stripped, nothing is built.
import type { IncomingMessage, ServerResponse } from "node:http";

export default (req: IncomingMessage, res: ServerResponse): void => {
  const answer: string = `typed ${req.url ?? ""}`;
  res.end(answer);
};
