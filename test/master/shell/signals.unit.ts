import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import test from "node:test";
import { holdSignals } from "../../../src/master/shell/signals.ts";

/** What happens, in its order, when these come before there is a master, and one after. */
function held(...signals: string[]): string[] {
  const process = new EventEmitter();
  const early = holdSignals(process);
  for (const signal of signals) process.emit(signal);
  const told: string[] = [];
  const off = early.hand(
    (verb) => void told.push(verb),
    () => void told.push("begin"),
  );
  process.emit("SIGHUP");
  off();
  process.emit("SIGHUP");
  return told;
}

test("a stop that came before the master finds nothing to start; an order to a daemon that runs waits until it does", () => {
  assert.deepEqual(held(), ["begin", "reload"]);
  assert.deepEqual(held("SIGHUP", "SIGTTIN", "SIGTERM", "SIGUSR1"), ["stop", "begin", "reload", "grow", "reopen", "reload"]);
  assert.deepEqual(held("SIGHUP", "SIGINT"), ["quit", "begin", "reload", "reload"]);
});
