// What a user would write: rows cached in the process for a TTL, one fetch at a time, the answer as prepared bytes.
// Run as it is by drover, PM2 and node:cluster. `/block?s=N` occupies the event loop.
const { readFileSync, writeFileSync } = require("node:fs");
const http = require("node:http");

const { BENCH_PORT, BENCH_ANSWER, BENCH_UPSTREAM, BENCH_TTL, BENCH_READY } = process.env;
const { headers, body } = JSON.parse(readFileSync(BENCH_ANSWER, "utf8"));
let answer = Buffer.from(body, "base64");
let freshUntil = BENCH_UPSTREAM ? 0 : Infinity;
let fetching;

async function fetchRows() {
  try {
    answer = Buffer.from(await (await fetch(BENCH_UPSTREAM)).arrayBuffer());
    freshUntil = performance.now() + Number(BENCH_TTL) * 1000;
  } finally {
    fetching = undefined;
  }
}

function send(res) {
  res.writeHead(200, headers);
  res.end(answer);
}

const server = http.createServer({ keepAliveTimeout: 75_000 }, (req, res) => {
  if (req.url.startsWith("/block")) {
    const end = performance.now() + Number(req.url.split("s=")[1]) * 1000;
    while (performance.now() < end);
    return res.end("done\n");
  }
  if (performance.now() < freshUntil) return send(res);
  (fetching ??= fetchRows()).then(
    () => send(res),
    () => res.writeHead(502).end(),
  );
});
server.listen(Number(BENCH_PORT), "127.0.0.1", 2048, () => BENCH_READY && writeFileSync(`${BENCH_READY}/${process.pid}`, ""));
