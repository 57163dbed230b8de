import type { Logger } from "../../base/log.ts";
import type { Ms } from "../../base/units.ts";
import { watchdogInterval } from "./watchdog.ts";
import { chooseTransport, type NotifyTransport, type TransportName } from "./notify-transport.ts";

/** What the master tells systemd (sd_notify(3)). Nothing here throws, blocks the loop or keeps the process alive. */
export interface Notifier {
  /** Start or reload is over: work can be done, and the watchdog begins. `status` is the text of `systemctl status`. */
  ready(status: string): void;
  /** A reload begins; `ready` ends it. */
  reloading(): void;
  stopping(): void;
  /** Asks for `usec` more microseconds, from now, before systemd's start or stop timeout strikes. */
  extend(usec: number): void;
  /** At most one a second is sent: the newest. */
  status(text: string): void;
  /** A sign of life for the watchdog; before `ready` it is none. */
  alive(): void;
  /** Without a sign of life for so long systemd kills the master; undefined when it does not watch. */
  readonly watchdog: Ms | undefined;
  /** How it is sent; "none" without systemd, and then every call is a no-op. */
  readonly transport: TransportName;
}

/** One datagram on its way. */
interface Message {
  readonly kind: "state" | "status" | "extend" | "alive";
  readonly text: string;
  tries: number;
}

/** Real use queues three or four; more means that PID 1 does not read, and then old news are worth nothing. */
const MAX_QUEUE = 16;
/** A full receive queue of PID 1 (it reloads, it is starved) clears within seconds or not at all: ten, then it is given up. */
const RETRY_MS = 200;
const MAX_TRIES = 50;
const STATUS_EVERY_MS = 1_000;
/** systemd shows one line; a datagram of this size always fits. */
const MAX_STATUS = 512;

/**
 * Takes NOTIFY_SOCKET and WATCHDOG_* out of `env`, so that no child inherits them, and picks the way datagrams are sent once and for all
 * (docs/adr/0002-sd-notify.md). Call it before `activatedSockets`, which takes the LISTEN_* names away.
 */
export function createNotifier(env: NodeJS.ProcessEnv, log: Logger, only?: readonly TransportName[]): Notifier {
  const transport = chooseTransport(env, log, only);
  delete env["NOTIFY_SOCKET"];
  const watchdog = watchdogInterval(env, process.pid, log);
  if (transport.name === "none") return SILENT;
  const outbox = new Outbox(transport, log);
  const post = (kind: Message["kind"], text: string) => outbox.post({ kind, text, tries: 0 });
  let watched = false;
  return {
    transport: transport.name,
    watchdog,
    ready(status) {
      watched = watchdog !== undefined;
      post("state", `READY=1\nSTATUS=${oneLine(status)}${watched ? "\nWATCHDOG=1" : ""}`);
    },
    alive() {
      if (watched) post("alive", "WATCHDOG=1");
    },
    reloading: () => post("state", `RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`),
    stopping: () => post("state", "STOPPING=1"),
    extend: (usec) => post("extend", `EXTEND_TIMEOUT_USEC=${Math.max(1, Math.ceil(Number.isFinite(usec) ? usec : 1))}`),
    status: (text) => post("status", `STATUS=${oneLine(text)}`),
  };
}

const SILENT: Notifier = {
  transport: "none",
  watchdog: undefined,
  alive: () => {},
  ready: () => {},
  reloading: () => {},
  stopping: () => {},
  extend: () => {},
  status: () => {},
};

/** systemd drops a STATUS= that is not UTF-8 and reads a line feed as the end of the assignment. */
function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/\p{Cc}+/gu, " ")
    .trim()
    .slice(0, MAX_STATUS)
    .toWellFormed();
}

/** Sends messages in the order they were posted, one at a time, and tries again what PID 1 could not take. */
class Outbox {
  readonly #transport: NotifyTransport;
  readonly #log: Logger;
  #queue: Message[] = [];
  #inFlight: Message | undefined;
  /** While it runs nothing is sent: PID 1 could not take the message that is first. */
  #retry: NodeJS.Timeout | undefined;
  /** Until the next text may leave; everything else goes meanwhile. */
  #textDue: NodeJS.Timeout | undefined;
  #statusAt = Number.NEGATIVE_INFINITY;

  constructor(transport: NotifyTransport, log: Logger) {
    this.#transport = transport;
    this.#log = log;
  }

  post(message: Message): void {
    this.#queue = this.#queue.filter((old) => old === this.#inFlight || !supersedes(message, old));
    this.#queue.push(message);
    if (this.#queue.length > MAX_QUEUE) this.#drop(this.#queue[this.#inFlight === undefined ? 0 : 1], "too many messages wait");
    this.#next();
  }

  #next(): void {
    if (this.#inFlight !== undefined || this.#retry !== undefined) return;
    const statusDue = this.#statusAt + STATUS_EVERY_MS - performance.now();
    const message = this.#queue.find((m) => m.kind !== "status" || statusDue <= 0);
    if (message !== undefined) {
      this.#inFlight = message;
      message.tries += 1;
      this.#transport.send(message.text, (failure) => this.#sent(message, failure));
    } else if (this.#queue.length > 0 && this.#textDue === undefined)
      this.#textDue = this.#later(statusDue, () => (this.#textDue = undefined));
  }

  #sent(message: Message, failure: string | undefined): void {
    this.#inFlight = undefined;
    if (failure !== undefined && message.tries < MAX_TRIES) {
      this.#retry = this.#later(RETRY_MS, () => (this.#retry = undefined));
      return;
    }
    if (failure !== undefined) this.#drop(message, failure);
    this.#queue = this.#queue.filter((m) => m !== message);
    if (message.text.includes("STATUS=")) this.#statusAt = performance.now();
    this.#next();
  }

  #later(wait: number, over: () => void): NodeJS.Timeout {
    return setTimeout(() => {
      over();
      this.#next();
    }, wait).unref();
  }

  #drop(message: Message | undefined, why: string): void {
    this.#queue = this.#queue.filter((m) => m !== message);
    this.#log.warn({ lost: message?.text.split("\n", 1)[0], transport: this.#transport.name }, `systemd was not told: ${why}`);
  }
}

/** Of texts, extensions and signs of life only the newest counts; the text that comes with READY=1 is newer than one that waits. */
function supersedes(next: Message, old: Message): boolean {
  return old.kind !== "state" && (old.kind === next.kind || (old.kind === "status" && next.text.includes("STATUS=")));
}
