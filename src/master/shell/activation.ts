/** A listening socket that systemd has bound and passed on (sd_listen_fds(3)). */
export interface PassedSocket {
  readonly fd: number;
  /** `FileDescriptorName=` of the socket unit. */
  readonly name: string;
}

const FIRST_FD = 3;
/** More than a unit can pass: PID 1 bounds the sum by the unit's LimitNOFILE. */
const MAX_FDS = 1_024;
const VARIABLES = ["LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES"];
/** Passed by OpenFile=, to write to: never to listen on. */
const NOT_LISTENING = "notify";

/**
 * All descriptors that systemd passed to this very process; `env` stays as it is.
 * @returns none when the variables are absent, unreadable, or meant for another process (a parent, a shell in between).
 */
export function passedDescriptors(env: NodeJS.ProcessEnv, pid: number): readonly PassedSocket[] {
  const count = env["LISTEN_FDS"] ?? "";
  if (env["LISTEN_PID"] !== String(pid) || !/^\d{1,4}$/.test(count) || Number(count) > MAX_FDS) return [];
  const names = (env["LISTEN_FDNAMES"] ?? "").split(":");
  return Array.from({ length: Number(count) }, (_, i) => ({ fd: FIRST_FD + i, name: names[i] || "unknown" }));
}

/** The listening sockets among them. Takes every LISTEN_* name out of `env`, so that no child believes they are its own. */
export function activatedSockets(env: NodeJS.ProcessEnv, pid: number): { readonly fds: readonly PassedSocket[] } {
  const fds = passedDescriptors(env, pid).filter((d) => d.name !== NOT_LISTENING);
  for (const name of VARIABLES) delete env[name];
  return { fds };
}
