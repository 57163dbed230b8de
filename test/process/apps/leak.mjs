// Opens files at /leak until the process may open no more.
import { openSync } from "node:fs";
import http from "node:http";

const held = [];
const leak = () => {
  for (;;) held.push(openSync("/dev/null", "r"));
};
http
  .createServer((req, res) => {
    try {
      if (req.url === "/leak") leak();
    } catch {} // none is left
    res.end(`${process.pid}\n`);
  })
  .listen(3000);
