/** Any sequence of operations, with reopenings between them, against a journal of three maps. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { ANY_CHARACTER } from "../../support/characters.ts";
import { fc } from "../../support/fast-check.ts";
import type { Batch, Entry, Journal, NewEntry } from "../../../src/broker/journal/journal.ts";
import { openJournal } from "../../../src/broker/journal/open.ts";
import { times } from "../../support/times.ts";
import { batch, folder, settlement, silent, START } from "./world.ts";
import { seed as seedOf } from "../../support/seed.ts";

const WAITING = 30;

interface Model {
  lsn: number;
  ids: number;
  readonly waiting: Map<number, Entry>;
  readonly landed: Map<string, Entry>;
  /** Those that nobody has dealt with. */
  parked: Entry[];
  /** By id. */
  readonly discarded: Set<string>;
  everParked: number;
  readonly batches: Map<number, Batch>;
  readonly fences: Set<number>;
  readonly once: Map<string, { digest: string; ids: string[] }>;
  batch: number;
}

interface Real {
  readonly dir: string;
  journal: Journal;
}

const opened = (dir: string): Promise<Journal> =>
  openJournal({
    dir,
    now: () => START,
    log: silent,
    limits: { waiting: WAITING },
    onFatal: (why) => {
      throw new Error(why);
    },
  });

type Cells = Record<string, string | number | boolean | null>;

class Add implements fc.AsyncCommand<Model, Real> {
  readonly requests: readonly { readonly rows: readonly Cells[]; readonly key: string | undefined; readonly digest: string }[];
  constructor(requests: Add["requests"]) {
    this.requests = requests;
  }
  check = (): boolean => true;
  /** All at once: they share commits, and keep their order. */
  async run(model: Model, { journal }: Real): Promise<void> {
    const additions = this.requests.map(({ rows, key, digest }) => ({
      entries: rows.map((values): NewEntry => {
        const id = `id${(model.ids += 1)}`;
        return { id, table: "t", op: "append", key: id, values, at: START };
      }),
      ...(key === undefined ? {} : { once: { key, digest } }),
    }));
    const answers = await Promise.all(additions.map((addition) => journal.add(addition)));
    for (const [i, { entries, once }] of additions.entries()) {
      const answer = answers[i];
      const noted = once === undefined ? undefined : model.once.get(once.key);
      if (noted !== undefined && noted.digest !== once?.digest) assert.equal(answer?.is, "reused");
      else if (noted !== undefined) {
        assert.ok(answer?.is === "repeated");
        assert.deepEqual(
          answer.writes.map(({ id }) => id),
          noted.ids,
        );
      } else if (model.waiting.size + entries.length > WAITING) assert.equal(answer?.is, "full");
      else {
        const expected = entries.map((entry) => ({ lsn: (model.lsn += 1), ...entry }));
        assert.deepEqual(answer, { is: "added", entries: expected });
        for (const entry of expected) model.waiting.set(entry.lsn, entry);
        if (once !== undefined) model.once.set(once.key, { digest: once.digest, ids: entries.map(({ id }) => id) });
      }
    }
  }
  toString = (): string => `add(${JSON.stringify(this.requests)})`;
}

class Seal implements fc.AsyncCommand<Model, Real> {
  readonly most: number;
  constructor(most: number) {
    this.most = most;
  }
  check = (): boolean => true;
  async run(model: Model, { journal }: Real): Promise<void> {
    const sealed = new Set([...model.batches.values()].flatMap(({ lsns }) => lsns));
    const lsns = [...model.waiting.keys()].filter((lsn) => !sealed.has(lsn)).slice(0, this.most);
    const nr = (model.batch += 1);
    model.batches.set(nr, batch(nr, lsns));
    await journal.seal(batch(nr, lsns), nr);
  }
  toString = (): string => `seal(${this.most})`;
}

