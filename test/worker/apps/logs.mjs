export default async function plugin(fastify) {
  fastify.get("/slot", async (request) => (request.log.info("own line"), { slot: fastify.drover.slot }));
  fastify.get("/fails", async () => Promise.reject(new Error("the route failed")));
}
