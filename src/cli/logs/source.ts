/** Which log is read: the one that is named, what is piped in, or the one that the daemon of these settings writes. */
import { existsSync, fstatSync, readFileSync } from "node:fs";
import { DroverError } from "../../base/errors.ts";
import { seconds } from "../../base/units.ts";
import type { Settings } from "../../settings/table.ts";
import { askStatus } from "../client.ts";

export type Source = { readonly file: string } | "stdin";

const PATIENCE = seconds(2);

/** @param named a file, or `-`. @throws DroverError where the log is no file of ours. */
export async function findSource(settings: Settings, named: string | undefined): Promise<Source> {
  if (named !== undefined) return named === "-" ? "stdin" : { file: named };
  if (isPiped()) return "stdin";
  const status = await askStatus(settings, PATIENCE).catch((error: unknown) => {
    if (error instanceof DroverError) return undefined; // it does not run, or not for us: its log is there all the same
    throw error;
  });
  const { log_file: target } = settings;
  const file = status?.log ?? ("file" in target ? target.file : "-");
  if (file !== "-") return { file };
  throw new DroverError("DROVER_E_USAGE", `the log goes to standard output, not to a file: ${elsewhere(status?.pid)}`);
}

/** A pipe or a file; what a terminal, a socket or /dev/null has to say is no log. */
function isPiped(): boolean {
  try {
    const kind = fstatSync(0);
    return kind.isFIFO() || kind.isFile();
  } catch {
    return false; // there is no standard input
  }
}

function elsewhere(pid: number | undefined): string {
  const docker = "in a container: docker logs -f CONTAINER 2>&1 | drover logs";
  const unit = unitOf(pid);
  const journal = `journalctl -u ${unit ?? "drover"} -o cat -n 1000 -f | drover logs`;
  if (unit !== undefined) return journal;
  return existsSync("/run/systemd/system") ? `${journal}; ${docker}` : docker;
}

/** The service of systemd that a process belongs to. */
function unitOf(pid: number | undefined): string | undefined {
  try {
    const groups = pid === undefined ? "" : readFileSync(`/proc/${pid}/cgroup`, "utf8");
    return /\/(drover[\w@.:-]*\.service)(?:\/|$)/m.exec(groups)?.[1];
  } catch {
    return undefined; // it has just ended
  }
}
