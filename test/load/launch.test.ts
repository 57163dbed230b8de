/** The launch plan's own JSON, as its authors wrote it: its ramp is run, and 300 simulated users of one address do not spoil it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { seconds } from "../../src/base/units.ts";
import { readLoadFlags } from "../../src/cli/load/flags.ts";
import { scenarioOf, type Scenario } from "../../src/cli/load/scenario.ts";
import { readProfile, type Profile } from "../../src/load/profile.ts";
import { lintProfile } from "../../src/load/profile-lint.ts";
import { expectedRequests, held, lasts } from "../../src/load/shape.ts";
import { actionsOf, CLASSES, READS_ONLY, thinkOf, type Endpoint } from "../../src/load/traffic.ts";
import { sharedAddress } from "../../src/tools/load/spread.ts";
import { run, runner, serve } from "../tools/load/generator.ts";

const FILE = "test/load/launch-profile.json";
const TEXT = readFileSync(FILE, "utf8");
type Json = Record<string, Record<string, unknown>>;
const document = (): Json => JSON.parse(TEXT) as Json;
const endpoints = CLASSES.map((name): Endpoint => ({ name, class: name, weight: 1, method: "GET", path: `/${name}` }));
const scenario = (profile: Profile, flags: Readonly<Record<string, string>> = {}): Scenario =>
  scenarioOf(readLoadFlags(new Map(Object.entries(flags))), profile, endpoints, []);
const launch = (change: Json = {}): Profile => readProfile(JSON.stringify({ ...document(), ...change }), "launch.json");
const users = (distribution: unknown, more: object = {}): Json => ({
  users: { total: 10_000, simultaneous: 300, ...more, distribution },
});

test("3.5: the document's JSON keeps its ramp: 45 minutes and 30,900 requests", () => {
  const { steps, traffic } = scenario(readProfile(TEXT, FILE));
  assert.deepEqual(
    steps.map(({ label, model, from, to, holdMs }) => [label, model, from, to, holdMs / 60_000]),
    [
      ["ramp_up", "closed", 0, 300, 10],
      ["plateau", "closed", 300, 300, 30],
      ["ramp_down", "closed", 300, 0, 5],
    ],
  );
  assert.equal(lasts(steps) / 60_000, 45);
  assert.equal(Math.round(expectedRequests(steps, thinkOf(traffic))), 30_937);
});

test("3.4: the example of the page is the document's JSON, byte for byte", () => {
  const [, shown] = /```json\n(\{\n {4}"users"[^]*?)```/.exec(readFileSync("docs/load.md", "utf8")) ?? [];
  assert.equal(shown, TEXT);
});

test("3.5: all three readings of the document's frequencies are printed, and each can be run", () => {
  const said = lintProfile(readProfile(TEXT, FILE)).join("\n");
  for (const reading of [/0\.31 requests\/s, 6\.67 users at once/, /91\.7 requests\/s, 400 minutes/, /13\.7 requests\/s \(taken here\)/])
    assert.match(said, reading);
  const system = scenario(launch({ frequency: { per: "system" } })).steps;
  assert.deepEqual(
    system.map(({ label, model, from, to }) => [label, model, from, to]),
    [
      ["ramp_up", "open", 0, 0.306],
      ["plateau", "open", 0.306, 0.306],
      ["ramp_down", "open", 0.306, 0],
    ],
  );
  assert.equal(scenario(launch({ frequency: { per: "user" } })).steps.length, 3);
});

test("3.4: a ramp without a number of users at once is judged by its peak", () => {
  const { distribution } = document()["users"] as { distribution: unknown };
  const { simultaneous, ...bare } = launch({ users: { distribution } });
  assert.equal(simultaneous, 300);
  assert.match(lintProfile({ simultaneous, ...bare }).join("\n"), /300 users at once and these frequencies/);
  const odd = lintProfile(launch(users({ up: { duration: "1m", users: 400 } }))).join("\n");
  assert.match(odd, /users: 300 at once, but 400 at the peak of users\.distribution: the ramp is taken/);
});

test("3.5: nothing of a profile is dropped without a word", () => {
  for (const [distribution, message] of [
    [{ up: { duration: "10m" } }, /users\.distribution\.up\.users is missing: expected a number from 0 to 20,000/],
    [{ up: { users: 5 } }, /users\.distribution\.up\.duration is .*: expected how long/],
    [{ up: { duration: "10m", users: 5 }, manager: 60 }, /users\.distribution\.manager is 60: expected an object/],
    [{ up: { duration: "10m", users: 0 } }, /users\.distribution .*: expected at least one with users/],
    [{ manager: "most" }, /users\.distribution\.manager is "most"/],
    ["300", /users\.distribution is "300": expected an object/],
  ] as const)
    assert.throws(() => launch(users(distribution)), message);
  const { create_client: action } = document()["actions"] as Record<string, object>;
  const said = lintProfile(
    launch({ ...users({ up: { duration: "1m", users: 300, spawn: 1 } }, { rate: 1 }), actions: { create_client: { ...action, url: 1 } } }),
  );
  assert.match(said.join("\n"), /not used here: users\.rate, users\.distribution\.up\.spawn, actions\.create_client\.url/);
  assert.match(lintProfile(launch({ stages: "1m:5" } as unknown as Json)).join("\n"), /users\.distribution: not used, stages is taken/);
});

test("3.4: flags take the ramp's place; --hold alone would change nothing of it and is refused", () => {
  assert.deepEqual(
    scenario(launch(), { users: "5", hold: "1s" }).steps.map(({ to }) => to),
    [5],
  );
  assert.throws(() => scenario(launch(), { hold: "1s" }), /launch\.json says how long each stage lasts: leave out --hold/);
});

test("3.5: users who share an address and would be refused hear of it before the run, and what to set", () => {
  const { steps, traffic } = scenario(launch());
  const [own, other] = [{ address: "127.0.0.1" }, { address: "192.0.2.1" }];
  assert.deepEqual(sharedAddress(steps, traffic, own), [
    "all users share one address, and drover limits the writes and exports of an address: use --spread-addresses, " +
      "let users sign in (--user-file), or start the target with DROVER_RATE_LIMIT=off DROVER_EXPORT_RATE=off",
  ]);
  assert.doesNotMatch(sharedAddress(steps, traffic, other).join(), /spread-addresses/);
  assert.deepEqual(sharedAddress(steps, { ...traffic, login: { path: "/in", body: "" } }, own), []);
  assert.deepEqual(sharedAddress(steps, { mix: READS_ONLY }, own), []);
  assert.deepEqual(sharedAddress([held("closed", 1, seconds(20))], traffic, own), []);
});

test("3.5: --spread-addresses gives every simulated user a loopback address", async (t) => {
  const seen = new Set<string>();
  const { target } = await serve(t, (req, res) => {
    seen.add(req.socket.remoteAddress ?? "");
    res.end("ok");
  });
  const [result] = await run(runner(target, { spread: true, thinkMs: 20 }), [held("closed", 7, seconds(1))]);
  assert.equal(result?.measured.counts.outcomes.ok, result?.measured.counts.requests);
  assert.deepEqual(
    [...seen].sort(),
    [0, 1, 2, 3, 4, 5, 6].map((n) => `127.1.0.${n}`),
  );
});

test("3.2: personas do their actions at their own pace: 60 % managers 10 an hour, 40 % marketing 5 an hour", () => {
  const personas = { manager: { share: 60, frequency: "10/h" }, marketing: { share: 40, frequency: "5/h" } };
  const profile = launch({ users: { simultaneous: 300, personas } });
  const { traffic } = scenario(profile);
  const perSecond = (300 * (0.6 * 10 + 0.4 * 5) * (11 / 3)) / 3_600; // actions an hour × 11 requests in 3 of them
  assert.equal(((300 * 1_000) / thinkOf(traffic)).toFixed(3), perSecond.toFixed(3));
  assert.match(lintProfile(profile).join("\n"), /each persona at its pace: 2\.44 requests\/s \(taken here\)/);
  const managers = Array.from({ length: 300 }, (_, n) => actionsOf(traffic, n)).filter((one) => one === traffic.personas?.[0]?.actions);
  assert.ok(Math.abs(managers.length - 180) <= 2, `${managers.length} of 300`);
  assert.equal(thinkOf(scenario(profile, { think: "2s" }).traffic), 2_000);
  assert.throws(() => launch({ users: { personas: { manager: 60 } } }), /users\.personas\.manager is 60: expected an object/);
  assert.throws(() => launch({ users: { personas }, frequency: { per: "user" } }), /frequency is .*: expected none/);
});
