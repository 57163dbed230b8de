import http from "node:http";

http.createServer((req, res) => res.end("first")).listen({ port: 80, host: "::" });
globalThis.second = http.createServer((req, res) => res.end("second")).listen(0, "127.0.0.1");
