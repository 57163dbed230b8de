// A plain script that answers at once with its pid; `?until=PATH`: as soon as that file exists.
import { existsSync } from "node:fs";
import http from "node:http";

http
  .createServer((req, res) => {
    const until = new URL(req.url, "http://x").searchParams.get("until");
    const answer = () => (until === null || existsSync(until) ? res.end(`${process.pid}\n`) : setTimeout(answer, 20));
    answer();
  })
  .listen(3000);
