import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Who holds a listening TCP port, as far as /proc tells us (other users' processes keep their descriptors to themselves). */
export function portHolder(port: number): string | undefined {
  const inodes = new Set([...listeningInodes("/proc/net/tcp", port), ...listeningInodes("/proc/net/tcp6", port)]);
  if (inodes.size === 0) return undefined;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (holdsOne(pid, inodes)) return `pid ${pid} (${commandOf(pid)})`;
  }
  return "a process of another user";
}

/** /proc/net/tcp: sl local_address rem_address st … inode; 0A is LISTEN. */
function listeningInodes(file: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return readOr(file)
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(`:${hex}`) && fields[3] === "0A")
    .map((fields) => fields[9] ?? "");
}

function holdsOne(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) =>
      inodes.has(/^socket:\[(\d+)\]$/.exec(readlinkOr(`/proc/${pid}/fd/${fd}`))?.[1] ?? "none"),
    );
  } catch {
    return false; // another user's, or gone
  }
}

function commandOf(pid: string): string {
  const words = readOr(`/proc/${pid}/cmdline`).split("\0").filter(Boolean).join(" ");
  return words.length > 80 ? `${words.slice(0, 80)}…` : words || readOr(`/proc/${pid}/comm`).trim();
}

function readOr(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function readlinkOr(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}
