import { spawn } from "node:child_process";
import { fstatSync, statSync, write } from "node:fs";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { passedDescriptors } from "./activation.ts";
import { ffiSender } from "./notify-ffi.ts";

export type TransportName = "descriptor" | "ffi" | "systemd-notify" | "none";

/** One way to bring a datagram to systemd. `done` is called once: with what went wrong, or undefined when it was sent. */
export interface NotifyTransport {
  readonly name: TransportName;
  send(message: string, done: (failure: string | undefined) => void): void;
}

/** The descriptor's name in the unit: `OpenFile=/run/systemd/notify:notify:graceful` (systemd ≥ 253). */
export const NOTIFY_NAME = "notify";
const SPAWN_LIMIT_MS = 10_000;
const NONE: NotifyTransport = { name: "none", send: (_message, done) => done(undefined) };

type Maker = (env: NodeJS.ProcessEnv) => NotifyTransport | undefined;
const MAKERS: readonly (readonly [TransportName, Maker])[] = [
  ["descriptor", descriptor],
  ["ffi", ffi],
  ["systemd-notify", systemdNotify],
];

/**
 * The first way that works here, in the order of docs/adr/0002-sd-notify.md.
 * @param only limits the choice: for tests, and to measure one against the other.
 */
export function chooseTransport(env: NodeJS.ProcessEnv, log: Logger, only?: readonly TransportName[]): NotifyTransport {
  for (const [name, make] of MAKERS) {
    if (only !== undefined && !only.includes(name)) continue;
    try {
      const transport = make(env);
      if (transport !== undefined) return transport;
    } catch (e) {
      log.debug({ transport: name }, `this way to systemd does not work here: ${messageOf(e)}`);
    }
  }
  const socket = env["NOTIFY_SOCKET"];
  if (socket !== undefined && socket !== "" && only === undefined)
    log.warn(`NOTIFY_SOCKET is ${socket}, but nothing here can write to it: under Type=notify the start will time out`);
  return NONE;
}

/** PID 1 has connected the socket and passed it on: it knows the sender by the descriptor's writer, the master. */
function descriptor(env: NodeJS.ProcessEnv): NotifyTransport | undefined {
  const passed = passedDescriptors(env, process.pid).find((d) => d.name === NOTIFY_NAME);
  if (passed === undefined || !fstatSync(passed.fd).isSocket()) return undefined;
  // Not writeSync: the descriptor blocks while PID 1's queue is full, and then it is a thread of the pool that waits.
  return {
    name: "descriptor",
    send: (message, done) => write(passed.fd, message, (e) => done(e === null ? undefined : messageOf(e))),
  };
}

function ffi(env: NodeJS.ProcessEnv): NotifyTransport | undefined {
  const address = env["NOTIFY_SOCKET"];
  if (address === undefined || !/^[/@]./.test(address)) return undefined;
  const send = ffiSender(address);
  return { name: "ffi", send: (message, done) => done(send(Buffer.from(message)) ? undefined : `sendto(${address}) failed`) };
}

/** Without --no-block: the datagram names a sender that must still live when PID 1 looks it up. Needs NotifyAccess=all. */
function systemdNotify(env: NodeJS.ProcessEnv): NotifyTransport | undefined {
  const socket = env["NOTIFY_SOCKET"];
  const program = ["/usr/bin/systemd-notify", "/bin/systemd-notify"].find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  if (socket === undefined || socket === "" || program === undefined) return undefined;
  return { name: "systemd-notify", send: (message, done) => runProgram(program, message, socket, done) };
}

function runProgram(program: string, message: string, socket: string, done: (failure: string | undefined) => void): void {
  try {
    const child = spawn(program, message.split("\n"), { env: { NOTIFY_SOCKET: socket }, stdio: "ignore", timeout: SPAWN_LIMIT_MS });
    child.unref();
    child.once("error", (e) => done(`${program}: ${messageOf(e)}`));
    child.once("exit", (code, signal) => done(code === 0 ? undefined : `${program} ended with ${signal ?? code}`));
  } catch (e) {
    done(`${program}: ${messageOf(e)}`); // spawn throws on EAGAIN and EMFILE
  }
}
