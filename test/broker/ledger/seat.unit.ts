/** What a worker is answered when the session store is away. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Timestamp } from "../../../src/base/units.ts";
import { seatRpc } from "../../../src/broker/ledger/seat.ts";
import { isAnswered, type LedgerAnswer } from "../../../src/sheets/ledger-calls.ts";
import type { LedgerHost, LedgerSeat } from "../../../src/sheets/ledger-host.ts";
import type { FromBroker } from "../../../src/sheets/wire.ts";

for (const [leave, done, answered] of [
  [true, true, true],
  [false, false, true],
  [undefined, false, false],
] as const) {
  test(`a logout with which the store does ${leave}: ${answered ? "answered at once" : "another broker is asked"}`, async () => {
    const said: FromBroker[] = [];
    const host: Pick<LedgerHost, "join"> = { join: () => ({ leave: () => Promise.resolve(leave) }) as unknown as LedgerSeat };
    const rpc = seatRpc(host, { spend: () => Promise.resolve(undefined) } as never, (message) => said.push(message));
    const session = { id: "s1", user: "ada", admin: false, since: 1 as Timestamp };
    await rpc.answer({ type: "call", id: "1", method: "leave", params: { session } });
    const [answer] = said as [Extract<LedgerAnswer, { type: "left" }>];
    assert.deepEqual([said.length, answer.done, isAnswered(answer)], [1, done, answered]);
  });
}
