import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { fc } from "../../support/fast-check.ts";
import type { Clock } from "../../../src/base/clock.ts";
import { seconds, type Instant, type Timestamp } from "../../../src/base/units.ts";
import type { Exchange } from "../../../src/worker/exchange.ts";
import { bodyStage } from "../../../src/worker/gate/bodies.ts";
import { BodyBudget } from "../../../src/worker/gate/budget.ts";
import type { Refusal } from "../../../src/worker/gate/stage.ts";

class HandClock implements Clock {
  at = 0;
  now = (): Instant => this.at as Instant;
  wall = (): Timestamp => this.at as Timestamp;
}

const RULE = {
  worker: { arriving: 3, bytes: 40_000 },
  address: { arriving: 2, bytes: 30_000 },
  patience: seconds(10),
  rate: 1_000,
};

/** A request whose body the test sends, as node:http's parser would. */
class Sending {
  readonly given: (Buffer | null)[] = [];
  readonly exchange: Exchange;
  verdict: Refusal | "admitted" | "waiting" = "waiting";
  /** What came of a body that the application reads. */
  arrival: Refusal | "whole" | "waiting" = "waiting";
  /** Whether the last chunk left room for another: false holds the client back. */
  wantsMore = true;
  /** The request has its place. */
  placed = true;

  constructor(
    stage: ReturnType<typeof bodyStage>,
    client: string,
    { url = "/api/tables/t", length }: { url?: string; length?: number } = {},
  ) {
    const proto = { push: (chunk: Buffer | null): boolean => this.given.push(chunk) > 0, _read: () => {} };
    const headers = length === undefined ? { "transfer-encoding": "chunked" } : { "content-length": String(length) };
    const req = Object.assign(Object.create(proto) as object, { method: "POST", url, headers });
    const release = (): void => void (this.placed = false);
    const times = { startedAt: clock.now(), readyAt: clock.now() };
    this.exchange = { req, res: {}, client: () => client, release, ...times } as unknown as Exchange;
    const admitted = stage.admit(this.exchange);
    if (admitted === undefined) this.verdict = "admitted";
    else void Promise.resolve(admitted).then((refusal) => (this.verdict = refusal ?? "admitted"));
    void this.exchange.body?.arrival.then((refusal) => {
      this.arrival = refusal ?? "whole";
      if (refusal === undefined) this.exchange.body?.pass();
    });
  }

  /** The application reads the body. */
  read(): this {
    this.exchange.req._read(1);
    return this;
  }

  send(...chunks: (string | null)[]): this {
    for (const chunk of chunks) this.wantsMore = this.exchange.req.push(chunk === null ? null : Buffer.from(chunk));
    return this;
  }

  end(): void {
    this.exchange.body?.release();
  }

  /** Of the request, and once the application has it, of its body. */
  get status(): number | string {
    const { verdict, arrival } = this;
    if (typeof verdict === "object") return verdict.status;
    return typeof arrival === "object" ? arrival.status : verdict === "admitted" && arrival === "whole" ? "whole" : verdict;
  }
}

let clock = new HandClock();
function begin(): (client: string, options?: { url?: string; length?: number }) => Sending {
  clock = new HandClock();
  const stage = bodyStage({ rule: RULE, clock, addressOf: (exchange) => exchange.client() });
  return (client, options) => new Sending(stage, client, options);
}

/** Those whose body has not come with the head, once the application reads it. */
async function reading<T extends readonly Sending[]>(...all: T): Promise<T> {
  await turn();
  for (const each of all) each.read();
  await turn();
  return all;
}

test("a request goes on with its head; a body that the application reads is received without a place, and given in one piece", async () => {
  const post = begin();
  const one = post("a", { length: 5 }).send("hello", null);
  await turn();
  assert.deepEqual([one.status, one.given, one.placed], ["admitted", [Buffer.from("hello"), null], true]);
  const many = post("a").send("a ");
  await turn();
  assert.deepEqual([many.status, many.given], ["admitted", []]);
  many.read();
  for (const char of "body byte by byte") {
    many.send(char);
    await turn();
    assert.deepEqual([many.arrival, many.given, many.placed], ["waiting", [], false]);
  }
  many.send(null);
  await turn();
  assert.deepEqual([many.status, many.given], ["whole", [Buffer.from("a body byte by byte"), null]]);
});

