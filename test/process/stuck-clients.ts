/** Clients that know which worker holds their connection: by its answers, or, before the first one, by the kernel's tables. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A connection that ended without the answer that it waited for. */
export interface Lost {
  readonly code: string;
  /** The worker that had accepted it; "none": the kernel still queued it when it was last looked at; undefined: it was not seen. */
  readonly owner: number | "none" | undefined;
  readonly habit: "kept" | "fresh";
}

export interface Crowd {
  readonly lost: readonly Lost[];
  answered(): number;
  stop(): Promise<void>;
}

/** @param workers their pids now. */
export function crowd(
  port: number,
  numbers: { readonly kept: number; readonly fresh: number },
  workers: () => Promise<readonly number[]>,
): Crowd {
  const owners = new Map<number, number | "none">();
  const lost: Lost[] = [];
  const state = { on: true, answered: 0 };

  const client = async (habit: "kept" | "fresh", nr: number): Promise<void> => {
    await sleep(nr % THINK);
    while (state.on) {
      const socket = net.connect(port, "127.0.0.1");
      socket.setEncoding("latin1");
      const ended = new Promise<string>((resolve) => {
        socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code ?? "error")).once("close", () => resolve("closed"));
      });
      let own = 0;
      socket.once("connect", () => {
        own = socket.localPort ?? 0;
        owners.delete(own); // of the one that had this port before
      });
      for (let left = habit === "kept" ? Infinity : 1; state.on && left > 0; left -= 1) {
        const keep = habit === "kept" ? "keep-alive" : "close";
        socket.write(`GET / HTTP/1.1\r\nHost: t\r\nConnection: ${keep}\r\n\r\n`);
        const pid = await Promise.race([answer(socket), ended]);
        if (typeof pid === "string") {
          lost.push({ code: pid, owner: owners.get(own), habit });
          break;
        }
        owners.set(own, pid);
        state.answered += 1;
        await sleep(THINK);
      }
      socket.destroy();
    }
  };

  const look = async (): Promise<void> => {
    while (state.on) {
      const holders = socketHolders(await workers());
      for (const [remote, inode] of serverSide(port)) {
        const owner = inode === "0" ? "none" : holders.get(inode);
        if (owner !== undefined && typeof owners.get(remote) !== "number") owners.set(remote, owner);
      }
      await sleep(LOOK_EVERY);
    }
  };

  const many = (habit: "kept" | "fresh") => Array.from({ length: numbers[habit] }, (_, nr) => client(habit, nr));
  const running = [...many("kept"), ...many("fresh"), look()];
  return {
    lost,
    answered: () => state.answered,
    async stop() {
      state.on = false;
      await Promise.all(running);
    },
  };
}

const THINK = 500;
const LOOK_EVERY = 100;

/** The pid in the body of one answer. */
function answer(socket: net.Socket): Promise<number> {
  return new Promise((resolve) => {
    let text = "";
    const take = (chunk: string): void => {
      text += chunk;
      const body = /\r\n\r\n(?:[0-9a-f]+\r\n)?(\d+)\n/.exec(text)?.[1];
      if (body === undefined) return;
      socket.off("data", take);
      resolve(Number(body));
    };
    socket.on("data", take);
  });
}

/** Of each connection to that port, by the client's port: the inode of the server's end; "0" while the kernel queues it. */
function serverSide(port: number): [number, string][] {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = readFileSync("/proc/self/net/tcp", "latin1").split("\n");
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1] === local && fields[3] === "01")
    .map((fields) => [Number.parseInt(fields[2]?.split(":")[1] ?? "0", 16), fields[9] ?? ""]);
}

function socketHolders(pids: readonly number[]): Map<string, number> {
  const holders = new Map<string, number>();
  for (const pid of pids)
    for (const fd of descriptorsOf(pid)) {
      const inode = /^socket:\[(\d+)\]$/.exec(fd)?.[1];
      if (inode !== undefined) holders.set(inode, pid);
    }
  return holders;
}

function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    return []; // the process, or one of its sockets, has gone meanwhile: the next look sees the others
  }
}
