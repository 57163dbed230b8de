// alone
/** What the engine sends, and when, to servers that count. */
import assert from "node:assert/strict";
import net, { type Socket } from "node:net";
import test, { suite, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ms, seconds } from "../../../../src/base/units.ts";
import { Client } from "../../../../src/tools/load/engine/client.ts";
import { counted, tried, type Step } from "../../../../src/load/shape.ts";
import type { Answer } from "../../../../src/tools/load/engine/counts.ts";
import type { Target } from "../../../../src/load/target.ts";
import { portOf, run, runner, serve, targetAt, type Given } from "../generator.ts";

const within = seconds(60);
for (const [name, step, given] of [
  ["users who do not think", counted("closed", 10, { most: 100, within }), {}],
  ["users who think", counted("closed", 10, { most: 30, within }), { thinkMs: 50 }],
  ["one user", counted("closed", 1, { most: 50, within }), {}],
  ["fewer requests than users", counted("closed", 10, { most: 3, within }), {}],
  ["requests at a rate", counted("open", 400, { most: 60, within }), {}],
  ["one request at a rate", counted("open", 50, { most: 1, within }), {}],
] as readonly (readonly [string, Step, Given])[])
  test(
    `so many requests are sent, all of them counted, and then it is over: ${name}`,
    { timeout: 30_000 },
    async (t) => {
      let asked = 0;
      const { target } = await serve(t, (_req, res) => res.end(String((asked += 1))));
      const began = performance.now();
      const [result] = await run(runner(target, given), [step]);
      assert.deepEqual(
        [asked, result?.measured.counts.requests, result?.measured.counts.outcomes.ok],
        [step.most, step.most, step.most],
      );
      assert.equal(result?.measured.generator.unsent, 0);
      assert.ok(performance.now() - began < 20_000, "not by its time");
    },
  );

test(
  "a run of so many requests that takes too long ends, and sends no more",
  { timeout: 30_000 },
  async (t) => {
    let asked = 0;
    const { target } = await serve(
      t,
      (_req, res) => (asked += 1) && setTimeout(() => res.end(), 100),
    );
    const [result] = await run(runner(target), [
      counted("closed", 2, { most: 1_000, within: seconds(1) }),
    ]);
    assert.ok(asked >= 2 && asked <= 22, `${asked}`);
    assert.equal(result?.measured.counts.requests, asked);
  },
);

test(
  "what an overloaded step leaves due or under way is no part of the next one",
  { timeout: 60_000 },
  async (t) => {
    const seen = { asked: 0, going: 0, delay: 1_000 };
    const { target } = await serve(t, (_req, res) => {
      seen.asked += 1;
      seen.going += 1;
      setTimeout(() => {
        seen.going -= 1;
        res.end();
      }, seen.delay);
    });
    const load = runner(target);
    const over = await load.step({ ...tried("open", 300, seconds(1)), warmMs: ms(0) }, 1);
    const [before, going] = [seen.asked, seen.going];
    assert.equal(going, 0, "it has waited until all are answered");
    assert.ok(
      (over?.measured.generator.unsent ?? 0) > 100,
      `${over?.measured.generator.unsent} unsent of some 300`,
    );
    assert.equal(over?.measured.counts.requests, before, "and sent nothing beside");
    seen.delay = 0;
    const after = await load.step({ ...tried("open", 30, seconds(2)), warmMs: ms(0) }, 2);
    assert.equal(
      after?.measured.counts.requests,
      seen.asked - before,
      "what came counts: nothing was overdue",
    );
    assert.ok(
      seen.asked - before > 20 && seen.asked - before < 120,
      `${seen.asked - before} of some 60`,
    );
    await load.end();
  },
);

