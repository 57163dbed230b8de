import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { DroverError } from "../../../src/base/errors.ts";
import { plan } from "../../../src/tools/plan/command.ts";
import { size as sizeText } from "../../../src/tools/plan/print/units.ts";
import { detectMachine } from "../../../src/settings/machine.ts";
import { printed } from "../../cli/printed.ts";

const step = (rate: number, more: object = {}): object => ({
  label: `${rate}/s`,
  model: "open",
  users: 64,
  thinkMs: 0,
  offeredPerSecond: rate,
  achievedPerSecond: rate,
  seconds: 20,
  requests: rate * 20,
  latencyMs: { p50: 1, p95: 2, p99: 4, max: 9 },
  errors: 0,
  timeouts: 0,
  refused: 0,
  valid: true,
  cpuSeconds: 0.2 + rate * 20 * 0.00004,
  ...more,
});

function runFile(t: TestContext, more: object = {}): string {
  const dir = mkdtempSync(join(tmpdir(), "drover-plan-run-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const file = join(dir, "run.json");
  const head = {
    format: "drover-load-run",
    version: 1,
    startedAt: "2026-11-21T15:00:00Z",
    tool: "test",
    target: "http://127.0.0.1:1",
  };
  writeFileSync(
    file,
    JSON.stringify({ ...head, steps: [10, 100, 1_000].map((rate) => step(rate)), ...more }),
  );
  return file;
}

test("the page's example is what the command prints, in 20 lines at most, the last of them the next step", async (t) => {
  const page = readFileSync("docs/plan.md", "utf8");
  const [, command = "", shown = ""] = /\$ drover plan (--users.*)\n([^]*?)```/.exec(page) ?? [];
  const { text, code } = await printed(t, command.split(" "));
  assert.equal(code, 0);
  assert.equal(text, shown);
  const lines = text.trimEnd().split("\n");
  assert.ok(lines.length <= 20, `${lines.length} lines`);
  assert.match(lines.at(-1) ?? "", /^next {5}\S/);
  assert.equal(text.match(/^next /gm)?.length, 1);
  assert.ok(
    lines.every((line) => line.length <= 140),
    text,
  );
});

test("without flags it plans for this machine; every preset and tier prints", async (t) => {
  assert.match((await printed(t, [])).text, /^100 users × 0\.1 requests a second/);
  for (const name of ["before", "after", "campaign", "internet"])
    assert.match((await printed(t, ["--preset", name])).text, /^[^\n]+\n[^\n]+ users/);
  assert.match(
    (await printed(t, ["--preset", "before"])).text,
    /^[^\n]*, 100 users\n100 users × 0\.1/,
  );
  for (const [flag, value] of [
    ["--users", "5"],
    ["--workers", "3"],
    ["--ttl", "9s"],
  ] as const)
    // prettier-ignore
    assert.match((await printed(t, ["--preset", "before", flag, value])).text, /^[^\n]*, 100 users; changed on the command line\n\d+ users × 0\.1/);
  assert.match(
    (await printed(t, ["--tiers"])).text,
    /100 users +200 users +500 users +10k a day +50k a day +100k a day +100k at once/,
  );
  assert.match((await printed(t, [])).text, /^answers .*\(assumed; p95 must be below 500 ms/m);
});

test("0.1: plan takes this machine, and --cpus and --ram another", async (t) => {
  const { cpus, memory } = detectMachine({});
  const { text } = await printed(t, []);
  assert.match(text, new RegExp(`\\ndrover: ${cpus} CPUs?, ${sizeText(memory)}, `));
  assert.match(
    (await printed(t, ["--cpus", "4", "--ram", "20g"])).text,
    /\ndrover: 4 CPUs, 20 GiB, 16 workers × 1,000 connections/,
  );
});

test("2.2: 100,000 users × 1 request a second, peaks of 3 times that", async (t) => {
  const { text, code } = await printed(t, ["--users", "100000", "--rate", "1", "--burst", "3"]);
  assert.match(text, /^100,000 users × 1 request a second = 100,000\/s, 300,000\/s at the peak\n/);
  assert.equal(code, 1);
});

test("2.4: 100,000 requests a second of 100 ms are 10,000 at once, by Little's law, and $LATEST has no provisioned concurrency", () => {
  const text = readFileSync("docs/plan.md", "utf8"); // test/docs.test.ts holds it to the computed figures
  assert.match(
    text,
    /\| right: 100,000 requests\/s × 100 ms = 10,000 at once; 1,000 more every 10 s: 100 s until all are there/,
  );
  assert.match(
    text,
    /\$LATEST has none: it takes a version or an alias, and in double quotes the shell leaves nothing of it/,
  );
  assert.match(
    text,
    /drover keeps every worker ready \(DROVER_WORKERS\), and drover scale N changes their number/,
  );
});

test("4.2: what a machine's memory usually holds: 2 GB 50, 4 GB 150, 8 GB 300, 16 GB 500", async (t) => {
  for (const [ram, slots] of [
    ["2g", 50],
    ["4g", 150],
    ["8g", 300],
    ["16g", 500],
  ] as const)
    // prettier-ignore
    assert.match((await printed(t, ["--ram", ram])).text, new RegExp(`usually hold ${slots}\\)`), ram);
  assert.match(
    (await printed(t, ["--ram", "4g", "--max-slots", "200"])).text,
    /^slots +200 \(comfort 150\)/m,
  );
});

test("--json is one document, presets and tiers too", async (t) => {
  const json = async (...argv: string[]): Promise<Record<string, unknown>> =>
    JSON.parse((await printed(t, [...argv, "--json"])).text) as Record<string, unknown>;
  const made = await json("--users", "100", "--cpus", "4", "--ram", "8g");
  assert.deepEqual(
    [made["format"], made["version"], made["verdict"], made["binding"]],
    ["drover-plan", 2, "holds", "slots"],
  );
  assert.equal((await json("--preset", "before"))["latencyMs"], null);
  assert.equal(((await json("--tiers"))["tiers"] as unknown[]).length, 7);
});

test("a run that tells what a write costs is planned with its writes, and --writes says otherwise", async (t) => {
  // A read takes 0.04 ms and a write 3: 10 % of 1,000 requests are writes in one step, none in the others.
  const mixed = step(1_000, { writes: 2_000, cpuSeconds: 0.2 + 18_000 * 0.00004 + 2_000 * 0.003 });
  const file = runFile(t, {
    steps: [step(100), step(500), mixed].map((one) => ({ writes: 0, ...one })),
  });
  const inputs = async (...argv: string[]): Promise<Record<string, number>> =>
    (JSON.parse((await printed(t, [...argv, "--json"])).text) as { inputs: Record<string, number> })
      .inputs;
  const told = await inputs("--from", file);
  assert.deepEqual([told["demand.writes"], told["costs.write.cpu"]?.toFixed(6)], [0.1, "3.000000"]);
  assert.equal((await inputs("--from", file, "--writes", "30%"))["demand.writes"], 0.3);
  assert.equal((await inputs("--from", runFile(t)))["demand.writes"], 0);
});

test("0.18: a run's figures are measured, and a prediction that does not hold exits 1", async (t) => {
  const file = runFile(t);
  const from = await printed(t, ["--from", file]);
  assert.match(from.text, /^answers .*\(measured by .*run\.json; p95 must be below/m);
  const { inputs, measuredBy } = JSON.parse(
    (await printed(t, ["--from", file, "--json"])).text,
  ) as {
    inputs: Record<string, number>;
    measuredBy: string;
  };
  assert.deepEqual([inputs["costs.cpu"]?.toFixed(6), measuredBy], ["0.040000", file]);
  assert.match(
    from.text,
    /^100 users × 10 requests a second = 1,000\/s/,
    "64 were connections of the generator",
  );
  const good = await printed(t, ["--from", file, "--verify", file]);
  assert.deepEqual(
    [good.code, good.text.trimEnd().endsWith("the prediction holds")],
    [0, true],
    good.text,
  );
  const slow = runFile(t, {
    steps: [step(100, { latencyMs: { p50: 100, p95: 200, p99: 400, max: 900 } })],
  });
  const bad = await printed(t, ["--from", file, "--verify", slow]);
  assert.equal(bad.code, 1);
  assert.match(bad.text, /1 → 100 ms MISSED +4 → 400 ms MISSED[^]*does NOT hold/);
  const hostile = await printed(t, [
    "--verify",
    runFile(t, { steps: [step(10, { label: "\u001b[2J\u202edone" })] }),
  ]);
  assert.ok(!["\u001b", "\u202e"].some((control) => hostile.text.includes(control)), hostile.text);
});

test("2.2: a plan that does not hold exits 1: 100,000 users, 600 users with 200 slots, a p95 above its limit", async (t) => {
  const place = ["--cpus", "4", "--ram", "20g", "--tables", "6", "--ttl", "30s"];
  for (const [code, verdict, argv] of [
    [1, /does NOT hold: 12\.5 × what the connections may give; 8,000 users/, ["--users", "100000", "--rate", "0.001", "--workers", "8", "--signed-in", "0"]], // prettier-ignore
    [1, /does NOT hold: .* what the slots may give/, ["--users", "100000"]],
    [
      1,
      /does NOT hold: .* what the slots may give; 179 users/,
      ["--users", "600", "--max-slots", "200"],
    ],
    [0, /it holds/, ["--users", "160", "--max-slots", "200", "--comfort", "150"]],
    [1, /too slowly/, ["--users", "100", "--limit", "1ms"]],
    [0, /it holds without a margin/, ["--users", "180", "--max-slots", "200"]],
  ] as const) {
    const ran = await printed(t, [...place, ...argv]);
    assert.deepEqual([ran.code, verdict.test(ran.text)], [code, true], ran.text);
  }
  const { text } = await printed(t, [
    "--cpus",
    "4",
    "--ram",
    "4g",
    "--users",
    "160",
    "--max-slots",
    "200",
  ]);
  assert.match(text, /^slots +200 \(comfort 150\); 160 users: 0\.03 % refused/m);
});

test("4.3: a run says whether its users signed in: only then do they need slots", async (t) => {
  const closed = { model: "closed", users: 600, thinkMs: 5_999, requests: 2_000 };
  const steps = [100].map((rate) => step(rate, closed));
  const anonymous = await printed(t, [
    "--from",
    runFile(t, { steps, signedIn: false }),
    "--max-slots",
    "200",
  ]);
  assert.doesNotMatch(anonymous.text, /^slots/m);
  const { text, code } = await printed(t, [
    "--from",
    runFile(t, { steps, signedIn: true }),
    "--max-slots",
    "200",
  ]);
  assert.deepEqual([code, /does NOT hold: .* the slots/.test(text)], [1, true], text);
  assert.match(text, /^slots +600 users signed in /m);
});

test("nonsense exits 64 and says what was expected", async (t) => {
  const unusable = runFile(t, { steps: [step(10, { valid: false })] });
  const file = runFile(t);
  const server = {
    cpus: 2,
    memoryBytes: 4e9,
    workers: 2,
    workerConnections: 1_000,
    cacheTtlMs: 30_000,
    tables: 3,
    readsPerMinute: 60,
  };
  const placed = runFile(t, { server });
  const cases: [string, RegExp][] = [
    ["--users 0", /--users 0: expected a whole number from 1 to 10000000/],
    ["--users -5", /--users -5: expected/],
    ["--users 1e3", /--users 1e3: expected/],
    ["--rate NaN", /--rate NaN: expected requests a second of each user/],
    ["--rate 0", /--rate 0: expected/],
    ["--cpus 0", /--cpus 0: expected a number of CPUs from 0.1/],
    ["--ram 4", /--ram 4: expected a size.*a number needs its unit/],
    ["--ram 1m", /--ram 1m: expected a size from 16m/],
    ["--upstream-ms 800,300", /--upstream-ms 800,300: expected P50,P99.*the first not above/],
    ["--upstream-ms 300", /--upstream-ms 300: expected P50,P99/],
    ["--tables tables.json", /expected how many tables; DROVER_TABLES names a file/],
    ["--ttl 30", /--ttl 30: expected a duration.*a number needs its unit/],
    ["--quota 0", /--quota 0: expected/],
    ["--writes 130%", /--writes 130%: expected a part from 0 to 1/],
    ["--burst 0.5", /--burst 0.5: expected how many times/],
    ["--preset prod", /--preset prod: expected one of before, after, campaign, internet/],
    ["--usrs 5", /unknown flag --usrs: did you mean --users/],
    ["here", /drover plan takes no here/],
    ["--tiers --users 5", /--tiers has demands of its own/],
    ["--tiers --preset after", /--tiers has demands of its own/],
    [`--verify ${file} --users 5`, /--verify tells its own demand/],
    [`--verify ${file} --tiers`, /--verify tells its own demand/],
    [`--from ${file} --preset before`, /leave one of them out/],
    ["--from /nowhere/run.json", /--from \/nowhere\/run\.json: there is no such file/],
    ["--from /", /--from \/: expected a file/],
    [
      `--from ${unusable}`,
      /no step of it can be used: 10\/s: not used, the load generator called it invalid/,
    ],
    ["--from package.json", /package\.json: format is missing: expected "drover-load-run"/],
    ["--prices package.json", /asOf is missing/],
    ["--ttl 5s --cache-ttl 6s", /--ttl and --cache-ttl say the same: leave one of them out/],
    ["--ram 4g --memory 4g", /--ram and --memory say the same/],
    ["--quota 5 --reads-per-minute 6", /--quota and --reads-per-minute say the same/],
    [`--verify ${placed} --cpus 8`, /says itself where it was measured: leave out --cpus/],
    [
      `--verify ${placed} --worker-connections 8`,
      /says itself where it was measured: leave out --worker-connections/,
    ],
    [`--verify ${file} --prices package.json`, /leave out --prices, which has no effect on it/],
    ["--tiers --cost", /--cost compares machines for one plan: leave out --tiers/],
    [`--verify ${file} --cost`, /--verify prices nothing: leave out --cost/],
    ["--show-prices --users 5", /--show-prices prints the price list alone: leave out --users/],
  ];
  for (const [argv, message] of cases)
    await assert.rejects(
      plan(argv.split(" ")),
      (e) => e instanceof DroverError && e.exit === 64 && message.test(e.message),
      `${argv}: ${String(message)}`,
    );
});

test("4.2: the comfort of a run that signed in follows its memory; of one that did not, the table by memory size; it says which", async (t) => {
  const steps = [100, 500, 1_000].map((n) =>
    step(n, { model: "closed", users: n, thinkMs: 999, rssBytes: 3e8 + n * 1e6 }),
  );
  const server = {
    cpus: 2,
    memoryBytes: 4e9,
    workers: 2,
    workerConnections: 1_000,
    cacheTtlMs: 30_000,
    tables: 3,
    readsPerMinute: 60,
  };
  const line = async (more: object, ...flags: string[]): Promise<string> => {
    const asked = [
      "--from",
      runFile(t, { steps, server, ...more }),
      "--ram",
      "4g",
      "--max-slots",
      "20000",
      "--signed-in",
      "1",
      "--workers",
      "4",
      ...flags,
    ];
    return (await printed(t, asked)).text;
  };
  const [, signed = ""] =
    /^slots +20,000 \(comfort ([\d,]+), measured\)/m.exec(await line({ signedIn: true })) ?? [];
  // Half of 4 GiB, less 150 MiB of master and broker and 4 workers of 68 MiB, holds 1,705 sessions of 1 MB.
  assert.equal(signed, "1,704");
  assert.match(await line({ signedIn: false }), /^slots +20,000 \(comfort 150\)/m);
  const few = [1, 2, 3].map((n) =>
    step(n, { model: "closed", users: n, thinkMs: 999, rssBytes: 3e8 + n * 1e6 }),
  );
  assert.match(
    await line({ signedIn: true, steps: few }),
    /^slots +20,000 \(comfort 150\)/m,
    "three users do not speak for 1,704",
  );
  const flat = [100, 500, 1_000].map((n) =>
    step(n, { model: "closed", users: n, thinkMs: 999, rssBytes: 3e8 }),
  );
  assert.match(
    await line({ signedIn: true, steps: flat }),
    /^slots +20,000 \(comfort 150\)/m,
    "nothing is known of a session's memory",
  );
  assert.match(
    await line({ signedIn: true }, "--comfort", "160"),
    /^slots +20,000 \(comfort 160\)/m,
  );
});
