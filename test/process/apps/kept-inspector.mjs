// An application that does not let its inspector be closed.
import http from "node:http";

process.getBuiltinModule("node:inspector").close = () => {};
http.createServer((_, res) => res.end(`${process.pid}\n`)).listen(3000);
