/** PM2's ecosystem file: docs/from-pm2.md as a table. It is a program, so it is searched for plain values, never run. */
import { byMeaning, found, inMilliseconds, same, together, type Meaning } from "./mapping.ts";
import type { Read } from "./finding.ts";

const MEANINGS: Readonly<Record<string, Meaning>> = {
  script: { setting: "app", text: same },
  listen_timeout: { setting: "boot_timeout", text: inMilliseconds },
  kill_timeout: { setting: "graceful_timeout", text: inMilliseconds },
  max_memory_restart: { setting: "max_rss", text: (text) => text.toLowerCase() },
  exec_mode: { why: "several processes on one port, always" },
  watch: { why: "drover reload, from your editor or build" },
  wait_ready: { why: "ready is when your server listens" },
  autorestart: { why: "a worker that ends is replaced" },
  name: { why: "one daemon, one service; a second one is a second unit" },
  cwd: { why: "WorkingDirectory= of the unit" },
  cron_restart: { why: "DROVER_MAX_LIFETIME, or a systemd timer with drover reload" },
};
const WORDS = `${Object.keys(MEANINGS).join("|")}|instances|min_uptime|max_restarts|restart_delay|out_file|error_file|merge_logs|node_args|interpreter|args`;

/** A value that stands there as it is. Anything else is an expression, whose value only running the file would tell. */
const LITERAL = /^(?:-?\d+(?:\.\d+)?|true|false|null)$/;

const EXPRESSION = "an expression, which is not run here: write its value, or set drover's setting by hand (docs/from-pm2.md)";

/** Whether a name becomes a setting of drover. */
const settable = (name: string): boolean => name === "instances" || "setting" in (MEANINGS[name] ?? {});

/** How many applications a file describes: each has one script. */
const appsIn = (code: string): number => [...code.matchAll(/(?<![\w.-])["']?script["']?\s*:/g)].length;

export function ecosystem(text: string, path: string): Read {
  const code = text.replaceAll(/\/\*[^]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, " ")).replaceAll(/(?<!:)\/\/.*$/gm, "");
  const apps = appsIn(code);
  if (apps > 1)
    return found({
      is: "mistake",
      where: path,
      what: `${apps} applications in one file: no env file can stand for all of them, so none is written`,
      mend: "one drover supervises one application: give each a file of its own, run this command for each, and a unit each (drover install)",
    });
  const reads: Read[] = [];
  for (const [nr, line] of code.split("\n").entries())
    for (const [, name = "", , quoted, bare] of line.matchAll(
      new RegExp(`["']?\\b(${WORDS})["']?\\s*:\\s*(?:(["'\`])([^"'\`]*)\\2\\s*(?=[,}\\]]|$)|([^,}\\]]+))`, "g"),
    )) {
      const entry = { name, text: quoted ?? bare?.trim() ?? "", where: `${path}:${nr + 1}` };
      const isExpression = quoted === undefined ? !LITERAL.test(entry.text) : quoted.includes("${");
      if (isExpression && settable(name))
        reads.push(found({ is: "mistake", where: entry.where, what: `${name}: ${entry.text}`, mend: EXPRESSION }));
      else if (name !== "instances") reads.push(byMeaning(entry, MEANINGS, "drover has no such option: docs/from-pm2.md"));
      else if (/^[1-9]\d*$/.test(entry.text)) reads.push(byMeaning(entry, { instances: { setting: "workers", text: same } }, ""));
      else reads.push(byMeaning(entry, { instances: { why: "as many as there are processors: drover's own default is CPU × 4" } }, ""));
    }
  return together(reads);
}
