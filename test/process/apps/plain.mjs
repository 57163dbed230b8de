// A plain script: it calls listen itself, on a port of its own choice, and knows nothing of drover.
import http from "node:http";

const server = http.createServer((req, res) => {
  if (req.url === "/loop") for (;;);
  if (req.url === "/micro") {
    const again = () => Promise.resolve().then(again);
    again();
  }
  if (req.url === "/exit") process.exit(9);
  if (req.url === "/throw") throw new Error("on purpose");
  if (req.url === "/print") {
    console.log("printed\nin two lines");
    console.error("and an error");
  }
  const wait = Number(new URL(req.url, "http://x").searchParams.get("ms") ?? 0);
  setTimeout(() => res.end(`${process.pid}\n`), wait);
});
server.listen(3000, () => console.log(`script listens on port ${server.address().port}`));
