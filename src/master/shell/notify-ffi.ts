import type * as Ffi from "node:ffi";

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC_NONBLOCK = 0o2 | 0o2000000 | 0o4000;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
/** sizeof(sun_path) of unix(7). */
const MAX_PATH = 108;

/**
 * A function that sends one datagram to a unix socket through libc's sendto(2), from a socket opened once. It never waits:
 * false means that the receiver's queue is full, or that nobody listens there, and that the caller may try again.
 * Node itself can't create AF_UNIX datagram sockets. The constants are Linux's on every architecture that Node runs on but
 * MIPS; what is wrong with the calls shows before the first datagram, as getpid() is asked first.
 * @param address as in NOTIFY_SOCKET: a path, or "@name" in the abstract namespace.
 * @throws Error when this runtime has no working node:ffi (built without it, forbidden, another signature) or no socket is to be had.
 */
export function ffiSender(address: string): (datagram: Uint8Array) => boolean {
  const { getpid, socket, sendto } = libc();
  if (getpid() !== process.pid) throw new Error("node:ffi calls libc wrongly: getpid() is not this process");
  const fd = socket(AF_UNIX, SOCK_DGRAM_CLOEXEC_NONBLOCK, 0);
  if (fd < 0) throw new Error("socket(AF_UNIX, SOCK_DGRAM) failed");
  const to = socketAddress(address);
  return (datagram) =>
    sendto(fd, datagram, BigInt(datagram.byteLength), MSG_DONTWAIT_NOSIGNAL, to, to.byteLength) === BigInt(datagram.byteLength);
}

/** struct sockaddr_un; an abstract name is not terminated: its length counts. */
function socketAddress(address: string): Uint8Array {
  const path = Buffer.from(address.startsWith("@") ? `\0${address.slice(1)}` : address);
  if (path.byteLength >= MAX_PATH) throw new Error(`${address} is longer than a unix socket's address may be`);
  return Buffer.concat([new Uint8Array(Uint16Array.of(AF_UNIX).buffer), path]);
}

function libc() {
  if (process.platform !== "linux") throw new Error("only on Linux");
  return importFfi().dlopen(null, {
    getpid: { arguments: [], return: "i32" },
    socket: { arguments: ["i32", "i32", "i32"], return: "i32" },
    sendto: { arguments: ["i32", "buffer", "u64", "i32", "buffer", "u32"], return: "i64" },
  }).functions;
}

/** Loads node:ffi without its ExperimentalWarning, and without hiding any other: it is emitted inside this very call. */
function importFfi(): typeof Ffi {
  const original = Object.getOwnPropertyDescriptor(process, "emitWarning") ?? {};
  const emit = process.emitWarning.bind(process);
  process.emitWarning = (warning: string | Error, ...rest: never[]) => {
    if (!String(warning).startsWith("FFI is an experimental feature")) emit(warning, ...rest);
  };
  try {
    const ffi = process.getBuiltinModule("node:ffi");
    if (ffi === undefined) throw new Error("this Node.js has no node:ffi");
    return ffi;
  } finally {
    Object.defineProperty(process, "emitWarning", original);
  }
}
