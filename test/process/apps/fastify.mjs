// A Fastify plugin that reads a table of the spreadsheet: the broker starts because it asks.
import { drover } from "drover";

export default async function app(fastify, options) {
  fastify.get("/", async () => `fastify in slot ${drover.slot} ${Object.keys(options).length}\n`);
  fastify.get("/first", async () => {
    const { snapshot } = await drover.tables.table("players");
    return snapshot.row(0);
  });
}
