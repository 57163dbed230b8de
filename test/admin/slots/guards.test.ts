import assert from "node:assert/strict";
import test from "node:test";
import { ADMISSION_GUARDS, breaches, guardReadings, lookAtGuards, type GuardStates } from "../../../src/admin/slots/guards.ts";
import { ms, type Instant, type Timestamp } from "../../../src/base/units.ts";
import { statusWith } from "../../cli/statuses.ts";

/** New sessions, with a look every 5 s. */
class Door {
  #at = 0;
  #states: GuardStates = {};
  #machine = { cpu: 0.2, ram: 0.2 };

  /** @returns what refuses new sessions at the end. */
  pass(secs: number, machine: { cpu?: number; ram?: number }): string {
    this.#machine = { ...this.#machine, ...machine };
    let names = "";
    for (const end = this.#at + secs * 1_000; this.#at < end;) {
      this.#at += 5_000;
      const snapshot = statusWith({ machine: { ...this.#machine, ramUsed: 1, ramTotal: 2 } });
      const readings = guardReadings(snapshot, { p95: ms(10), tokens: 0 });
      this.#states = lookAtGuards(ADMISSION_GUARDS, this.#states, readings, { now: this.#at as Instant, wall: this.#at as Timestamp });
      names = breaches(ADMISSION_GUARDS, this.#states)
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