test("of a body that the application does not read, little is received; it is not counted as one on its way", async () => {
  const post = begin();
  const unread = Array.from({ length: 5 }, () => post("a", { length: 900_000 }).send("x".repeat(200)));
  const large = post("b", { length: 900_000 }).send("x".repeat(17_000));
  await turn();
  assert.ok(unread.every(({ status, wantsMore }) => status === "admitted" && wantsMore));
  assert.deepEqual([large.status, large.wantsMore], ["admitted", false], "the kernel holds the client back");
  large.end(); // answered
  assert.deepEqual(large.read().arrival, "waiting", "an answered request needs no body");
  const [read] = await reading(post("b", { length: 900_000 }));
  assert.equal(read.send("x".repeat(17_000)).wantsMore, true);
});

test("an address may have some bodies on their way, and so may the worker; a body that comes with its head is not counted", async () => {
  const post = begin();
  const whole = Array.from({ length: 10 }, () => post("a").send("x", null));
  const [first, second, third] = await reading(post("a"), post("a"), post("a"));
  assert.ok(whole.every(({ status }) => status === "admitted"));
  assert.deepEqual([first.status, second.status, third.status], ["admitted", "admitted", 429]);
  const [other, tooMany] = await reading(post("b"), post("c"));
  assert.deepEqual([other.status, tooMany.status], ["admitted", 503]);
  first.send(null);
  const [next] = await reading(post("a"));
  assert.deepEqual([first.status, next.status], ["whole", "admitted"]);
  second.end(); // its client left
  const [after] = await reading(post("c"));
  assert.equal(after.status, "admitted");
});

test("a body slower than the least rate is refused with 408, and what still comes is dropped", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const post = begin();
  const [slow, steady] = await reading(post("a"), post("b"));
  for (; clock.at < 12_000; clock.at += 500) {
    slow.send("x");
    steady.send("x".repeat(600));
    t.mock.timers.tick(500);
  }
  await turn();
  assert.deepEqual([slow.status, steady.status], [408, "admitted"]);
  slow.send("more", null);
  assert.deepEqual(slow.given, []);
});

test("the memory of bodies is bounded for an address and for the worker until their requests are over", async () => {
  const post = begin();
  const big = post("a").send("x".repeat(20_000), null);
  const bigger = post("a").send("x".repeat(20_000));
  const others = post("b").send("x".repeat(20_000), null);
  const last = post("c").send("x");
  await turn();
  assert.deepEqual([big.status, bigger.status, others.status, last.status], ["admitted", 429, "admitted", 503]);
  big.end();
  const again = post("a").send("x".repeat(20_000), null);
  await turn();
  assert.equal(again.status, "admitted");
});

test("bodies that the application refuses are not waited for", async () => {
  const post = begin();
  assert.equal(post("a", { length: 2_000_000 }).status, "admitted");
  assert.equal(post("a", { url: "/api/login", length: 10_000 }).status, "admitted");
  const chunked = post("a", { url: "/api/admin/login" }).send("x".repeat(8_000), "x".repeat(200));
  await turn();
  assert.equal(chunked.status, "admitted");
  chunked.send("rest");
  assert.deepEqual(
    chunked.given.map((chunk) => chunk?.length),
    [8_200, 4],
  );
});

test("what still comes of a body whose request is over takes no memory of its address", async () => {
  const post = begin();
  const [large] = await reading(post("a", { url: "/api/admin/login" }));
  large.send("x".repeat(8_200)); // more than it may have, and before it has its place again
  large.end();
  large.send("x".repeat(20_000));
  const next = post("a").send("x".repeat(20_000), null);
  await turn();
  assert.equal(next.status, "admitted");
});

test("the budget counts what is taken and given, and forgets addresses that have nothing", () => {
  const step = fc.record({ client: fc.constantFrom("a", "b", undefined), arriving: fc.nat(1), bytes: fc.nat(20), give: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const budget = new BodyBudget({ worker: { arriving: 6, bytes: 100 }, address: { arriving: 3, bytes: 60 } });
      const taken: { client: string | undefined; arriving: number; bytes: number }[] = [];
      const sum = (of: "arriving" | "bytes", client?: string): number =>
        taken.reduce((total, share) => total + (client === undefined || share.client === client ? share[of] : 0), 0);
      for (const { client, arriving, bytes, give } of steps) {
        if (give) {
          const share = taken.pop();
          if (share !== undefined) budget.give(share.client, share);
        } else if (budget.take(client, { arriving, bytes }) === undefined) taken.push({ client, arriving, bytes });
        assert.deepEqual(budget.total, { arriving: sum("arriving"), bytes: sum("bytes") });
        assert.ok(sum("arriving") <= 6 && sum("bytes") <= 100);
        for (const one of ["a", "b"]) assert.ok(sum("arriving", one) <= 3 && sum("bytes", one) <= 60);
      }
      for (const share of taken) budget.give(share.client, share);
      assert.deepEqual([budget.total, budget.addresses], [{ arriving: 0, bytes: 0 }, 0]);
    }),
  );
});
