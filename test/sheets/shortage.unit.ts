/** What the machine is short of, on its way from the master to the client of a worker. */
import assert from "node:assert/strict";
import test from "node:test";
import { fullProblem } from "../../src/app/refusals/full.ts";
import { SLOT_NOUN } from "../../src/base/slots.ts";
import { ms, type Timestamp } from "../../src/base/units.ts";
import { answerOperator } from "../../src/broker/ledger/operator.ts";
import { entry, slots } from "../../src/sheets/ledger-wire.ts";
import { ledgerByHand, session } from "../broker/ledger/ledgers.ts";

const NOW = 1_800_000_000_000 as Timestamp;

test("4.13: the master closes the service, a worker hears of it, and a login is refused", async (t) => {
  const ledger = ledgerByHand();
  t.after(() => ledger.host.close());
  const worker = ledger.worker();
  const ada = session("ada", NOW);
  assert.equal((await worker.enter(ada)).is, "in");
  assert.deepEqual(await answerOperator(ledger.store, { do: "close", why: "cpu" }, NOW), {
    ok: true,
    text: "new sessions are refused: cpu",
  });
  assert.equal(worker.slots().closed, "cpu");
  const refused = await worker.enter(session("bob", NOW));
  assert.ok(refused.is === "full");
  assert.deepEqual([refused.because, refused.used, refused.max], ["cpu", 1, 3]);
  assert.equal((await worker.enter(ada)).is, "in");
  await answerOperator(ledger.store, { do: "close", why: null }, NOW);
  assert.equal(worker.slots().closed, undefined);
  assert.equal((await worker.enter(session("bob", NOW))).is, "in");
});

test("4.13: the refusal is 503, names cpu, memory or latency, and says when to come again", () => {
  for (const because of ["cpu", "memory", "latency"] as const) {
    const full = { used: 1, max: 3, retryAfter: ms(60_000), because };
    const { status, headers, detail } = fullProblem(full, { "accept-language": "fr" }, SLOT_NOUN, () => 0);
    assert.deepEqual([status, headers?.["X-Drover-Refused"], headers?.["Retry-After"]], [503, because, "60"]);
    assert.match(detail, /^Serveur très chargé\u00a0: aucune nouvelle session/);
  }
});

test("4.13: a shortage passes the wire, and nothing that is none does", () => {
  const state = { used: 1, max: 3, status: "LOW" };
  assert.deepEqual(slots({ ...state, closed: "memory" }), { type: "slots", ...state, closed: "memory" });
  assert.equal(slots({ ...state, closed: "disk" }), undefined);
  const full = { is: "full", used: 1, max: 3, retryAfter: 1 };
  assert.deepEqual(
    [full, { ...full, because: "latency" }, { ...full, because: "disk" }].map((one) => entry(one)),
    [true, true, false],
  );
});
