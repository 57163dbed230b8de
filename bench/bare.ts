/**
 * The yardstick: `writeHead` and `end(buffer)` of the same bytes and headers, same workers, same flags, no library. `spread`: each worker has a socket of
 * its own, and the kernel spreads connections over them by their hash (SO_REUSEPORT), so that all of them are at work, as drover's are.
 */
import { fork } from "node:child_process";
import cluster from "node:cluster";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { attachHandle, isRawHandle } from "../src/base/held.ts";

const [mode, workers, answerFile] = process.argv.slice(2);

function serve(): http.Server {
  const { headers, body } = JSON.parse(readFileSync(answerFile ?? "", "utf8")) as { headers: string[]; body: string };
  const buffer = Buffer.from(body, "base64");
  const server = http.createServer({ keepAliveTimeout: 75_000 }, (_req, res) => {
    res.writeHead(200, headers);
    res.end(buffer);
  });
  return server;
}

if (process.send !== undefined && mode === "held") {
  const server = serve();
  process.on("message", (_message, handle) => {
    if (!isRawHandle(handle)) return;
    attachHandle(server, handle, 2_048);
    process.send?.("ready");
  });
  process.on("disconnect", () => process.exit(0));
} else if (process.send !== undefined && mode === "spread") {
  const server = serve();
  process.on("message", (port: number) => {
    server.listen({ port, host: "127.0.0.1", reusePort: true }, () => process.send?.((server.address() as net.AddressInfo).port));
  });
  process.on("disconnect", () => process.exit(0));
} else if (mode === "spread") {
  let port = 0; // the kernel's choice for the first, the same for the others
  for (let i = 0; i < Number(workers); i += 1) {
    const child = fork(process.argv[1] ?? "", process.argv.slice(2));
    child.send(port);
    [port] = (await once(child, "message")) as [number];
  }
  process.stdout.write(`http://127.0.0.1:${port}\n`);
  process.on("SIGINT", () => process.exit(0));
} else if (mode === "held") {
  const bound = new net.BoundSocket({ host: "127.0.0.1", port: 0 });
  const make = (net as unknown as { _createServerHandle(a: null, b: null, c: null, fd: number): never })._createServerHandle;
  const raw = make(null, null, null, bound.fd());
  let ready = 0;
  for (let i = 0; i < Number(workers); i += 1) {
    const child = fork(process.argv[1] ?? "", process.argv.slice(2));
    child.on("message", () => {
      ready += 1;
      if (ready === Number(workers)) process.stdout.write(`http://127.0.0.1:${bound.address().port}\n`);
    });
    child.send({}, raw);
  }
  process.on("SIGINT", () => process.exit(0));
} else if (cluster.isPrimary) {
  let ready = 0;
  cluster.on("listening", (_worker, address) => {
    ready += 1;
    if (ready === Number(workers)) process.stdout.write(`http://127.0.0.1:${address.port}\n`);
  });
  for (let i = 0; i < Number(workers); i += 1) cluster.fork();
  process.on("SIGINT", () => process.exit(0));
} else {
  serve().listen(0, "127.0.0.1");
}
