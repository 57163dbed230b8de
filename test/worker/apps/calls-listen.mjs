export default async function plugin(fastify) {
  await fastify.listen({ port: 3000 });
}
