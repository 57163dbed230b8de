// A Fastify plugin that says which path was asked for; /slow takes its time.
import { setTimeout as sleep } from "node:timers/promises";

export default async (app) => {
  app.get("/slow", (request) => sleep(50, { url: request.url }));
  app.post("/echo", (request) => ({ url: request.url }));
};
