// A Fastify plugin that says which path was asked for; /slow takes its time.
import { setTimeout as sleep } from "node:timers/promises";

export default async (app) => {
  app.get("/slow", async (request) => (await sleep(50), { url: request.url }));
  app.post("/echo", async (request) => ({ url: request.url }));
};
