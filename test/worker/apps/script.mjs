import http from "node:http";
import { once } from "node:events";

const server = http.createServer((req, res) => {
  if (req.url === "/address") return void res.end(JSON.stringify(server.address()));
  if (req.url === "/events") {
    res.writeHead(200, { "Content-Type": "text/event-stream" });
    const timer = setInterval(() => res.write("data: x\n\n"), 5);
    res.on("close", () => clearInterval(timer));
    return;
  }
  if (req.url === "/slow") return; // never answers
  res.end("script");
});
globalThis.scriptServer = server;
let called = false;
server.listen(3000, "0.0.0.0", () => (called = true));
await once(server, "listening");
if (!called) throw new Error("the callback of listen was not called before its event");
