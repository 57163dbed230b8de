// Two HTTP servers and a raw one: the first gets the daemon's sockets, the others listen where they say.
import http from "node:http";
import net from "node:net";

const answer = (req, res) => {
  if (req.url !== "/descriptor") return res.end(`${process.pid}\n`);
  http
    .createServer()
    .on("error", (error) => res.end(error.message))
    .listen({ fd: 3 });
};
http.createServer(answer).listen(3000);
http.createServer(answer).listen(Number(process.env.SECOND_PORT), "127.0.0.1");
net.createServer((socket) => socket.end(`${process.pid}\n`)).listen(process.env.SECOND_PATH);
