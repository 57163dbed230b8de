// Tells how it was started, and prints as loggers and errors do.
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

createServer((req, res) => {
  if (req.url === "/log") {
    console.log(JSON.stringify({ level: 40, time: Date.now(), pid: process.pid, reqId: "req-1", msg: "a warning of pino's" }));
    console.error(new Error("with a stack", { cause: new TypeError("deeper") }));
  }
  const { NODE_APP_INSTANCE, DROVER_WORKER } = process.env;
  const isMain = process.argv[1] === fileURLToPath(import.meta.url);
  res.end(JSON.stringify({ pid: process.pid, isMain, args: process.argv.slice(2), NODE_APP_INSTANCE, DROVER_WORKER }));
}).listen(3000);
