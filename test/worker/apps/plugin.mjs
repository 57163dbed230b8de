export const options = { bodyLimit: 10 };
export default async function (fastify) {
  fastify.get("/", async () => ({ form: "fastify" }));
  fastify.post("/", (request, reply) => void reply.send({ got: request.body }));
  fastify.addHook("onClose", async () => void (globalThis.closedPlugin = true));
}
