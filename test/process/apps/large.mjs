// Answers with a string of 30 MB, all at once.
import http from "node:http";

let nr = 0;
http.createServer((_, res) => res.end(`${(nr += 1)} ${"é".repeat(15_000_000)}`)).listen(3000);
