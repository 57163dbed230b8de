/** Workers at their caps with one queue before them: who is held, who is closed, who waits. Time is moved by hand. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { mock, test } from "node:test";
import { fc } from "../support/fast-check.ts";
import type { Instant } from "../../src/base/units.ts";
import { Cap } from "../../src/worker/cap.ts";
import { Connections, type Seat } from "../../src/worker/connections.ts";

/** What a worker's news takes to reach the others through the master, and how often it is repeated, ms. */
const NEWS = 15;
const REPEAT = 900;

class FakeSocket extends EventEmitter {
  bytesRead = 0;
  bytesWritten = 0;
  writableLength = 0;
  readonly parser = {};
  destroyed = false;
  /** By the server. */
  destroy(): void {
    this.destroyed = true;
  }
}

interface Client {
  readonly came: number;
  in?: { worker: Worker; seat: Seat; socket: FakeSocket; at: number };
  closed?: number;
}

interface Worker {
  readonly connections: Connections;
  readonly cap: Cap;
  listening: boolean;
  /** By its own last word. */
  full: boolean;
}

interface Options {
  readonly workers: number;
  readonly cap: number;
  /** Which of several that listen is the first, 0…1. */
  readonly choose?: () => number;
  /** The master passes nothing on. */
  readonly mute?: boolean;
}

/** A fleet whose master tells after NEWS ms whether one has room. */
class Fleet {
  now = 0;
  most = 0;
  readonly clients: Client[] = [];
  readonly queue: Client[] = [];
  readonly workers: Worker[];
  readonly #options: Options;
  readonly #news: { at: number; room: boolean }[] = [];
  #room: boolean | undefined;
  #toldAt = -Infinity;

  constructor(options: Options) {
    mock.timers.enable({ apis: ["setTimeout", "setInterval", "setImmediate"] });
    this.#options = options;
    this.workers = Array.from({ length: options.workers }, () => this.#worker(options.cap));
  }

  #worker(limit: number): Worker {
    const clock = { now: () => this.now as Instant };
    const connections = new Connections(clock as never, (seat) => worker.cap.left(seat));
    const turnstile = { hold: () => ((worker.listening = false), true), release: () => void (worker.listening = true) };
    const worker: Worker = {
      connections,
      cap: new Cap(limit, connections, turnstile, (full) => void (worker.full = full)),
      listening: true,
      full: false,
    };
    return worker;
  }

  get closed(): Client[] {
    for (const client of this.clients) if (client.in?.socket.destroyed === true) client.closed ??= this.now;
    return this.clients.filter(({ closed }) => closed !== undefined);
  }

  get held(): Client[] {
    return this.clients.filter((client) => client.in !== undefined && !client.in.socket.destroyed && client.in.worker.connections.of(client.in.socket as never)); // prettier-ignore
  }

  come(count: number): Client[] {
    const all = Array.from({ length: count }, (): Client => ({ came: this.now }));
    this.clients.push(...all);
    this.queue.push(...all);
    return all;
  }

  leave(client: Client): void {
    client.in?.socket.emit("close");
  }

  talk(client: Client): void {
    if (client.in !== undefined) client.in.socket.bytesRead += 100;
    if (client.in !== undefined) client.in.socket.bytesWritten += 100;
  }

  /** Milliseconds, one by one: the kernel gives each to one that listens, a worker takes one a turn of its loop. */
  pass(span: number): void {
    for (let i = 0; i < span; i += 1) {
      this.now += 1;
      this.#accept();
      mock.timers.tick(1);
      this.#tell();
      for (const { connections } of this.workers) this.most = Math.max(this.most, connections.size);
    }
  }

