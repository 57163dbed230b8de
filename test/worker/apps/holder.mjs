// Stands for the master: holds one bound socket and sends copies of it, as many as it is asked for.
import net from "node:net";

const handle = net._createServerHandle("127.0.0.1", 0, 4, undefined, 0);
process.on("message", (count) => {
  for (let nr = 0; nr < count; nr += 1) process.send({ copy: nr }, handle, { keepOpen: true });
});
process.on("disconnect", () => process.exit(0));
const out = {};
handle.getsockname(out);
process.send({ port: out.port });
