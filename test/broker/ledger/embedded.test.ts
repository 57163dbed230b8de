/** The store that every drover has, in memory and on this machine's disk. */
import { pino } from "pino";
import type { TestContext } from "node:test";
import { ms } from "../../../src/base/units.ts";
import { EmbeddedStore } from "../../../src/broker/ledger/embedded.ts";
import { keepNothing, openKept, type Kept } from "../../../src/broker/ledger/kept.ts";
import type { SlotRules } from "../../../src/broker/ledger/slots.ts";
import { folder } from "../../support/cleanup.ts";
import { times } from "../../support/times.ts";
import { FakeTime } from "../time.ts";
import { ledgerContract, type StoreWorld } from "./contract.ts";

const log = pino({ level: "silent" });

async function world(t: TestContext, rules: SlotRules, open: () => Kept): Promise<StoreWorld> {
  const time = new FakeTime();
  const out: string[] = [];
  const store = new EmbeddedStore({ rules, zone: "Europe/Paris", clock: time, log, open, pause: () => ms(20) });
  store.start({ ended: (id, why) => out.push(`${id} ${why}`), changed: () => {} });
  t.after(() => store.close());
  return { store, out, wall: () => time.wall(), pass: (span) => time.advance(span), heard: async () => {} };
}

ledgerContract("in memory", { make: (t, rules) => world(t, rules, () => keepNothing), tries: times(100) });
ledgerContract("on disk", {
  make: (t, rules) => {
    const dir = folder(t);
    return world(t, rules, () => openKept(dir, log));
  },
  tries: times(5),
});
