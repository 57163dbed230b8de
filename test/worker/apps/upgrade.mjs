import http from "node:http";

const server = http.createServer((req, res) => res.end("plain"));
server.on("upgrade", (req, socket) => {
  socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  socket.on("error", () => {});
});
server.listen(0);
