export default async function plugin(fastify) {
  fastify.get("/", async () => "never");
  await new Promise(() => {});
}
