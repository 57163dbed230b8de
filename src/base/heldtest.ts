/** The self-test of held.ts, at every start of a daemon. */
import net, { type AddressInfo } from "node:net";
import { DroverError, messageOf } from "./errors.ts";
import { attachHandle, hold, pause, rawHandle, release } from "./held.ts";
import { http } from "./http.ts";

/**
 * Proves on this Node.js that a held handle can be bound, attached, paused and resumed, and that the application's server
 * notices nothing. Takes a few milliseconds and one loopback port.
 * @throws DroverError DROVER_E_RUNTIME saying which step failed.
 */
export async function selfTestHandles(): Promise<void> {
  let step = "bind";
  const server = http.createServer((_, res) => res.end("held"));
  try {
    const first = rawHandle({ host: "127.0.0.1", port: 0 });
    const listening = new Promise((resolve) => server.once("listening", resolve));
    step = "attach";
    attachHandle(server, first, 16);
    await listening;
    step = "address";
    const { port } = server.address() as AddressInfo;
    step = "accept";
    await answers(port);
    step = "attach a second handle";
    const second = rawHandle({ host: "127.0.0.1", port: 0 });
    const other = { port: 0 };
    second.getsockname?.(other);
    attachHandle(server, second, 16);
    await answers(other.port);
    step = "hold";
    if (!hold(server)) throw new Error("the sockets are no streams");
    const held = answers(port);
    const spell = new Promise<true>((resolve) => setTimeout(resolve, HELD_FOR, true));
    if ((await Promise.race([held, spell])) !== true) throw new Error("it accepted all the same");
    step = "release";
    release(server, 16);
    await held;
    step = "pause";
    let closed = false;
    server.once("close", () => (closed = true));
    if (pause(server) !== 2) throw new Error("not every handle was closed");
    if (closed || (server.address() as AddressInfo | null)?.port !== port || !server.listening) throw new Error("the server noticed");
    step = "resume";
    attachHandle(server, rawHandle({ host: "127.0.0.1", port }), 16);
    await answers(port);
  } catch (thrown) {
    if (thrown instanceof DroverError) throw thrown;
    const message = `the held sockets do not work on Node.js ${process.version}: ${step} failed (${messageOf(thrown)})`;
    throw new DroverError("DROVER_E_RUNTIME", `${message}; run drover with Node.js 26.4 to 26.x`, { cause: thrown });
  } finally {
    http.Server.prototype.close.call(server);
    server.closeAllConnections();
  }
}

/** How long the self-test waits for what must not happen, in ms. */
const HELD_FOR = 10;

function answers(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: "127.0.0.1", port }, () => socket.write("GET / HTTP/1.0\r\n\r\n"));
    socket.setTimeout(2_000, () => socket.destroy(new Error("no answer within 2 s")));
    socket.once("data", () => (socket.destroy(), resolve()));
    socket.once("error", reject);
  });
}
