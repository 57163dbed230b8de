import { fastify } from "fastify";

const app = fastify();
app.get("/", async () => ({ script: "fastify" }));
globalThis.scriptAddress = await app.listen({ port: 3000 }); // "localhost": Fastify tries ::1 as well
globalThis.scriptAddresses = app.addresses();
