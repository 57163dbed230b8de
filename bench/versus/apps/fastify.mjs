// The same with Fastify; its log is off, as drover's access log is.
import { readFileSync, writeFileSync } from "node:fs";
import fastify from "fastify";

const { BENCH_PORT, BENCH_ANSWER, BENCH_READY } = process.env;
const { headers, body } = JSON.parse(readFileSync(BENCH_ANSWER, "utf8"));
const answer = Buffer.from(body, "base64");
const fields = {};
for (let i = 0; i < headers.length; i += 2) if (!/^content-length$/i.test(headers[i])) fields[headers[i]] = headers[i + 1];

const app = fastify({ logger: false });
app.get("/api/players", (_request, reply) => {
  reply.headers(fields).send(answer);
});
await app.listen({ port: Number(BENCH_PORT), host: "127.0.0.1", backlog: 2048 });
writeFileSync(`${BENCH_READY}/${process.pid}`, "");