  #accept(): void {
    for (let turn = 0; turn < 10 && this.queue.length > 0; turn += 1) {
      const ready = this.workers.filter(({ listening }) => listening);
      const worker = ready[Math.floor((this.#options.choose?.() ?? 0) * ready.length)];
      const client = worker && this.queue.shift();
      if (worker === undefined || client === undefined) return;
      const socket = new FakeSocket();
      client.in = { worker, seat: worker.connections.add(socket as never), socket, at: this.now };
      worker.cap.accepted();
    }
  }

  #tell(): void {
    if (this.#options.mute === true) return;
    const room = this.workers.length > 1 && this.workers.some(({ full }) => !full);
    if (room !== this.#room || (room && this.now - this.#toldAt >= REPEAT)) {
      this.#room = room;
      this.#toldAt = this.now;
      this.#news.push({ at: this.now + NEWS, room });
    }
    while ((this.#news[0]?.at ?? Infinity) <= this.now) {
      const news = this.#news.shift();
      for (const { cap } of this.workers) cap.share(news?.room === true);
    }
  }
}

/** @returns what `run` returns; afterwards nothing of the fleet is left. */
function withFleet<T>(options: Options, run: (fleet: Fleet) => T): T {
  const fleet = new Fleet(options);
  try {
    return run(fleet);
  } finally {
    for (const { cap } of fleet.workers) cap.stop();
    mock.timers.reset();
  }
}

/** 0…1, the same each time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    const t = Math.imul(state ^ (state >>> 15), 1 | state);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const fleets = fc.record({ workers: fc.integer({ min: 1, max: 5 }), cap: fc.integer({ min: 1, max: 12 }), seed: fc.integer() });

test("as many as all caps together are held, however they come and are exchanged, and nobody is closed", () => {
  const pause = fc.oneof(fc.integer({ min: 1, max: 2_500 }), fc.constant(2_000));
  const rounds = fc.array(fc.record({ share: fc.integer({ min: 0, max: 100 }), pause }), { maxLength: 5 });
  fc.assert(
    fc.property(fleets, rounds, ({ workers, cap, seed }, exchanges) =>
      withFleet({ workers, cap, choose: random(seed) }, (fleet) => {
        const pick = random(seed + 1);
        fleet.pass(NEWS + 1);
        fleet.come(workers * cap);
        fleet.pass(500);
        assert.equal(fleet.held.length, workers * cap);
        for (const { share, pause } of exchanges) {
          fleet.pass(pause);
          const gone = fleet.held.filter(() => pick() * 100 < share);
          for (const client of gone) fleet.leave(client);
          fleet.come(gone.length);
          fleet.pass(200);
          assert.equal(fleet.queue.length, 0, "somebody waits");
        }
        fleet.pass(3_000);
        assert.equal(fleet.closed.length, 0, "somebody was closed");
        assert.equal(fleet.held.length, workers * cap);
        assert.ok(fleet.most <= cap + 1, `${fleet.most} of ${cap}`);
      }),
    ),
    { numRuns: 60 },
  );
});

test("one more than that gets in at once when all are idle, and only then one is closed: the longest idle of a worker", () => {
  fc.assert(
    fc.property(fleets, ({ workers, cap, seed }) =>
      withFleet({ workers, cap, choose: random(seed) }, (fleet) => {
        fleet.pass(NEWS + 1);
        fleet.come(workers * cap);
        fleet.pass(3_000);
        assert.equal(fleet.closed.length, 0);
        const [late] = fleet.come(1);
        fleet.pass(1);
        assert.ok(late?.in !== undefined, "he waits");
        fleet.pass(240);
        assert.equal(fleet.closed.length, 0, "he is a guest for 250 ms");
        fleet.pass(20);
        const [victim, ...more] = fleet.closed;
        assert.equal(more.length, 0);
        const peers = fleet.clients.filter((client) => client.in?.worker === late?.in?.worker);
        assert.equal(victim?.in?.worker, late?.in?.worker);
        assert.equal(victim?.in?.at, Math.min(...peers.map((client) => client.in?.at ?? Infinity)));
        fleet.pass(3_000);
        assert.equal(fleet.closed.length, 1);
        assert.equal(fleet.held.length, workers * cap);
      }),
    ),
    { numRuns: 30 },
  );
});

test("a crowd before a fleet full of idle ones is in within a second: from the second client on nobody is a guest", () =>
  withFleet({ workers: 2, cap: 50, choose: random(7) }, (fleet) => {
    fleet.pass(NEWS + 1);
    fleet.come(100);
    fleet.pass(2_000);
    const crowd = fleet.come(100);
    fleet.pass(1_000);
    assert.deepEqual([fleet.queue.length, crowd.filter(({ closed }) => closed).length, fleet.closed.length], [0, 0, 100]);
  }));

test("a client that closes a connection to one worker and opens another that a full one takes costs nobody's", () =>
  withFleet({ workers: 2, cap: 3 }, (fleet) => {
    fleet.pass(NEWS + 1);
    fleet.come(6);
    fleet.pass(3_000);
    const [first, second] = fleet.workers as [Worker, Worker];
    for (const client of fleet.held.filter(({ in: at }) => at?.worker === second).slice(1)) fleet.leave(client);
    const [next, last] = fleet.come(2);
    fleet.pass(5_000);
    assert.deepEqual([next?.in?.worker, last?.in?.worker], [first, second], "the first one has one more than its cap");
    assert.deepEqual([first.connections.size, second.connections.size, fleet.closed.length], [4, 2, 0]);
    fleet.come(1);
    fleet.pass(500);
    assert.deepEqual([first.connections.size, second.connections.size, fleet.closed.length], [3, 3, 1], "now all are full");
  }));

test("after a crowd they are patient again: one who comes later does not cost the place of one who has just come", () =>
  withFleet({ workers: 1, cap: 10 }, (fleet) => {
    fleet.come(10);
    fleet.pass(1_500);
    fleet.come(30);
    while (fleet.queue.length > 0) fleet.pass(1);
    fleet.pass(600);
    const before = fleet.closed.length;
    const [late] = fleet.come(1);
    fleet.pass(100);
    assert.equal(late?.in, undefined);
    fleet.pass(900);
    assert.ok(late?.in !== undefined);
    assert.equal(fleet.closed.length, before + 1);
  }));

test("whoever waits gets in while those inside fall silent, whatever happened before; who talks is not closed", () => {
  const events = fc.array(fc.tuple(fc.constantFrom("come", "leave", "talk"), fc.nat(9), fc.nat(400)), { maxLength: 30 });
  fc.assert(
    fc.property(fleets, events, ({ workers, cap, seed }, happened) =>
      withFleet({ workers, cap, choose: random(seed) }, (fleet) => {
        for (const [what, which, pause] of happened) {
          const held = fleet.held;
          if (what === "come") fleet.come(which);
          if (what === "leave") held.filter((_, nr) => nr % 10 === which).forEach((client) => fleet.leave(client));
          if (what === "talk") held.filter((_, nr) => nr % 10 === which).forEach((client) => fleet.talk(client));
          fleet.pass(pause);
        }
        const [busy] = fleet.held;
        if (busy?.in !== undefined) busy.in.seat.requests = 1;
        fleet.come(1);
        const rounds = Math.ceil(fleet.queue.length / Math.max(1, workers * cap - 1)) + 1;
        fleet.pass(workers * cap === 1 ? 0 : 2_500 + rounds * 500);
        if (workers * cap > 1) assert.equal(fleet.queue.length, 0, "somebody waits");
        assert.ok(
          busy === undefined || busy.closed === undefined || busy.in?.socket.destroyed !== true,
          "who is being answered was closed",
        );
        assert.ok(fleet.most <= cap + 1, `${fleet.most} of ${cap}`);
      }),
    ),
    { numRuns: 40 },
  );
});

test("all ask something every 0.4 s and one waits: he gets in within 2 s; nobody who asks every 0.2 s is closed", () => {
  for (const [every, getsIn] of [
    [400, true],
    [200, false],
  ] as const)
    withFleet({ workers: 2, cap: 10, choose: random(3) }, (fleet) => {
      fleet.pass(NEWS + 1);
      fleet.come(20);
      fleet.pass(100);
      const [late] = fleet.come(1);
      for (let passed = 0; passed < 2_000; passed += every) {
        for (const client of fleet.held) if (client !== late) fleet.talk(client);
        fleet.pass(every);
      }
      assert.equal(late?.in !== undefined, getsIn);
      assert.equal(fleet.closed.length, Number(getsIn));
    });
});

test("while clients queue a place costs 0.1 s to give to one who says nothing, 0.25 s to one who has asked, 0.5 s to one who trickles", () => {
  const kinds = [
    ["silent", 100],
    ["asked", 250],
    ["trickles", 500],
  ] as const;
  for (const [kind, span] of kinds)
    withFleet({ workers: 1, cap: 10 }, (fleet) => {
      fleet.come(10);
      fleet.pass(1_500);
      const flood = fleet.come(60);
      const asked = new Set<Client>();
      while (fleet.queue.length > 0) {
        for (const client of kind === "silent" ? [] : fleet.held) {
          if (kind === "trickles" && client.in !== undefined) client.in.socket.bytesRead += 1;
          if (kind === "asked" && !asked.has(client)) fleet.talk(client);
          asked.add(client);
        }
        fleet.pass(1);
        void fleet.closed; // each is noted when it is seen
      }
      const held = flood.flatMap(({ in: at, closed }) => (at === undefined || closed === undefined ? [] : [closed - at.at])).slice(20); // by then it is known that they queue
      assert.ok(held.length >= 20);
      assert.ok(Math.min(...held) >= span, `${kind}: closed after ${Math.min(...held)} ms`);
      assert.ok(Math.max(...held) <= span + 60, `${kind}: closed after ${Math.max(...held)} ms, two looks more at most`);
    });
});

test("who comes at once when all have been in use for long has queued: he is no guest", async () => {
  const connections = new Connections({ now: () => performance.now() as Instant } as never, (seat) => cap.left(seat));
  const sockets: FakeSocket[] = [];
  const accept = (): void => {
    sockets.push(new FakeSocket());
    connections.add(sockets.at(-1) as never);
    cap.accepted();
  };
  let held = false;
  let released = (): void => {};
  const release = (): void => (process.nextTick(accept), released()); // the loop polls before its immediates run
  const cap = new Cap(2, connections, { hold: () => (held = true), release }, () => {});
  const lasting = setInterval(() => {}, 1_000); // the cap's own timers keep no process alive
  const seen = new Promise<void>((resolve) => (released = resolve));
  accept();
  accept();
  assert.ok(held, "all are in use");
  await seen;
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
  assert.deepEqual(
    sockets.map(({ destroyed }) => destroyed),
    [true, false, false],
  );
  cap.stop();
  clearInterval(lasting);
});

test("a neighbour that has room but does not take anybody holds them up for as long as its room is believed in: 2.5 s", () =>
  withFleet({ workers: 2, cap: 5, mute: true }, (fleet) => {
    const [full, stuck] = fleet.workers as [Worker, Worker];
    stuck.listening = false;
    fleet.come(5);
    full.cap.share(true); // the last word of a master that is stopped from now on
    fleet.pass(2_000);
    const [late] = fleet.come(1);
    fleet.pass(400);
    assert.equal(late?.in, undefined);
    fleet.pass(200);
    assert.ok(late?.in !== undefined);
    fleet.pass(260);
    assert.equal(fleet.closed.length, 1);
  }));

test("a cap that is lowered is reached by closing idle ones; raised, it lets them in", () =>
  withFleet({ workers: 1, cap: 10 }, (fleet) => {
    fleet.come(10);
    fleet.pass(2_000);
    fleet.workers[0]?.cap.retune(4);
    fleet.pass(500);
    assert.deepEqual([fleet.held.length, fleet.closed.length], [4, 6]);
    fleet.workers[0]?.cap.retune(6);
    fleet.come(2);
    fleet.pass(10);
    assert.deepEqual([fleet.held.length, fleet.closed.length], [6, 6]);
  }));

test("where sockets can't be held each one above the cap closes an idle one, and accepting goes on", () =>
  withFleet({ workers: 1, cap: 10 }, (fleet) => {
    const connections = fleet.workers[0]?.connections as Connections;
    const cap = new Cap(10, connections, { hold: () => false, release: () => assert.fail("nothing was held") }, () => {});
    (fleet.workers[0] as { cap: Cap }).cap = cap;
    fleet.come(10);
    fleet.pass(2_000);
    fleet.come(5);
    fleet.pass(300);
    assert.deepEqual([fleet.held.length, fleet.closed.length, fleet.queue.length], [10, 5, 0]);
    cap.stop();
  }));
