import assert from "node:assert/strict";
import test from "node:test";
import { ms, type Instant } from "../../../src/base/units.ts";
import type { Exchange } from "../../../src/worker/exchange.ts";
import { unreadStage } from "../../../src/worker/gate/unread.ts";

const held = (address: string, writableLength: number, method = "GET", url = "/api/tables/t"): Exchange =>
  ({ address, req: { method, url }, res: { writableLength, socket: null } }) as unknown as Exchange;

/** @returns for each request: whether it is refused while 1,000 bytes may wait. */
function refused(waiting: readonly Exchange[], ...asked: readonly Exchange[]): boolean[] {
  const addressOf = (exchange: Exchange): string => (exchange as unknown as { address: string }).address;
  const stage = unreadStage({ clock: { now: () => 0 as Instant } as never, inFlight: waiting, addressOf, most: 1_000 });
  return asked.map((exchange) => stage.admit(exchange) !== undefined);
}

test("while too many bytes wait, an address that holds many of them gets no more reads; twice as many, no address does", () => {
  const [many, few] = ["192.0.2.1", "192.0.2.2"];
  const asked = [held(many, 0), held(few, 0), held(many, 0, "POST"), held(many, 0, "GET", "/healthz")];
  assert.deepEqual(refused([held(many, 900), held(few, 100)], ...asked), [false, false, false, false]);
  assert.deepEqual(refused([held(many, 901), held(few, 100)], ...asked), [true, false, false, false]);
  assert.deepEqual(refused([held(many, 2_001)], ...asked), [true, true, false, false]);
});

test("the sum is taken again after a while", () => {
  let now = 0;
  const waiting = [held("192.0.2.1", 5_000)];
  const stage = unreadStage({ clock: { now: () => now as Instant } as never, inFlight: waiting, addressOf: () => undefined, most: 1_000 });
  assert.ok(stage.admit(held("", 0)));
  waiting.pop();
  now += ms(100);
  assert.equal(stage.admit(held("", 0)), undefined);
});
