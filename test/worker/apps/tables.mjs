export default async function plugin(fastify) {
  const { tables } = fastify.drover;
  fastify.get("/", () => tables.read("players"));
}
