/** A real Redis of a test's own: in its own folder, on a unix socket and on a port of the loopback that no other has. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./ports.ts";
import { needs } from "./needs.ts";
import { sent } from "./processes.ts";
import { eventually } from "./wait.ts";

const PROGRAM = process.env["DROVER_TEST_REDIS_SERVER"] ?? "redis-server";

/** @returns false where a server is there. DROVER_TEST_REDIS_SERVER names another one: Valkey, a newer Redis. */
export const needsRedis = (): false | string => needs(PROGRAM, "redis-server");

export class RedisServer {
  readonly dir = mkdtempSync(join(tmpdir(), "drover-redis-"));
  readonly port: number;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
    process.once("exit", () => {
      if (this.#child?.pid !== undefined) sent(this.#child.pid, "SIGKILL");
      rmSync(this.dir, { recursive: true, force: true });
    });
  }

  /** @param args its settings, as on its command line. */
  static async begin(...args: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), args);
    await server.start();
    return server;
  }

  get socket(): string {
    return join(this.dir, "redis.sock");
  }

  /** Resolves when it listens. It keeps nothing of before. Does nothing while it runs. */
  async start(): Promise<void> {
    if (this.#runs) return;
    const own = ["--bind", "127.0.0.1", "--port", String(this.port), "--unixsocket", this.socket, "--dir", this.dir];
    const child = spawn(PROGRAM, [...own, "--save", "", "--appendonly", "no", "--enable-debug-command", "yes", ...this.#args], {
      stdio: "ignore",
    });
    this.#child = child;
    await once(child, "spawn");
    await eventually("Redis answers", async () => {
      if (child.exitCode !== null) throw new Error(`${PROGRAM} ended with ${child.exitCode}`);
      return /^(\+PONG|-)/.test(await this.say("PING"));
    });
  }

  /** @returns its answer to one inline command, as it stands. */
  async say(command: string): Promise<string> {
    const socket = connect(this.port, "127.0.0.1", () => socket.end(`${command}\r\n`));
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  }

  get #runs(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    if (this.#child?.pid !== undefined) sent(this.#child.pid, name);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.#runs) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
}
