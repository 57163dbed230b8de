export default async function plugin(fastify) {
  fastify.get("/slot", (request, reply) => {
    request.log.info("own line");
    reply.send({ slot: fastify.drover.slot });
  });
  fastify.get("/fails", () => {
    throw new Error("the route failed");
  });
}
