// Stands in for node:http2 in a worker of the built-in service (bin/bundle.mjs). Fastify loads it for servers that speak it, and this one has a
// server of its own: 5 ms of CPU at every start, and 18 for TLS below it (src/base/http.ts). It comes with the first call.
const http2 = () => process.getBuiltinModule("node:http2");
exports.createServer = (...given) => http2().createServer(...given);
exports.createSecureServer = (...given) => http2().createSecureServer(...given);
