/** As many connections as all workers' caps together: every one is held, answered and exchanged for another, and none is lost. */
import assert from "node:assert/strict";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT, start } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const WORKERS = 4;
const CAP = 50;
const ALL = WORKERS * CAP;

/** A keep-alive connection that says when the server has closed it. */
class Held {
  lost = false;
  readonly #socket: net.Socket;
  #answered: (() => void) | undefined;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = net.connect(Number(port), hostname);
    this.#socket.on("data", () => this.#answered?.());
    this.#socket.on("error", () => (this.lost = true));
    this.#socket.on("close", () => (this.lost = true));
  }

  /** @returns ms until the first byte of the answer. */
  async ask(): Promise<number> {
    const begun = performance.now();
    const answered = new Promise<void>((resolve) => (this.#answered = resolve));
    this.#socket.write("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
    await answered;
    return performance.now() - begun;
  }

  close(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }
}

const askAll = async (all: readonly Held[]): Promise<number> => Math.max(...(await Promise.all(all.map((held) => held.ask()))));

test("200 connections at a cap of exactly 4 × 50: 0 lost, all served, exchanged in rounds; more get in when idle ones are closed", async (t) => {
  const daemon = await start(t, {
    args: [join(ROOT, "test/process/apps/listener.mjs"), "--workers", String(WORKERS), "--graceful-timeout", "2s"],
    env: { DROVER_WORKER_CONNECTIONS: String(CAP) },
  });
  const held = Array.from({ length: ALL }, () => new Held(daemon.url));
  const lost = (): number => held.filter((one) => one.lost).length;
  await askAll(held);
  const counts = await eventually("all are full", async () => {
    const workers = (await daemon.status()).places.filter(({ role }) => role === "worker");
    const found = workers.map(({ child }) => child?.connections ?? 0);
    return found.reduce((sum, n) => sum + n, 0) === ALL && found;
  });
  await sleep(1_500); // all are idle by now
  assert.equal(lost(), 0, "held");
  const waits: number[] = [];
  for (const exchanged of [20, 60, 5]) {
    for (const one of held.splice(0, exchanged)) one.close();
    const fresh = Array.from({ length: exchanged }, () => new Held(daemon.url));
    held.push(...fresh);
    waits.push(await askAll(fresh));
    await sleep(1_200);
    assert.equal(lost(), 0, `${exchanged} exchanged`);
  }
  await askAll(held);
  assert.equal(lost(), 0, "all served once more");
  await sleep(1_200);
  const late: Held[] = [];
  const entered: number[] = [];
  // A worker that was full when others were exchanged may have one above its cap, and another one less: only then there is no room left.
  for (let nr = 0; nr < WORKERS; nr += 1) {
    const one = new Held(daemon.url);
    late.push(one);
    entered.push(await one.ask());
  }
  const inMs = (spans: readonly number[]): string => spans.map((ms) => ms.toFixed(0)).join(", ");
  t.diagnostic(`${counts.join(" ")}; those exchanged waited ${inMs(waits)} ms; ${WORKERS} more than the cap ${inMs(entered)} ms`);
  assert.ok(Math.max(...entered) < 2_000);
  await eventually("as many are closed for them", () => lost() === WORKERS);
  await sleep(300);
  assert.deepEqual([lost(), late.some((one) => one.lost)], [WORKERS, false]);
  for (const one of [...held, ...late]) one.close();
  assert.equal((await daemon.stop()).code, 0);
});
