// Serves until /die is requested; after that each of its processes throws 50 ms after it listens.
import { existsSync, writeFileSync } from "node:fs";
import http from "node:http";

const MARK = "die-when-ready"; // in the folder the daemon runs in

http
  .createServer((req, res) => {
    if (req.url !== "/die") return res.end(`${process.pid}\n`);
    writeFileSync(MARK, "");
    process.exit(9);
  })
  .listen(3000, () => {
    if (existsSync(MARK))
      setTimeout(() => {
        throw new Error("on purpose, soon after it listens");
      }, 50);
  });
