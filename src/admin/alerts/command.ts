/** The operator's own program, run for every alert: one at a time, with a deadline, without a shell. Nobody waits for it. */
import { spawn, type ChildProcess } from "node:child_process";
import { errnoOf, messageOf } from "../../base/errors.ts";
import type { Ms } from "../../base/units.ts";
import type { DeliveryResult, Notice } from "./view.ts";

interface Parts {
  command(): { readonly file: string; readonly timeout: Ms } | undefined;
  body(notice: Notice): string;
  done(notice: Notice, result: DeliveryResult, why: string): void;
}

export interface CommandSink {
  run(notice: Notice): void;
  /** Kills what runs, and runs nothing more. */
  close(): void;
}

const MOST_WAITING = 100;
const QUOTED = 500;
/** All that it gets of our environment. */
const KEPT = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER", "LOGNAME"];

export function createCommandSink({ command, body, done }: Parts): CommandSink {
  const queue: Notice[] = [];
  let running: ChildProcess | undefined;
  let closed = false;

  const next = (): void => {
    const target = command();
    const notice = closed || running !== undefined ? undefined : queue.shift();
    if (notice === undefined) return;
    if (target === undefined) return done(notice, "lost", "DROVER_ALERT_COMMAND is empty now");
    start(notice, target);
  };

  const start = (notice: Notice, { file, timeout }: { readonly file: string; readonly timeout: Ms }): void => {
    const cantRun = (error: unknown): string => `${file} can't be run: ${messageOf(error)}`;
    let child: ChildProcess;
    try {
      child = spawn(file, [], { detached: true, stdio: ["pipe", "ignore", "pipe"], env: environment(notice), cwd: "/" });
    } catch (error) {
      done(notice, "lost", cantRun(error)); // ENOMEM, EPERM, ENOTDIR, ETXTBSY are thrown, ENOENT and EACCES come as events
      return next();
    }
    running = child;
    let said = "";
    let late = false;
    let over = false;
    const expire = (): void => {
      late = true;
      const why = killGroup(child);
      if (why === undefined) return;
      child.unref();
      end(`${file} took longer than ${timeout} ms and can't be killed: ${why}`);
    };
    const timer = setTimeout(expire, timeout);
    const end = (why: string): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      child.stderr?.destroy(); // a process that the command left behind may hold it open
      child.stdin?.destroy();
      running = undefined;
      done(notice, why === "" ? "ok" : "lost", why);
      next();
    };
    child.once("error", (error) => end(cantRun(error)));
    child.once("exit", (code, signal) => {
      if (late) return end(`${file} took longer than ${timeout} ms and was killed`);
      if (code === 0) return end("");
      end(`${file} ${signal === null ? `exited with ${code}` : `was killed by ${signal}`}${said === "" ? "" : `: ${said.trim()}`}`);
    });
    child.stderr?.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(0, QUOTED)));
    child.stdin?.on("error", () => {}); // it did not read: its exit code tells
    child.stdin?.end(body(notice));
  };

  return {
    run(notice) {
      if (closed || command() === undefined) return;
      queue.push(notice);
      if (queue.length > MOST_WAITING) {
        const oldest = queue.shift();
        if (oldest !== undefined) done(oldest, "lost", `more than ${MOST_WAITING} alerts wait for the command`);
      }
      next();
    },
    close() {
      closed = true;
      queue.length = 0;
      if (running !== undefined) killGroup(running);
    },
  };
}

/** What a script needs without reading JSON. */
function environment({ alert, event, level, text }: Notice): NodeJS.ProcessEnv {
  const kept = KEPT.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]));
  return { ...Object.fromEntries(kept), ALERT: alert, ALERT_EVENT: event, ALERT_LEVEL: level, ALERT_TEXT: text };
}

/** It is the first of its own group: what it has started goes with it. @returns why it can't be killed: EPERM when it became another user. */
function killGroup({ pid }: ChildProcess): string | undefined {
  if (pid === undefined) return undefined;
  try {
    process.kill(-pid, "SIGKILL");
    return undefined;
  } catch (error) {
    return errnoOf(error) === "ESRCH" ? undefined : messageOf(error); // ESRCH: it has gone already
  }
}
