// A Fastify plugin: reads a table, adds to one, changes one, and computes beside the event loop.
import type { Plugin, PluginOptions } from "drover";

// What the tables hold, for the compiler. Any column but the key may be null: an empty cell, or one that does not fit its type.
declare module "drover" {
  interface TableRows {
    players: { id: string; name: string | null; team: string | null; status: string | null; score: number | null };
    // `target` is hidden: it can be written, and is never there when a row is read.
    actions: { id: string; player: string | null; kind: string | null; note: string | null; target?: string };
  }
}

export const options: PluginOptions = { bodyLimit: 16_384 };

const plugin: Plugin = async (app) => {
  const { tables, threads, draining } = app.drover;

  app.get("/top", async (request, reply) => {
    const { rows, asOf, stale } = await tables.read("players", { signal: request.signal });
    const ranking = await threads.run<string[]>(new URL("./ranking.ts", import.meta.url), rows);
    reply.header("Last-Modified", asOf.toUTCString());
    return { ranking: ranking.slice(0, 3), stale };
  });

  const action = {
    type: "object",
    required: ["player", "kind"],
    additionalProperties: false,
    properties: { player: { type: "string" }, kind: { type: "string" }, target: { type: "string" } },
  } as const;
  app.post<{ Body: { player: string; kind: string; target?: string } }>(
    "/actions",
    { schema: { body: action } },
    async (request, reply) => {
      const { player } = request.body;
      if ((await tables.row("players", player)) === undefined) return reply.code(422).send({ message: `there is no player ${player}` });
      const name = request.headers["idempotency-key"];
      const { key, state } = await tables.append("actions", request.body, {
        once: typeof name === "string" ? `${player} ${name}` : undefined,
      });
      return reply.code(201).send({ key, state });
    },
  );

  app.post<{ Params: { id: string }; Querystring: { add: number } }>(
    "/players/:id/points",
    { schema: { querystring: { type: "object", required: ["add"], properties: { add: { type: "integer" } } } } },
    async (request) => {
      const { add } = request.query;
      // Called again with the new row if another worker was faster: no point is lost.
      await tables.update("players", request.params.id, (row) => ({ score: (row.score ?? 0) + add }));
      return (await tables.row("players", request.params.id))?.row;
    },
  );

  draining.addEventListener("abort", () => app.log.info("this worker is about to leave"));
  app.log.info({ slot: app.drover.slot }, "the game is ready");
};

export default plugin;
