// A Fastify plugin that reads a table of the spreadsheet: the broker starts because it asks.
import { drover } from "drover";

export default async function app(fastify, options) {
  fastify.get("/", async () => `fastify in slot ${drover.slot} ${Object.keys(options).length}\n`);
  const schema = {
    querystring: { type: "object", properties: { of: { type: "integer" } }, required: ["of"] },
    response: { 200: { type: "object", properties: { twice: { type: "integer" } } } },
  };
  fastify.get("/twice", { schema }, async ({ query }) => ({ twice: query.of * 2, unsaid: true }));
  fastify.get("/first", async () => {
    const { snapshot } = await drover.tables.table("players");
    return snapshot.row(0);
  });
}
