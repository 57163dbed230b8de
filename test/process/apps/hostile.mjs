// An application that does to its supervisor what no application should: the path says what.
import { spawn } from "node:child_process";
import { closeSync, writeSync } from "node:fs";
import http from "node:http";
import net from "node:net";

const send = (...messages) => messages.forEach((message) => process.send(message));
const times = (n, run) => Array.from({ length: n }, run);

/** Descriptor 3 does not block: it is tried again while the master reads. */
function writeEndless(bytes) {
  const chunk = Buffer.alloc(65_536, "x");
  let done = 0;
  while (done < bytes)
    try {
      done += writeSync(3, chunk);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
}

const acts = {
  garbage: () => writeSync(3, "this is no message\n"),
  endless: () => writeEndless(6_000_000),
  bogus: () => send({ cmd: "NODE_HANDLE", type: "bogus" }),
  ack: () => send({ cmd: "NODE_HANDLE_ACK" }),
  query: () => send({ cmd: "NODE_CLUSTER", act: "queryServer", address: {}, port: {}, addressType: 4, fd: -1, index: 0, seq: 9 }),
  close3: () => closeSync(3),
  disconnect: () => process.disconnect(),
  forged: () =>
    send(null, 1, "x", [], { type: "ready" }, { type: "ready", where: "x" }, { type: "drained", served: 1 }, { type: "beat" }, { type: "__proto__" }, { type: "holds", connections: -1 }), // prettier-ignore
  holds: () => times(5_000, (_, i) => send({ type: "holds", connections: i })),
  flood: () => times(50_000, (_, i) => send({ hello: i })),
  huge: () => send({ x: "y".repeat(3_000_000) }),
  handles: () =>
    times(20, () =>
      net.connect(server.address().port, "127.0.0.1", function give() {
        process.send({ take: "this" }, this);
      }),
    ),
  lines: () => times(80, () => writeSync(1, "x\n".repeat(32_768))),
  long: () => times(400, () => writeSync(1, "y".repeat(65_536))),
  child: () => spawn("sleep", ["60"], { stdio: "inherit", detached: true }).unref(),
  exit: () => process.exit(78),
};

const server = http.createServer((req, res) => {
  const act = acts[req.url.slice(1)];
  res.end(`${process.pid}\n`, () => act?.());
});
server.listen(3000);