test(
  "users rest between two tries of a search, and keep their connections",
  { timeout: 30_000 },
  async (t) => {
    let asked = 0;
    let connections = 0;
    const { server, target } = await serve(t, (_req, res) => res.end(String((asked += 1))));
    server.on("connection", () => (connections += 1));
    const load = runner(target, { thinkMs: 20 });
    await load.step(tried("closed", 5, seconds(1)), 1);
    const before = asked;
    await sleep(300);
    assert.equal(asked, before, "nobody asks");
    const second = await load.step(tried("closed", 8, seconds(1)), 2);
    await load.step(tried("closed", 3, seconds(1)), 3);
    await load.end();
    assert.ok((second?.measured.counts.requests ?? 0) > 50, `${second?.measured.counts.requests}`);
    assert.equal(connections, 8);
  },
);

test(
  "a look at the server that fails is a missing figure, and the run goes on",
  { timeout: 30_000 },
  async (t) => {
    const { target } = await serve(t, (_req, res) => res.end());
    let looks = 0;
    const machine = { cpus: 1, memoryBytes: 1 };
    const server = {
      machine,
      about: undefined,
      sample: () => ((looks += 1), Promise.reject(new Error("ECONNRESET"))),
    };
    const step = { ...tried("closed", 1, seconds(2)), warmMs: ms(0) };
    const [result] = await run(runner(target, { thinkMs: 50, server }), [step]);
    assert.ok(looks >= 3, `${looks} looks`);
    assert.equal(result?.server, undefined);
    assert.ok((result?.measured.counts.outcomes.ok ?? 0) > 5);
  },
);

/** Answers the first request of each connection; what comes to the next one its path says. */
async function cutting(
  t: TestContext,
): Promise<{ readonly target: Target; asked(path: string): number }> {
  const paths: string[] = [];
  const next: Readonly<Record<string, (socket: Socket) => unknown>> = {
    "/cut": (socket) => socket.destroy(),
    "/part": (socket) => socket.end("HTTP/1.1 20"),
    "/late": (socket) => setTimeout(() => socket.destroy(), 800),
  };
  const server = net.createServer((socket) => {
    let nth = 0;
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      const path = / (\S+) HTTP/.exec(chunk.toString())?.[1] ?? "";
      paths.push(path);
      if ((nth += 1) === 1) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      else next[path]?.(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return {
    target: await targetAt(portOf(server)),
    asked: (path) => paths.filter((one) => one === path).length,
  };
}

const RESTED = 1_900;
// They mostly wait.
suite("broken connections", { concurrency: 6 }, () => {
  for (const [name, method, path, rest, answer, times] of [
    [
      "a connection in use that breaks is an error",
      "GET",
      "/cut",
      0,
      { outcome: "error", reason: "ECONNRESET" },
      1,
    ],
    [
      "so it is after a usual pause",
      "GET",
      "/cut",
      1_200,
      { outcome: "error", reason: "ECONNRESET" },
      1,
    ],
    [
      "one that has rested, and is closed as the request comes, is asked again",
      "GET",
      "/cut",
      RESTED,
      { outcome: "ok", retried: true },
      2,
    ],
    [
      "but not if a part of an answer came",
      "GET",
      "/part",
      RESTED,
      { outcome: "error", reason: "ECONNRESET" },
      1,
    ],
    [
      "nor if the request had been in hand for a while",
      "GET",
      "/late",
      RESTED,
      { outcome: "error", reason: "ECONNRESET" },
      1,
    ],
    ["nor if it writes", "POST", "/cut", RESTED, { outcome: "error", reason: "ECONNRESET" }, 1],
  ] as readonly (readonly [string, string, string, number, Partial<Answer>, number])[])
    test(name, async (t) => {
      const { target, asked } = await cutting(t);
      const client = new Client(target, 10_000);
      t.after(() => client.close());
      assert.equal((await client.send({ method: "GET", path: "/first" })).outcome, "ok");
      await sleep(rest);
      const { outcome, reason, retried } = await client.send({ method, path });
      assert.deepEqual({ outcome, reason, retried }, { reason: "", retried: undefined, ...answer });
      assert.equal(asked(path), times);
    });
});
