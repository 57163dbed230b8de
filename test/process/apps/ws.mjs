// A WebSocket server as ws documents it: one HTTP server, an echo, and permessage-deflate on.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const server = createServer((req, res) => res.end(`${process.pid}\n`));
const sockets = new WebSocketServer({ server, perMessageDeflate: { threshold: 16 } });

sockets.on("connection", (socket, req) => {
  socket.on("error", console.error);
  socket.on("message", (data, binary) => socket.send(data, { binary }));
  if (req.url === "/flood") {
    const timer = setInterval(() => socket.send("x".repeat(100_000)), 5);
    socket.on("close", () => clearInterval(timer));
  }
});
server.listen(3000);
