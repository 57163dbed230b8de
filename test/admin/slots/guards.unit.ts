import assert from "node:assert/strict";
import test from "node:test";
import { admissionGuards, breaches, guardReadings, lookAtGuards, type GuardStates } from "../../../src/admin/slots/guards.ts";
import { ms, type Instant, type Timestamp } from "../../../src/base/units.ts";
import { statusWith } from "../../cli/statuses.ts";

const GUARDS = admissionGuards(ms(500));

/** New sessions, with a look every 5 s. */
class Door {
  #at = 0;
  #states: GuardStates = {};
  #machine = { cpu: 0.2, ram: 0.2 };

  /** @returns what refuses new sessions at the end. */
  pass(secs: number, { p95 = 10, ...machine }: { cpu?: number; ram?: number; p95?: number }): string {
    this.#machine = { ...this.#machine, ...machine };
    let names = "";
    for (const end = this.#at + secs * 1_000; this.#at < end;) {
      this.#at += 5_000;
      const snapshot = statusWith({ machine: { ...this.#machine, ramUsed: 1, ramTotal: 2 } });
      const readings = guardReadings(snapshot, { p95: ms(p95), tokens: 0 });
      this.#states = lookAtGuards(GUARDS, this.#states, readings, { now: this.#at as Instant, wall: this.#at as Timestamp });
      names = breaches(GUARDS, this.#states)
        .map(({ guard }) => guard)
        .join();
    }
    return names;
  }
}

test("4.13: CPU from 90 % for 30 s refuses new sessions, until it has been below 75 % for 60 s", () => {
  const door = new Door();
  assert.equal(door.pass(300, { cpu: 0.89 }), "");
  assert.equal(door.pass(30, { cpu: 0.95 }), "");
  assert.equal(door.pass(5, { cpu: 0.2 }), "", "a burst of less than 30 s");
  assert.equal(door.pass(35, { cpu: 0.9 }), "cpu");
  assert.equal(door.pass(600, { cpu: 0.76 }), "cpu", "hysteresis");
  assert.equal(door.pass(60, { cpu: 0.74 }), "cpu");
  assert.equal(door.pass(5, { cpu: 0.74 }), "");
});

test("4.13: memory from 90 % for 30 s refuses new sessions, until it has been below 85 % for 60 s", () => {
  const door = new Door();
  assert.equal(door.pass(35, { ram: 0.9 }), "memory");
  assert.equal(door.pass(600, { ram: 0.86 }), "memory");
  assert.equal(door.pass(65, { ram: 0.84 }), "");
  assert.equal(door.pass(35, { ram: 0.95, cpu: 0.95 }), "cpu,memory");
});

test("4.13: answers slower than DROVER_ALERT_LATENCY for 30 s refuse new sessions, until they were 10 % faster for 60 s", () => {
  const door = new Door();
  assert.equal(door.pass(300, { p95: 499 }), "");
  assert.equal(door.pass(30, { p95: 600 }), "");
  assert.equal(door.pass(5, { p95: 100 }), "", "slow for less than 30 s");
  assert.equal(door.pass(35, { p95: 501 }), "latency");
  assert.equal(door.pass(600, { p95: 460 }), "latency", "hysteresis");
  assert.equal(door.pass(65, { p95: 440 }), "");
});
