// Every way of being stuck, each in a function of its own: the death record must name it and its line.
import http from "node:http";

function forever() {
  for (;;);
}
function microtasks() {
  return Promise.resolve().then(microtasks);
}
function catastrophe() {
  return /^(a+)+$/.test(`${"a".repeat(60)}!`);
}
const held = [];
function hoard() {
  for (;;) held.push(Array.from({ length: 10_000 }, (_, i) => ({ i })));
}

const ways = { "/loop": forever, "/micro": microtasks, "/regexp": catastrophe, "/hoard": hoard };

http
  .createServer((req, res) => {
    const path = req.url.split("?")[0];
    if (path in ways) ways[path]();
    else if (path !== "/hang") res.end(`${process.pid}\n`);
  })
  .listen(3000);
