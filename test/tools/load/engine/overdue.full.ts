// alone
/** Runs of the load generator against slow, hanging and overloaded servers: late and missing answers count. */
import assert from "node:assert/strict";
import test from "node:test";
import { ms, seconds } from "../../../../src/base/units.ts";
import { advise } from "../../../../src/tools/load/advice.ts";
import { finding } from "../../../../src/tools/load/bottleneck.ts";
import { held, stages, tried } from "../../../../src/load/shape.ts";
import { parseThreshold, USUAL } from "../../../../src/tools/load/thresholds.ts";
import type { Runner } from "../../../../src/tools/load/runner.ts";
import { run, runner, serve } from "../generator.ts";

/** What a busy test machine does to the generator's timing is no subject here: it may be seconds late. */
const PATIENT = ["http_req_duration: p(95)<100000", "timeouts==0"].map(parseThreshold);
test(
  "users who hang since the warm-up are timeouts, and fail the step",
  { timeout: 30_000 },
  async (t) => {
    let hung = 0;
    const { server, target } = await serve(t, (req, res) =>
      (req.socket as { hangs?: boolean }).hangs === true ? (hung += 1) : res.end("x"),
    );
    let connections = 0;
    server.on(
      "connection",
      (socket: { hangs?: boolean }) => (socket.hangs = (connections += 1) % 2 === 0),
    );
    const load = runner(target, { thinkMs: 50, timeoutMs: 2_500, thresholds: PATIENT });
    const [result] = await run(load, [held("closed", 10, seconds(1))]);
    assert.equal(hung, 5);
    assert.deepEqual([result?.measured.counts.outcomes.timeout, result?.verdict], [5, "FAIL"]);
  },
);

test("a run that is cut while users wait passes nothing", { timeout: 30_000 }, async (t) => {
  const { target } = await serve(t, () => {});
  const load: Runner = runner(target, {
    thresholds: USUAL,
    watcher: { second: () => load.interrupt() },
  });
  const result = await load.step(held("closed", 3, seconds(20)), 1);
  await load.end();
  assert.deepEqual([result?.measured.generator.unanswered, result?.verdict], [3, "INVALID"]);
  assert.match(
    finding({ results: result === undefined ? [] : [result], ending: "interrupted" }).says,
    /3 requests had no answer/,
  );
});

test("a run that is cut in its warm-up has no step", { timeout: 30_000 }, async (t) => {
  const { target } = await serve(t, (_req, res) => {
    load.interrupt();
    setTimeout(() => res.end("x"), 300);
  });
  const load = runner(target, { thresholds: USUAL });
  assert.equal(await load.step(held("closed", 20, seconds(50)), 1), undefined); // a warm-up of 5 s
  await load.end();
});

test(
  "connections that the generator's own files do not allow are its fault; those of its plan are the server's",
  { timeout: 30_000 },
  async (t) => {
    const { target } = await serve(t, (_req, res) => void setTimeout(() => res.end("x"), 200));
    const step = { ...tried("open", 200, seconds(1)), warmMs: ms(300) };
    for (const [limited, connections, lacks, limit] of [
      [true, 10, true, "p(95)<100000"],
      [false, 10, false, "p(95)<100000"],
      [true, 400, false, "p(95)<100000"],
      [true, 25, false, "p(95)<100"], // 20 would do for answers within 100 ms
    ] as const) {
      const [result] = await run(
        runner(target, { limited, connections, thresholds: [parseThreshold(limit)] }),
        [step],
      );
      assert.equal(result?.lacks, lacks, `${limited} ${connections}: ${result?.why}`);
      if (!lacks) continue;
      assert.equal(result.verdict, "INVALID");
      assert.match(
        result.why ?? "",
        /^all 10 connections that its open files allow were taken.*ulimit -n/,
      );
    }
  },
);

test(
  "a pause between stages is not judged, and where nothing was due nothing is said",
  { timeout: 30_000 },
  async (t) => {
    const { target } = await serve(t, (_req, res) => res.end("x"));
    const parts = [[300, 3], [300, 0], [300, 0], [300, 3]].map(([over = 0, to = 0]) => ({ over: ms(over), to })); // prettier-ignore
    const paused = await run(
      runner(target, { thinkMs: 20, thresholds: PATIENT }),
      stages(parts, "closed"),
    );
    assert.deepEqual(paused.map(({ verdict }) => verdict), ["PASS", "PASS", "PASS", "PASS"]); // prettier-ignore
    const [idle] = await run(runner(target, { thinkMs: 60_000, thresholds: USUAL }), [
      { ...held("closed", 1, ms(200)), warmMs: ms(0) },
    ]);
    assert.deepEqual(
      [idle?.verdict, idle?.why],
      ["INVALID", "nothing was to be asked in its time"],
    );
    const situation = {
      results: idle === undefined ? [] : [idle],
      ending: "done",
      known: false,
      json: undefined,
      url: "http://x/",
      searching: false,
    } as const;
    assert.equal(advise(situation).ranked[0], "a longer --hold, or more users");
  },
);

test(
  "requests at a rate ask the same in the same order, however soon they are answered",
  { timeout: 30_000 },
  async (t) => {
    const paths: string[][] = [[], []];
    for (const [i, delay] of [0, 30].entries()) {
      const { target } = await serve(t, (req, res) => {
        paths[i]?.push(req.url ?? "");
        setTimeout(() => res.end("x"), delay * Math.random());
      });
      const endpoints = ["/a", "/b", "/c"].map(
        (path) => ({ name: path, class: "read", weight: 1, method: "GET", path }) as const,
      );
      await run(runner(target, { traffic: { endpoints } }), [
        { ...tried("open", 100, seconds(1)), warmMs: ms(0) },
      ]);
    }
    const [one = [], two = []] = paths;
    const both = Math.min(one.length, two.length);
    assert.ok(both > 50, `${both}`);
    // Requests that leave within a turn may arrive in another order: as many of each, and most of them in their places.
    const same = one.slice(0, both).filter((path, i) => path === two[i]).length;
    assert.ok(same > 0.8 * both, `${same} of ${both}`);
  },
);