class Settle implements fc.AsyncCommand<Model, Real> {
  readonly how: readonly ("landed" | "parked" | "again" | "stays")[];
  readonly sent: boolean;
  constructor(how: Settle["how"], sent: boolean) {
    this.how = how;
    this.sent = sent;
  }
  check = (model: Readonly<Model>): boolean => model.batches.size > 0;
  async run(model: Model, { journal }: Real): Promise<void> {
    const [oldest] = model.batches.values();
    if (oldest === undefined) return;
    const { nr, lsns, fence } = oldest;
    const fate = (lsn: number): Settle["how"][number] => this.how[lsn % this.how.length] ?? "landed";
    const of = (kind: string): number[] => lsns.filter((lsn) => fate(lsn) === kind);
    if (this.sent) await journal.sent(nr, START);
    const sentAt = this.sent ? START : oldest.sentAt;
    await journal.settle(
      nr,
      settlement({ landed: of("landed"), parked: of("parked").map((lsn) => ({ lsn, reason: `no ${lsn}` })), again: of("again") }),
    );
    for (const lsn of [...of("landed"), ...of("parked")]) {
      const entry = model.waiting.get(lsn);
      assert.ok(entry);
      model.waiting.delete(lsn);
      if (fate(lsn) === "landed") model.landed.set(entry.id, entry);
      else {
        model.parked.push(entry);
        model.everParked += 1;
      }
    }
    if (of("landed").length > 0 || lsns.length === 0) model.fences.add(fence.id);
    if (of("stays").length === 0) model.batches.delete(nr);
    else model.batches.set(nr, { ...oldest, lsns: of("stays"), sentAt });
  }
  toString = (): string => `settle(${this.how.join()}, ${this.sent})`;
}

/** Which of what is parked, by a number: some of them, and some that are not parked. */
const chosen = (model: Model, pick: readonly number[]): number[] =>
  [...new Set(pick.map((n) => (n === 0 ? 1 + (n % 7) : (model.parked[n % Math.max(1, model.parked.length)]?.lsn ?? 99_999))))].toSorted(
    (a, b) => a - b,
  );

class Retry implements fc.AsyncCommand<Model, Real> {
  readonly pick: readonly number[];
  constructor(pick: readonly number[]) {
    this.pick = pick;
  }
  check = (): boolean => true;
  /** Twice at once: the second finds where the first has put them. */
  async run(model: Model, { journal }: Real): Promise<void> {
    const lsns = chosen(model, this.pick);
    const held = lsns.map((lsn) => model.parked.find((entry) => entry.lsn === lsn));
    if (model.waiting.size + held.filter((entry) => entry !== undefined).length > WAITING) {
      await assert.rejects(journal.retry(lsns), /at most 30 may/);
      return;
    }
    const [first, second] = await Promise.all([journal.retry(lsns), journal.retry(lsns)]);
    const expected = held.map((entry) => (entry === undefined ? undefined : { ...entry, lsn: (model.lsn += 1), at: START }));
    for (const [i, lsn] of lsns.entries()) {
      if (expected[i] === undefined) continue; // a number that was retried before leads to where it went, if that still waits
      assert.deepEqual([first[i], second[i]], [expected[i], expected[i]], `write ${lsn}`);
    }
    for (const entry of expected) if (entry !== undefined) model.waiting.set(entry.lsn, entry);
    model.parked = model.parked.filter(({ lsn }) => !lsns.includes(lsn));
  }
  toString = (): string => `retry(${this.pick.join()})`;
}

class Discard implements fc.AsyncCommand<Model, Real> {
  readonly pick: readonly number[];
  constructor(pick: readonly number[]) {
    this.pick = pick;
  }
  check = (): boolean => true;
  async run(model: Model, { journal }: Real): Promise<void> {
    const lsns = chosen(model, this.pick);
    const answers = await journal.discard(lsns);
    for (const [i, lsn] of lsns.entries()) {
      const held = model.parked.find((entry) => entry.lsn === lsn);
      if (held === undefined) continue;
      assert.equal(answers[i], true);
      model.discarded.add(held.id);
      assert.deepEqual(await journal.retry([lsn]), [undefined], "what was given up is not tried again");
    }
    model.parked = model.parked.filter(({ lsn }) => !lsns.includes(lsn));
  }
  toString = (): string => `discard(${this.pick.join()})`;
}

class Drop implements fc.AsyncCommand<Model, Real> {
  check = (model: Readonly<Model>): boolean => model.fences.size > 0;
  async run(model: Model, { journal }: Real): Promise<void> {
    const [first] = model.fences;
    if (first === undefined) return;
    model.fences.delete(first);
    await journal.dropFences([first]);
  }
  toString = (): string => "dropFences";
}

