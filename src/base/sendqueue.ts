/**
 * What the kernel still has of a connection's answer. A writer learns of progress only once a third of the send buffer, which grows to
 * 4 MiB, is free (tcp(7)): a slow client reads for half a minute and more without any.
 */
import { fstatSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { withReserve } from "./descriptors.ts";

/** Bytes that the client has not acknowledged, by the socket's inode: the columns of proc_net_tcp(5). */
export function parseSendQueues(table: string): Map<number, number> {
  const queues = new Map<number, number>();
  for (const line of table.split("\n").slice(1)) {
    const [, , , , queued = "", , , , , inode = ""] = line.trim().split(/\s+/);
    if (inode !== "" && inode !== "0") queues.set(Number(inode), Number.parseInt(queued, 16));
  }
  return queues;
}

/** @returns a function that tells a socket's bytes; undefined: not known (a unix socket, another system). The tables are read at its first use. */
export function sendQueues(): (socket: Socket) => number | undefined {
  let queues: Map<number, number> | undefined;
  return (socket) => {
    const fd = descriptorOf(socket);
    if (fd === undefined) return undefined;
    queues ??= new Map(["tcp", "tcp6"].flatMap((name) => [...parseSendQueues(readTable(name))]));
    return queues.get(fstatSync(fd).ino);
  };
}

function readTable(name: string): string {
  try {
    return withReserve(() => readFileSync(`/proc/self/net/${name}`, "latin1"));
  } catch {
    return ""; // not Linux, no IPv6, no descriptor: connections are judged by what the kernel has taken
  }
}

/** Bytes that the kernel has taken. `writeQueueSize` is libuv's own queue (Node's socket timeout looks at it too). */
export function leftSocket(socket: Socket): number {
  const { _handle } = socket as unknown as { _handle?: { writeQueueSize?: number } | null };
  return socket.bytesWritten - (_handle?.writeQueueSize ?? 0);
}

/** Bytes that the client has acknowledged; where that is not known, those that the kernel has taken. */
export const acknowledged = (socket: Socket): number => leftSocket(socket) - (sendQueues()(socket) ?? 0);

/** Of a TLS connection its transport's. */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle, _parent } = socket as unknown as { _handle?: { fd?: number } | null; _parent?: { _handle?: { fd?: number } | null } };
  const fd = _handle?.fd ?? _parent?._handle?.fd;
  return fd !== undefined && fd >= 0 ? fd : undefined;
}
