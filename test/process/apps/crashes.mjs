// Serves until somebody asks for /die; after that each of its processes dies while it starts.
import { existsSync, writeFileSync } from "node:fs";
import http from "node:http";

const MARK = "die-at-start"; // in the folder the daemon runs in

if (existsSync(MARK)) throw new Error("on purpose, while it starts");
http
  .createServer((req, res) => {
    if (req.url !== "/die") return res.end(`${process.pid}\n`);
    writeFileSync(MARK, "");
    process.exit(9);
  })
  .listen(3000);
