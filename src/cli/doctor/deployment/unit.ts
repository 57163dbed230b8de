/** A systemd unit: how it starts what it starts, as whom, and what it allows it. */
import { SECRET_NAME, type Read } from "./finding.ts";
import { gunicornArguments } from "./gunicorn.ts";
import { bySettings, found, mapped, together } from "./mapping.ts";

interface Line {
  readonly name: string;
  readonly text: string;
  readonly where: string;
}

/** What the other files are judged by. */
export interface UnitFacts extends Read {
  /** TimeoutStopSec= in seconds; undefined: systemd's 90. */
  readonly stopSeconds: number | undefined;
  readonly openFiles: number | undefined;
}

function linesOf(text: string, path: string): Line[] {
  const found: Line[] = [];
  let at = 0;
  let section = "";
  for (const joined of text.replaceAll(/\\\n/g, "\u0000").split("\n")) {
    const where = `${path}:${(at += 1)}`;
    at += joined.split("\u0000").length - 1;
    const line = joined.replaceAll("\u0000", " ").trim();
    section = /^\[(\w+)\]$/.exec(line)?.[1] ?? section;
    const [, name, value = ""] = /^([A-Z]\w+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined && section === "Service") found.push({ name, text: value.trim(), where });
  }
  return found;
}

/** Words of a command line, without quotes. */
const words = (text: string): string[] =>
  Array.from(text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g), ([, double, single, bare]) => double ?? single ?? bare ?? "");

export function unitFile(text: string, path: string): UnitFacts {
  const lines = linesOf(text, path);
  const of = (name: string): Line | undefined => lines.findLast((line) => line.name === name);
  const reads: Read[] = lines.map(serviceLine);
  const user = of("User");
  if ((user === undefined && of("DynamicUser")?.text !== "yes") || user?.text === "root" || user?.text === "0")
    reads.push(
      found({
        is: "mistake",
        where: user?.where ?? path,
        what: user === undefined ? "no User=: it runs as root" : "User=root",
        mend: "whoever breaks in owns the machine. drover emit systemd makes a user of its own, without rights",
      }),
    );
  if (of("Restart") === undefined)
    reads.push(
      found({
        is: "mistake",
        where: path,
        what: "no Restart=: what dies stays dead",
        mend: "the unit of drover emit systemd starts it again",
      }),
    );
  return {
    ...together(reads),
    stopSeconds: secondsOf(of("TimeoutStopSec")?.text),
    openFiles: Number(of("LimitNOFILE")?.text.split(":")[0] ?? NaN) || undefined,
  };
}

function serviceLine(line: Line): Read {
  const { name, text, where } = line;
  if (name === "ExecStart") return command(line);
  if (name === "Environment") return together(words(text).map((pair) => variable(pair, where)));
  if (name === "EnvironmentFile")
    return found({
      is: "ignored",
      where,
      what: `EnvironmentFile=${text}`,
      why: "drover reads its env file itself, at every reload; name that file to drover doctor deployment too",
    });
  if (name === "WorkingDirectory")
    return found({
      is: "ignored",
      where,
      what: `WorkingDirectory=${text}`,
      why: "paths in drover's env file are absolute; an application may want it in a drop-in",
    });
  if (name === "LimitNOFILE" || name === "TimeoutStopSec" || name === "Restart")
    return found({ is: "ignored", where, what: `${name}=${text}`, why: "the unit of drover emit systemd has its own" });
  return together([]);
}

function variable(pair: string, where: string): Read {
  const [, name = pair, text = ""] = /^([^=]*)=([^]*)$/.exec(pair) ?? [];
  if (SECRET_NAME.test(name) && text !== "" && name !== "GOOGLE_APPLICATION_CREDENTIALS")
    return found({
      is: "mistake",
      where,
      what: `the secret ${name} stands in the unit`,
      mend: "systemctl show tells it to every user: put it into an env file, 0640",
    });
  return (
    bySettings({ name, text, where }) ??
    found({ is: "ignored", where, what: name, why: "not drover's: an application's variables belong in a drop-in of the new unit" })
  );
}

function command({ text, where }: Line): Read {
  const all = words(text.replace(/^[-@:+!|]+/, ""));
  const shell = /\/?(?:ba|da)?sh$/.test(all[0] ?? "") && all[1] === "-c";
  const inner = shell ? words(all[2] ?? "") : all;
  const reads: Read[] = [];
  if (shell && inner[0] !== "exec")
    reads.push(
      found({
        is: "mistake",
        where,
        what: "a shell stands between systemd and the service",
        mend: "TERM reaches the shell alone: write exec before the command, or no shell",
      }),
    );
  const at = inner.findIndex((word) => /(?:^|\/)gunicorn$/.test(word));
  if (at >= 0) return together([...reads, gunicornArguments(inner.slice(at + 1), where)]);
  const node = inner.findIndex((word) => /(?:^|\/)node(?:js)?$/.test(word));
  const script = node < 0 ? undefined : inner.slice(node + 1).find((word) => !word.startsWith("-"));
  if (script !== undefined) return together([...reads, mapped({ name: "ExecStart", text: script, where }, "app", script)]);
  return together([
    ...reads,
    found({ is: "ignored", where, what: text, why: "ExecStart= of the new unit starts drover; your application is DROVER_APP" }),
  ]);
}

function secondsOf(text: string | undefined): number | undefined {
  const [, digits, unit = "s"] = /^(\d+)\s*(s|sec|min|m|ms)?$/.exec(text ?? "") ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * (unit.startsWith("mi") || unit === "m" ? 60 : unit === "ms" ? 0.001 : 1);
}
