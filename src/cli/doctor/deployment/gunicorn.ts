/** Gunicorn's options, on its command line and in gunicorn.conf.py: docs/from-gunicorn.md as a table. */
import { byMeaning, found, inSeconds, mapped, same, together, type Entry, type Meaning } from "./mapping.ts";
import type { Read } from "./finding.ts";

const MEANINGS: Readonly<Record<string, Meaning>> = {
  bind: { setting: "bind", text: same },
  backlog: { setting: "backlog", text: same },
  workers: { setting: "workers", text: same },
  worker_connections: { setting: "worker_connections", text: same },
  max_requests: { setting: "max_requests", text: same },
  max_requests_jitter: { setting: "max_requests_jitter", text: same },
  timeout: { setting: "timeout", text: inSeconds },
  graceful_timeout: { setting: "graceful_timeout", text: inSeconds },
  keepalive: { setting: "keep_alive", text: inSeconds },
  forwarded_allow_ips: { setting: "trusted_proxies", text: same },
  loglevel: { setting: "log_level", text: (text) => ({ warning: "warn", critical: "fatal" })[text] ?? text },
  certfile: { setting: "tls_cert", text: same },
  keyfile: { setting: "tls_key", text: same },
  worker_class: { why: "every worker runs an event loop, which is what gevent and its like add to Gunicorn" },
  threads: { why: "one event loop a worker; drover.threads is for computing" },
  preload_app: { why: "Node can't share a loaded program by fork; the workers are ready within seconds" },
  preload: { why: "Node can't share a loaded program by fork; the workers are ready within seconds" },
  daemon: { why: "systemd holds it: drover emit systemd" },
  user: { why: "User= of the unit that drover emit systemd writes; without a unit DROVER_USER" },
  group: { why: "Group= of the unit that drover emit systemd writes; without a unit DROVER_USER=USER:GROUP" },
  pid: { why: "drover.pid lies in the data directory" },
  pidfile: { why: "drover.pid lies in the data directory" },
  reload: { why: "drover reload, from your editor or deployment" },
  accesslog: { why: "DROVER_ACCESS_LOG=all writes JSON lines into the one log" },
  access_logfile: { why: "DROVER_ACCESS_LOG=all writes JSON lines into the one log" },
  errorlog: { why: "one log: DROVER_LOG_FILE" },
  error_logfile: { why: "one log: DROVER_LOG_FILE" },
  log_file: { why: "one log: DROVER_LOG_FILE" },
  capture_output: { why: "always so: each line of output stands in the log, with its worker's slot" },
  worker_tmp_dir: { why: "there are no heartbeat files" },
  chdir: { why: "WorkingDirectory= of the unit" },
  config: { why: "name that file to drover doctor deployment too" },
};

const OTHERWISE = "drover has no such option: docs/from-gunicorn.md";
const SHORT: Readonly<Record<string, string>> = {
  b: "bind",
  w: "workers",
  k: "worker_class",
  t: "timeout",
  c: "config",
  D: "daemon",
  u: "user",
  g: "group",
  p: "pid",
};
/** Options that stand alone. */
const ALONE = new Set(["preload", "preload_app", "daemon", "reload", "capture_output"]);

function option(entry: Entry): Read {
  const read = byMeaning(entry, MEANINGS, OTHERWISE);
  // In Gunicorn one setting, here two: silence of the loop, and the wait for an answer.
  return entry.name === "timeout" ? together([read, mapped(entry, "request_timeout", inSeconds(entry.text))]) : read;
}

/** `-w 4 --timeout=120 module:app`, after the word gunicorn. */
export function gunicornArguments(words: readonly string[], where: string): Read {
  const reads: Read[] = [];
  const binds: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const [, dashes = "", name = "", attached] = /^(-{1,2})([A-Za-z][\w-]*)(?:=(.*))?$/.exec(words[at] ?? "") ?? [];
    if (name === "") {
      reads.push(
        found({
          is: "ignored",
          where,
          what: String(words[at]),
          why: "a Python application: drover serves Node.js modules (DROVER_APP), or its own Sheets service",
        }),
      );
      continue;
    }
    const short = dashes === "-" ? name.charAt(0) : undefined;
    const long = (short === undefined ? name : (SHORT[short] ?? name)).replaceAll("-", "_");
    const inline = attached ?? (short !== undefined && name.length > 1 ? name.slice(1) : undefined);
    const text = inline ?? (ALONE.has(long) ? "on" : (words[(at += 1)] ?? ""));
    if (long === "bind") binds.push(text);
    else reads.push(option({ name: long, text, where }));
  }
  if (binds.length > 0) reads.push(option({ name: "bind", text: binds.join(","), where }));
  return together(reads);
}

/** gunicorn.conf.py: assignments of plain values. What is computed is told of, not run. */
export function gunicornFile(text: string, path: string): Read {
  const reads: Read[] = [];
  for (const [nr, line] of text.split("\n").entries()) {
    const where = `${path}:${nr + 1}`;
    const [, name, raw = ""] = /^([a-z_]+)\s*=\s*(.+?)\s*(?:#.*)?$/.exec(line) ?? [];
    if (name === undefined) {
      const [, hook] = /^def ([a-z_]+)\(/.exec(line) ?? [];
      if (hook !== undefined)
        reads.push(
          found({
            is: "ignored",
            where,
            what: `def ${hook}`,
            why: "a server hook: DROVER_HOOKS has five of them, docs/from-gunicorn.md says which is which",
          }),
        );
      continue;
    }
    const literal = /^(?:(\d+(?:\.\d+)?|True|False|None)|"([^"]*)"|'([^']*)')$/.exec(raw);
    const value = literal?.[1] ?? literal?.[2] ?? literal?.[3];
    if (value !== undefined) reads.push(option({ name, text: value, where }));
    else if (Object.hasOwn(MEANINGS, name))
      reads.push(
        found({ is: "ignored", where, what: `${name} = …`, why: "it is computed in Python: write the value into drover's env file" }),
      );
  }
  return together(reads);
}
