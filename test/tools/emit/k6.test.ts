/** `drover emit k6`: the script runs against a stub of k6's API, and its command lines against a stub of k6. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { emptyFolder, filesOf, inFolder, runs, textOf } from "./emitted.ts";

const PROFILE = "test/load/launch-profile.json";

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly body: string | null;
  readonly name: string;
}
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly error_code: number;
}
/** What the stub of k6 keeps. */
interface Stub {
  readonly sent: Sent[];
  readonly slept: number[];
  readonly metrics: Record<string, number[]>;
  user: number;
  answer: Answer;
}
interface Script {
  readonly options: {
    readonly scenarios: { readonly users: Readonly<Record<string, unknown>> };
    readonly thresholds: Readonly<Record<string, readonly string[]>>;
  };
  readonly default: () => void;
}

const OK: Answer = { status: 200, headers: {}, error_code: 0 };
const STUBS: Readonly<Record<string, string>> = {
  "package.json": JSON.stringify({
    name: "k6",
    type: "module",
    exports: {
      ".": "./k6.js",
      "./http": "./http.js",
      "./execution": "./execution.js",
      "./metrics": "./metrics.js",
    },
  }),
  "k6.js": "export const sleep = (seconds) => { globalThis.k6stub.slept.push(seconds); };",
  "http.js":
    "const request = (method, url, body, { tags }) => { k6stub.sent.push({ method, url, body, name: tags.name }); return k6stub.answer; };\nexport default { request };",
  "execution.js":
    "export default { get vu() { return { idInTest: k6stub.user }; }, scenario: { startTime: 1700000000000 } };",
  "metrics.js":
    "class Metric { constructor(name) { this.values = (k6stub.metrics[name] = []); } add(value) { this.values.push(Number(value)); } }\nexport const Counter = Metric, Rate = Metric;",
};

async function imported(
  t: TestContext,
  text: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ script: Script; stub: Stub }> {
  const dir = emptyFolder(t);
  mkdirSync(join(dir, "node_modules", "k6"), { recursive: true });
  for (const [name, stub] of Object.entries(STUBS))
    writeFileSync(join(dir, "node_modules", "k6", name), stub);
  writeFileSync(join(dir, "script.mjs"), text);
  const stub: Stub = { sent: [], slept: [], metrics: {}, user: 1, answer: OK };
  const people = (): string => "p001,open sesame\np002,other\n";
  Object.assign(globalThis, { k6stub: stub, __ENV: env, open: people });
  return { script: (await import(pathToFileURL(join(dir, "script.mjs")).href)) as Script, stub };
}

test("3.5: the document's JSON becomes a k6 script with its ramp, mix, pauses and thresholds", async (t) => {
  const { script, stub } = await imported(t, textOf("k6", { profile: PROFILE }));
  assert.deepEqual(script.options.scenarios.users, {
    executor: "ramping-vus",
    startVUs: 0,
    gracefulRampDown: "30s",
    stages: [
      { duration: "600s", target: 300 },
      { duration: "1800s", target: 300 },
      { duration: "300s", target: 0 },
    ],
  });
  const { thresholds } = script.options;
  assert.deepEqual(thresholds["http_req_duration"], ["p(95)<500"]);
  assert.deepEqual(thresholds["http_req_failed"], ["rate<0.01"]);
  assert.deepEqual(thresholds["unexpected_503"], ["count==0"]);
  assert.equal(
    Object.keys(thresholds).filter((name) => name.startsWith("target_")).length,
    0,
    "k6 does not see the target's machine",
  );
  for (stub.user = 1; stub.user <= 300; stub.user += 1) script.default();
  const part = (match: (one: Sent) => boolean): number =>
    stub.sent.filter(match).length / stub.sent.length;
  const near = (value: number, wanted: number, what: string): void =>
    assert.ok(Math.abs(value - wanted) < 0.08, `${what}: ${value}`);
  near(
    part(({ method }) => method === "POST"),
    0.3,
    "writes",
  );
  near(
    part(({ url }) => url.includes("/export")),
    0.1,
    "exports",
  );
  assert.ok(stub.sent.every(({ url }) => url.startsWith("http://127.0.0.1:8080/api/tables/")));
  assert.equal(stub.slept.length, stub.sent.length, "a pause before each request");
  assert.ok(
    stub.slept.every((seconds) => seconds >= 10 && seconds <= 36),
    "half to one and a half of 20 s and 24 s",
  );
  const bodies = stub.sent.flatMap(({ body }) => body ?? []);
  assert.equal(new Set(bodies).size, bodies.length, "no two writes are the same");
});

test("C8: both scripts say where the profile contradicts itself", () => {
  for (const artefact of ["k6", "locust"]) {
    const text = textOf(artefact, { profile: PROFILE });
    for (const part of [
      "Little's law",
      "0.31 requests/s, 6.67 users at once",
      "400 minutes of work in each hour",
      "33.3 % of the actions are",
    ])
      assert.ok(text.includes(part), `${artefact}: ${part}`);
  }
});