class Look implements fc.AsyncCommand<Model, Real> {
  check = (): boolean => true;
  async run(model: Model, { journal }: Real): Promise<void> {
    const sent = new Set([...model.batches.values()].flatMap(({ lsns, sentAt }) => (sentAt === undefined ? [] : lsns)));
    const stateOf = async (id: string): Promise<unknown> => (await journal.find(id))?.state;
    for (const { id, lsn } of model.waiting.values()) assert.equal(await stateOf(id), sent.has(lsn) ? "sent" : "journaled");
    for (const id of model.landed.keys()) assert.equal(await stateOf(id), "landed");
    const parked = model.parked.toSorted((a, b) => b.lsn - a.lsn).map(({ id, lsn }) => [id, `no ${lsn}`]);
    assert.deepEqual(
      (await journal.parked(1_000)).map(({ id, reason }) => [id, reason]),
      parked,
    );
    assert.equal(journal.setAside, parked.length);
    assert.deepEqual(
      (await journal.aside(1_000)).map(({ lsn, id, values, reason }) => [lsn, id, values, reason]),
      model.parked.toSorted((a, b) => a.lsn - b.lsn).map(({ lsn, id, values }) => [lsn, id, values, `no ${lsn}`]),
    );
    for (const id of model.discarded)
      assert.match((await journal.find(id))?.reason ?? "", /^given up by the operator; Google's reason: no \d+$/);
    // A client's own name still leads to all that it made, wherever that is now.
    for (const [key, { digest, ids }] of model.once) {
      const again = await journal.recall({ key, digest });
      assert.deepEqual(again?.is === "repeated" && again.writes.map(({ id }) => id), ids);
    }
  }
  toString = (): string => "look";
}

class Reopen implements fc.AsyncCommand<Model, Real> {
  check = (): boolean => true;
  async run(model: Model, real: Real): Promise<void> {
    await real.journal.close();
    real.journal = await opened(real.dir);
    const { recovered } = real.journal;
    assert.equal(recovered.damage, undefined);
    assert.deepEqual(recovered.entries, [...model.waiting.values()]);
    assert.deepEqual(
      recovered.batches.map((found) => ({ ...found, body: Buffer.from(found.body) })),
      [...model.batches.values()].toSorted((a, b) => a.nr - b.nr),
    );
    assert.deepEqual(
      recovered.fences.map(({ id }) => id),
      [...model.fences].toSorted((a, b) => a - b),
    );
    assert.deepEqual([recovered.landed, recovered.parked], [model.landed.size, model.everParked]);
    assert.equal(recovered.nextBatch, model.batch + 1);
  }
  toString = (): string => "reopen";
}

const cells: fc.Arbitrary<Cells> = fc.dictionary(
  fc.string({ unit: ANY_CHARACTER, maxLength: 5 }),
  fc.oneof(
    fc.string({ unit: ANY_CHARACTER, maxLength: 30 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
    fc.boolean(),
    fc.constant(null),
  ),
  { maxKeys: 4, noNullPrototype: true },
);
const requests = fc.array(
  fc.record({
    rows: fc.array(cells, { minLength: 1, maxLength: 4 }),
    key: fc.option(fc.constantFrom("a", "b", "c", "d", "e"), { nil: undefined }),
    digest: fc.constantFrom("1", "1", "2"),
  }),
  { minLength: 1, maxLength: 5 },
);
const fates = fc.array(fc.constantFrom("landed" as const, "landed" as const, "parked" as const, "again" as const, "stays" as const), {
  minLength: 1,
  maxLength: 5,
});
const COMMANDS = [
  requests.map((given) => new Add(given)),
  fc.integer({ min: 0, max: 6 }).map((most) => new Seal(most)),
  fc.tuple(fates, fc.boolean()).map(([how, sent]) => new Settle(how, sent)),
  fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }).map((pick) => new Retry(pick)),
  fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }).map((pick) => new Discard(pick)),
  fc.constant(new Drop()),
  fc.constant(new Look()),
  fc.constant(new Reopen()),
];

test("it does what the model does", { timeout: times(150_000) }, async (t) => {
  const seed = seedOf("model of the journal");
  const dir = folder(t);
  let runs = 0;
  const property = fc.asyncProperty(fc.commands(COMMANDS, { maxCommands: 40 }), async (commands) => {
    const place = `${dir}/${(runs += 1)}`;
    const real: Real = { dir: place, journal: await opened(place) };
    const model: Model = {
      lsn: 0,
      ids: 0,
      batch: 0,
      waiting: new Map(),
      landed: new Map(),
      parked: [],
      discarded: new Set(),
      everParked: 0,
      batches: new Map(),
      fences: new Set(),
      once: new Map(),
    };
    try {
      await fc.asyncModelRun(() => ({ model, real }), [...commands, new Reopen(), new Look()]);
    } finally {
      await real.journal.close();
      rmSync(place, { recursive: true, force: true });
    }
  });
  await fc.assert(property, {
    numRuns: times(15),
    seed,
    interruptAfterTimeLimit: 120_000,
    markInterruptAsFailure: false,
  });
  t.diagnostic(`${runs} runs, SEED=${seed}`);
});
