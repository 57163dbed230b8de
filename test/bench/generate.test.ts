/** What wrk and ab print, as they print it. */
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import test from "node:test";
import { http } from "../../src/base/http.ts";
import { again, keepAlive, oneEach, readAb, readWrk } from "../../bench/versus/generate.ts";
import { SIZES } from "../../bench/versus/sizes.ts";
import { sizeOfThings } from "../../bench/versus/size.ts";

test("wrk's line is found among its words; without it that is said", () => {
  const line = 'RESULT {"requests":1200,"seconds":3.001,"p50":1.2,"p99":8.5,"max":20.25,"errors":3}';
  assert.deepEqual(readWrk(`Running 3s test\n  Latency 1.2ms\n${line}\n`), {
    requests: 1_200,
    seconds: 3.001,
    p50: 1.2,
    p99: 8.5,
    max: 20.25,
    errors: 3,
  });
  assert.throws(() => readWrk("unable to connect to 127.0.0.1:1 Connection refused"), /wrk told nothing: unable to connect/);
});

const AB = `Concurrency Level:      100
Time taken for tests:   2.160 seconds
Complete requests:      10000
Failed requests:        15
   (Connect: 0, Receive: 5, Length: 5, Exceptions: 5)
Percentage of the requests served within a certain time (ms)
  50%      8
  99%     31
 100%     55 (longest request)
`;

test("ab counts a lost connection three times, and is read as one", () => {
  assert.deepEqual(readAb(AB), { requests: 10_000, seconds: 2.16, p50: 8, p99: 31, max: 55, errors: 5 });
  assert.equal(readAb(`${AB}Non-2xx responses:      7\n`).errors, 12);
  assert.throws(() => readAb("apr_socket_connect(): Connection refused (111)"), /ab told nothing/);
});

test("whoever asks, all is counted: kept connections and new ones, errors too", async (t) => {
  let [asked, good] = [0, true];
  const server = http.createServer((_req, res) => {
    asked += 1;
    res.writeHead(good ? 200 : 500, { "content-length": 2 }).end("ok");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const fresh = await oneEach(port, "/", 5, 200);
  assert.deepEqual([fresh.requests, fresh.errors], [200, 0]);
  assert.equal(asked, 200);
  const kept = await keepAlive(port, "/", 5, 1);
  assert.ok(kept.requests > 0 && kept.requests <= asked - 200, `${kept.requests} of ${asked - 200}`);
  assert.ok(kept.errors === 0 && kept.p99 >= kept.p50 && kept.max >= kept.p99, JSON.stringify(kept));
  good = false;
  const bad = await oneEach(port, "/", 5, 50);
  assert.ok(bad.errors >= 50, JSON.stringify(bad));
});

test("pieces are added up until they may end", async () => {
  const enough = Promise.withResolvers<void>();
  let pieces = 0;
  const piece = (): Promise<Awaited<ReturnType<typeof oneEach>>> => {
    pieces += 1;
    if (pieces === 3) enough.resolve();
    return Promise.resolve({ requests: 10, seconds: 1, p50: 1, p99: 2, max: pieces, errors: 1 });
  };
  const sum = await again(piece, enough.promise);
  assert.ok(sum.requests >= 30 && sum.errors === sum.requests / 10 && sum.max === pieces, JSON.stringify(sum));
});

test("a full run has at least three rounds, and the documents' numbers; the size of things", () => {
  assert.ok(SIZES.full.rounds >= 3 && SIZES.full.warmUpSeconds >= 5);
  assert.deepEqual(SIZES.full.connections, [500, 2_000, 5_000, 10_000]);
  assert.deepEqual([SIZES.full.herd, SIZES.full.heldConnections, SIZES.full.abRequests], [5_000, 16_000, 10_000]);
  const size = sizeOfThings();
  console.log(
    `supervisor ${size.supervisorLines} lines, src ${size.sourceLines} in ${size.sourceFiles} files, ${size.runtimeDependencies} runtime dependencies, ${size.settings} settings`,
  );
  assert.ok(size.supervisorLines > 1_000 && size.supervisorLines < size.sourceLines && size.settings > 10);
});
