/** Where a plan's demand comes from besides single numbers, and two plans side by side. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import test, { type TestContext } from "node:test";
import { compare } from "../../../src/tools/plan/compare.ts";
import { ARTEFACTS } from "../../../src/tools/emit/artefacts.ts";
import { plan } from "../../../src/tools/plan/command.ts";
import { ARTEFACTS_OF_TIERS } from "../../../src/tools/plan/model/tiers.ts";
import { creditsOf, monthsOld, PRICES } from "../../../src/tools/plan/prices.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { printed } from "../../cli/printed.ts";

const PLACE = ["--cpus", "4", "--ram", "8g", "--tables", "6", "--ttl", "30s"];
const textOf = async (t: TestContext, ...argv: string[]): Promise<string> =>
  (await printed(t, argv)).text;

test("3.1: 3 % at once, 15 % in 1 h, 50 % in 4 h of 10,000 are 0.42 sessions/s and 300 users at once by Little's law", async (t) => {
  const curve = ["--visitors", "10000", "--arrivals", "3%,1h:15%,4h:50%,24h:100%"];
  const says =
    /^arrivals +10,000 visitors, 0\.42\/s until 1h, 0\.32\/s until 4h, 0\.069\/s until 24h; × 12 minutes each = 300 users at once/m;
  const text = await textOf(t, ...PLACE, ...curve);
  assert.match(text, says);
  assert.match(text, /^300 users × /);
  assert.match(await textOf(t, ...PLACE, ...curve, "--stay", "24m"), /^600 users × /);
  assert.match(
    await textOf(t, ...PLACE, "--visitors", "10000", "--arrivals", "1h:15%,24h:100%"),
    /× 10 minutes each = 250 users/,
  );
});

test("3.2: a profile's users, pace and writes are planned, and personas by share and actions an hour", async (t) => {
  const file = resolve("test/load/launch-profile.json");
  assert.match(
    await textOf(t, ...PLACE, "--profile", file),
    /^300 users × 0\.046 requests a second = 13\.7\/s, 30 % of them writes\n/,
  );
  const own = join(temporaryFolder("plan"), "personas.json");
  const document = JSON.parse(readFileSync(file, "utf8")) as Record<string, object>;
  const personas = {
    manager: { share: 60, frequency: "10/h" },
    marketing: { share: 40, frequency: "5/h" },
  };
  writeFileSync(own, JSON.stringify({ ...document, users: { simultaneous: 300, personas } }));
  assert.match(
    await textOf(t, ...PLACE, "--profile", own),
    /^300 users × 0\.0081 requests a second = 2\.44\/s/,
  );
});

test("1.5: a login of 50 kB, ten requests of 10 kB and an image of 150 kB: 100 users take 30 MB, and a small network is full", async (t) => {
  const sizes = ["--users", "100", "--sizes", "login=50k*1,api=10k*10,image=150k*1"];
  assert.match(
    await textOf(t, ...PLACE, ...sizes),
    /^sizes .* = 300 kB in 12 requests; 100 users: 30 MB$/m,
  );
  const { text, code } = await printed(t, [...PLACE, ...sizes, "--nic", "1"]);
  assert.deepEqual([code, /does NOT hold: .* the network/.test(text)], [1, true], text);
});

test("2.7: regions split the users and the quota, and each has its machines", async (t) => {
  const text = await textOf(
    t,
    ...PLACE,
    "--users",
    "99000",
    "--rate",
    "0.01",
    "--regions",
    "3",
    "--signed-in",
    "0",
  );
  assert.match(text, /^33,000 users × /);
  assert.match(
    text,
    /^regions +3 × 33,000 users, each with its own machines; of one account's quota each has 20 reads a minute$/m,
  );
  assert.match(text, /^costs +3 × VPS 2 GB: 30 USD a month/m);
});

test("3.9: the tiers 10k, 50k and 100k stand side by side with what each takes", async (t) => {
  const text = await textOf(t, ...PLACE, "--tiers");
  assert.match(text, /10k a day +50k a day +100k a day +100k at once/);
  assert.match(
    text,
    /^takes +one machine +one machine +DROVER_MAX_SLOTS=527 +one machine +DROVER_MAX_SLOTS=1529 +DROVER_MAX_SLOTS=3023 +load balancer, shared state, CDN$/m,
  );
});

test("1.10: tiers count the slots: 100, 200 and 500 users as parts of the capacity, and 50k a day does not hold with 500 slots", async (t) => {
  const text = await textOf(t, ...PLACE, "--max-slots", "500", "--tiers");
  assert.match(text, /^ +100 users +200 users +500 users +10k a day/m);
  assert.match(text, /^of capacity +21 % +42 % +105 % /m);
  assert.match(
    text,
    /^verdict here +holds +holds +no margin +holds +does not hold +does not hold +does not hold$/m,
  );
  const { code } = await printed(t, [...PLACE, "--max-slots", "500", "--users", "3000"]);
  assert.equal(code, 1);
});

test("3.9: each tier has its files: --tiers prints the drover emit lines, docs/plan.md has the same table", async (t) => {
  const text = await textOf(t, ...PLACE, "--tiers");
  const page = readFileSync("docs/plan.md", "utf8");
  for (const [tier, ...commands] of ARTEFACTS_OF_TIERS) {
    for (const command of commands)
      assert.ok(
        ["systemd", ...Object.keys(ARTEFACTS)].includes(command.split(" ")[0] ?? ""),
        command,
      );
    assert.ok(
      text.includes(
        `${tier} a day`.padEnd(12) + commands.map((name) => `drover emit ${name}`).join("; "),
      ),
      text,
    );
    assert.ok(
      page.includes(`| ${tier} a day | ${commands.map((name) => `\`${name}\``).join(", ")} |`),
      tier,
    );
  }
});

test("3.6: a burstable machine costs what its baseline needs, and its credits last so many hours", async (t) => {
  const large = PRICES.machines.find(({ name }) => name === "t3.large");
  const { sustained, hours = 0 } = creditsOf(large?.burst ?? assert.fail(), 2, 0.9);
  assert.deepEqual([sustained, Math.round(hours)], [0.6, 48]);
  assert.equal(creditsOf(large?.burst ?? assert.fail(), 2, 0.6).hours, undefined);
  // The user guide's table: credits earned an hour, the most that can be accrued, vCPUs, baseline. Prices: dollars an hour.
  for (const [name, earned, most, vcpus, baseline, hourly] of [
    ["t3.medium", 24, 576, 2, 0.2, 0.0416],
    ["t3.large", 36, 864, 2, 0.3, 0.0832],
  ] as const) {
    const { cpus, monthly, burst } =
      PRICES.machines.find((machine) => machine.name === name) ?? assert.fail();
    assert.deepEqual([cpus, burst], [vcpus, { baseline, credits: most }], name);
    assert.equal(cpus * baseline * 60, earned);
    assert.equal(monthly, Number((hourly * 730).toFixed(2)));
  }
  const busy = [
    "--users",
    "20000",
    "--rate",
    "1",
    "--signed-in",
    "0",
    "--machine",
    "t3.large",
    "--nic",
    "10000",
  ];
  const text = await textOf(t, ...busy);
  assert.match(
    text,
    /^credits +t3\.large is burstable: 30 % of 2 CPUs = 0\.6 without end; .* are used: 864 credits last \d+ hours, then it is held at 0\.6, or more is billed \(unlimited mode\)$/m,
  );
  assert.match(text, /^costs +\d × t3\.large: /m);
  assert.match(await textOf(t, "--machine", "t3.medium"), /credits never run out$/m);
});

test("1.9: the prices are printed to be edited, carry their date, and old ones are reported", async (t) => {
  const file = join(temporaryFolder("plan"), "prices.json");
  const list = JSON.parse(await textOf(t, "--show-prices")) as typeof PRICES;
  assert.deepEqual(list, PRICES);
  writeFileSync(file, JSON.stringify({ ...list, asOf: "2020-01-31", currency: "EUR" }));
  const text = await textOf(t, ...PLACE, "--prices", file);
  assert.match(text, /^costs +VPS 2 GB: 10 EUR a month \(prices of 2020-01-31\)$/m);
  assert.match(
    text,
    /^prices +of 2020-01-31, \d+ months old: edit what drover plan --show-prices prints/m,
  );
  assert.equal(monthsOld({ ...PRICES, asOf: "2025-12-31" }, "2026-11-01"), 11);
});

test("1.9: --cost says what every machine of the dated list would cost", async (t) => {
  const text = await textOf(t, "--users", "100", "--ram", "4g", "--cpus", "2", "--cost");
  const [, table = ""] = text.split(
    "\nWhat machines cost, in USD a month (prices of 2026-11-21; --prices FILE has your own)\n",
  );
  assert.match(
    table,
    /^1 × VPS 2 GB +10 +the cheapest\n1 × t3\.medium +30 +\+20\n1 × VPS 4 GB +40 +\+30\n/,
  );
  assert.equal(table.trim().split("\n").length, PRICES.machines.length);
});

test("1.4: compare prints before and after: the caches, the calls to Google, memory and CPU", async (t) => {
  const dir = temporaryFolder("compare");
  const files = ["before", "after"].map((name) => join(dir, `${name}.json`)) as [string, string];
  for (const [i, name] of ["before", "after"].entries())
    writeFileSync(files[i] as string, await textOf(t, "--preset", name, "--json"));
  const { text, code } = await printed(t, files, compare);
  assert.equal(code, 0);
  for (const row of [
    /^ +BEFORE +AFTER +CHANGE$/m,
    /^workers +9 +16 +\+78 %$/m,
    /^cache players +5s +30s +× 6$/m,
    /^cache sheet +60s +120s +× 2$/m,
    /^calls to Google\/min +600 +58 +−90 %$/m,
    /^memory +962 MiB +1\.55 GiB +\+66 %$/m,
    /^CPU +0\.18 % +0\.18 % +=$/m,
    /^p95 +– +964 ms$/m,
  ])
    assert.match(text, row);
});

test("1.4: two load runs are compared at the busiest step that both have", async (t) => {
  const dir = temporaryFolder("compare");
  const step = { label: "goal", model: "closed", users: 100, thinkMs: 1_000, offeredPerSecond: 100, achievedPerSecond: 100, seconds: 20, requests: 2_000, errors: 0, timeouts: 0, refused: 0, valid: true, latencyMs: { p50: 2, p95: 8, p99: 9, max: 9 } }; // prettier-ignore
  const server = { cpus: 2, memoryBytes: 4e9, workers: 2, workerConnections: 9, cacheTtlMs: 5_000, tables: 1, readsPerMinute: 60, tableTtlsMs: { players: 5_000 } }; // prettier-ignore
  const run = {
    format: "drover-load-run",
    version: 1,
    startedAt: "2026-11-21T15:00:00Z",
    tool: "t",
    target: "http://127.0.0.1:1",
    server,
  };
  const write = (name: string, steps: readonly object[]): string => {
    writeFileSync(join(dir, name), JSON.stringify({ ...run, steps }));
    return join(dir, name);
  };
  const margin = { ...step, label: "margin", users: 200, requests: 9_000 };
  const before = write("a.json", [step, margin]);
  const after = write("b.json", [{ ...step, latencyMs: { p50: 1, p95: 4, p99: 9, max: 9 } }]);
  const { text } = await printed(t, [before, after], compare);
  assert.match(text, /^users at once +100 +100 +=$/m);
  assert.match(text, /^cache players +5s +5s +=$/m);
  assert.match(text, /^p95 +8 ms +4 ms +−50 %$/m);
  await assert.rejects(
    async () =>
      compare([
        before,
        write(
          "c.json",
          [margin].map((one) => ({ ...one, users: 7 })),
        ),
      ]),
    /have no step in common/,
  );
  await assert.rejects(async () => compare([before]), /drover compare takes two files/);
  await assert.rejects(
    async () => compare([before, "package.json"]),
    /package\.json: expected what drover plan --json prints/,
  );
});

test("3.1: demands that say the same twice are refused", async () => {
  for (const [argv, message] of [
    ["--visitors 5", /--visitors and --arrivals need each other/],
    ["--visitors 5 --arrivals 1h:100% --users 5", /leave out --users/],
    ["--stay 5m", /add --arrivals/],
    ["--arrivals 4h:50%,1h:60% --visitors 5", /with both rising/],
    ["--sizes api=10k --users 5", /expected NAME=SIZE\*COUNT/],
    ["--sizes api=10k*1 --bytes 10k", /say the same/],
    ["--machine t9.huge", /expected one of VPS 2 GB, .*t3\.large/],
    ["--machine t3.large --cpus 4", /leave out --cpus and --ram/],
    ["--tiers --profile x.json", /--tiers has demands of its own/],
  ] as const)
    await assert.rejects(plan(argv.split(" ")), message, argv);
});