test("3.5: deliberate refusals are counted apart from errors and timeouts", async (t) => {
  const { script, stub } = await imported(t, textOf("k6", { profile: PROFILE }), {
    BASE_URL: "https://example.org/",
  });
  const sums = (answer: Answer): Record<string, number> => {
    for (const values of Object.values(stub.metrics)) values.length = 0;
    stub.answer = answer;
    script.default();
    return Object.fromEntries(
      Object.entries(stub.metrics).map(([name, values]) => [name, Math.max(...values)]),
    );
  };
  const nothing = { http_req_shed: 0, unexpected_503: 0, timeouts: 0, errors: 0 };
  assert.deepEqual(sums(OK), nothing);
  assert.deepEqual(sums({ ...OK, status: 503, headers: { "X-Drover-Refused": "full" } }), {
    ...nothing,
    http_req_shed: 1,
  });
  assert.deepEqual(sums({ ...OK, status: 503 }), { ...nothing, unexpected_503: 1, errors: 1 });
  assert.deepEqual(sums({ ...OK, status: 0, error_code: 1050 }), { ...nothing, timeouts: 1 });
  assert.deepEqual(sums({ ...OK, status: 500 }), { ...nothing, errors: 1 });
  assert.ok(stub.sent.every(({ url }) => url.startsWith("https://example.org/api/")));
});

test("a login takes names and codes from a file: the script holds none", async (t) => {
  const file = join(emptyFolder(t), "profile.json");
  writeFileSync(
    file,
    JSON.stringify({ users: { simultaneous: 2 }, login: {}, endpoints: { read: ["GET /me"] } }),
  );
  const text = textOf("k6", { profile: file });
  await assert.rejects(imported(t, text), /USER_FILE/);
  const { script, stub } = await imported(t, text, { USER_FILE: "people.csv" });
  script.default();
  script.default();
  assert.deepEqual(
    stub.sent.map(({ name, body }) => [name, body]),
    [
      ["login", '{"name":"p001","secret":"open sesame"}'],
      ["/me", null],
      ["/me", null],
    ],
    "one login per user",
  );
});

for (const status of [0, 302, 503])
  test(`a login that is answered with ${status} is no login: it is tried again, and nothing is asked without it`, async (t) => {
    const file = join(emptyFolder(t), "profile.json");
    writeFileSync(
      file,
      JSON.stringify({ users: { simultaneous: 2 }, login: {}, endpoints: { read: ["GET /me"] } }),
    );
    const { script, stub } = await imported(t, textOf("k6", { profile: file }), {
      USER_FILE: "people.csv",
    });
    stub.answer = { ...OK, status };
    script.default();
    stub.answer = OK;
    script.default();
    assert.deepEqual(
      stub.sent.map(({ name }) => name),
      ["login", "login", "/me"],
    );
  });

test("requests at a rate become arrivals: whole numbers, as k6 wants them", async (t) => {
  const file = join(emptyFolder(t), "profile.json");
  writeFileSync(
    file,
    JSON.stringify({ stages: "1m:5/s,30s:0/s", endpoints: { read: ["GET /a"] } }),
  );
  const { script } = await imported(t, textOf("k6", { profile: file }));
  const { executor, timeUnit, stages: parts } = script.options.scenarios.users;
  assert.deepEqual([executor, timeUnit], ["ramping-arrival-rate", "600s"]);
  assert.deepEqual(parts, [
    { duration: "60s", target: 3_000 },
    { duration: "30s", target: 0 },
  ]);
});

test("2.12: --split N gives each machine its part of the stages, which the document's four commands lack", (t) => {
  const dir = inFolder(t, "k6", {
    profile: PROFILE,
    users: "100000",
    split: "4",
    url: "https://example.org",
  });
  const bin = emptyFolder(t);
  writeFileSync(join(bin, "k6"), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
  const lines = [1, 2, 3, 4].map((nr) =>
    runs("sh", [join(dir, "drover-k6-split.sh"), String(nr)], {
      PATH: `${bin}:${process.env["PATH"]}`,
    }).split("\n"),
  );
  const after = (args: readonly string[], flag: string): string =>
    args[args.indexOf(flag) + 1] ?? "";
  assert.deepEqual(
    lines.map((args) => after(args, "--execution-segment")),
    ["0:1/4", "1/4:2/4", "2/4:3/4", "3/4:1"],
  );
  for (const args of lines) {
    assert.equal(after(args, "--execution-segment-sequence"), "0,1/4,2/4,3/4,1");
    assert.equal(after(args, "-e"), "BASE_URL=https://example.org");
    assert.equal(args.at(-2), "drover-k6.js");
  }
  assert.equal(
    spawnSync("sh", [join(dir, "drover-k6-split.sh")]).status,
    64,
    "without a number it starts nothing",
  );
});

test("2.12: 100,000 users keep the ramp of the profile: the script holds the durations", async (t) => {
  const { script } = await imported(t, textOf("k6", { profile: PROFILE, users: "100000" }));
  assert.deepEqual(script.options.scenarios.users["stages"], [
    { duration: "600s", target: 100_000 },
    { duration: "1800s", target: 100_000 },
    { duration: "300s", target: 0 },
  ]);
});

test("values that k6 can't use are refused", () => {
  for (const [options, message] of [
    [{ split: "1" }, /--split 1: expected the number of machines/],
    [{ users: "-5" }, /--users -5: expected a whole number/],
    [{ profile: "/nowhere.json" }, /--profile \/nowhere\.json: there is no such file/],
    [{ url: "http://x/$(reboot)" }, /--url/],
  ] as const)
    assert.throws(() => filesOf("k6", options), message);
});
