import assert from "node:assert/strict";
import test from "node:test";
import { bytes, minutes, seconds } from "../../src/base/units.ts";
import { rate, slotsOf } from "../../src/settings/rows/limits.ts";
import { problems, resolved } from "./given.ts";

test("4.1: the names that people have in their files", () => {
  const env = {
    MAX_CONCURRENT_BOTS: "200",
    MAX_BOTS_PER_USER: "1",
    MAX_TRADES_PER_DAY: "500",
    MAX_TOKENS_PER_MINUTE: "1000",
    MAX_SIGNALS_PER_MINUTE: "100",
    WEBSOCKET_RECONNECT: "5s",
    ALERT_THRESHOLD: "0.8",
  };
  const { settings } = resolved({ env });
  assert.deepEqual(
    [settings.max_slots, settings.max_slots_per_user, settings.daily_quota, settings.tokens_per_minute, settings.signals_per_minute],
    [200, 1, 500, 1_000, 100],
  );
  assert.deepEqual([settings.reconnect, settings.alert_threshold], [seconds(5), 80], "160 of 200");
  const { settings: bare } = resolved({ env: { WEBSOCKET_RECONNECT: "5" } });
  assert.equal(bare.reconnect, seconds(5));
  const { settings: usual } = resolved();
  assert.deepEqual(
    [usual.max_slots, usual.max_slots_per_user, usual.slot_conflict, usual.slot_lease, usual.rate_limit, usual.daily_quota],
    [500, 1, "take-over", minutes(10), { most: 100, per: minutes(1) }, 0],
  );
});

test("4.2, 4.7: slots by the memory", () => {
  const { settings } = resolved({ env: { MAX_CONCURRENT_BOTS: "RAM" }, flags: { memory: "4g" } });
  assert.equal(slotsOf(settings.max_slots, settings.memory), 150);
  assert.equal(slotsOf(7, bytes(1)), 7);
});

test("rates and time zones are read strictly", () => {
  for (const text of ["100/m", "10/s", "5000/h", "off"]) {
    const read = rate.parse(text, "/");
    assert.ok(read.ok);
    assert.equal(rate.format(read.value), text);
  }
  for (const text of ["100", "0/m", "-1/m", "1.5/s", "10/d", "100/1m", "9999999/m", " 1/s"])
    assert.equal(rate.parse(text, "/").ok, false, text);
  assert.match(problems({ env: { DROVER_TIME_ZONE: "Mars/Olympus" } }).join("\n"), /time_zone.*Mars\/Olympus.*such as Europe\/Paris/);
  assert.equal(resolved({ env: { DROVER_TIME_ZONE: "europe/paris" } }).settings.time_zone, "Europe/Paris");
  assert.equal(resolved({ env: { DROVER_TIME_ZONE: "+02" } }).settings.time_zone, "+02:00");
  for (const no of ["2026-01-01[Europe/Paris]", "20:30+01:00"])
    assert.match(problems({ env: { DROVER_TIME_ZONE: no } }).join("\n"), /such as Europe\/Paris/, no);
});

test("0.16, 2.3: a rate may have a burst: 100/m burst 200, and a wrong one is named with what was expected", () => {
  for (const name of ["rate_limit", "read_rate", "export_rate"] as const) {
    const env = { [`DROVER_${name.toUpperCase()}`]: "100/m burst 200" };
    assert.deepEqual(resolved({ env }).settings[name], { most: 100, per: minutes(1), burst: 200 });
  }
  const aws = rate.parse("100000/s burst 200000", "/"); // API Gateway's stage throttle
  assert.ok(aws.ok && rate.format(aws.value) === "100000/s burst 200000");
  assert.ok(rate.parse("100/m burst 100", "/").ok);
  const wrong = (text: string): string => problems({ env: { DROVER_RATE_LIMIT: text } }).join("\n");
  for (const few of ["0", "1", "99", "1000001"])
    assert.match(wrong(`100/m burst ${few}`), new RegExp(`rate_limit.*100/m burst ${few}.*a burst from 100 to 1000000`), few);
  for (const garbage of [
    "100/m burst",
    "100/m burst -1",
    "100/m burst 2.5",
    "100/m burst 1e3",
    "100/mburst 200",
    "burst 200",
    "off burst 200",
  ])
    assert.match(wrong(garbage), /such as 100\/m, .*with a burst such as 100\/m burst 200/, garbage);
});

test("this machine is believed about addresses when nobody else can reach us", () => {
  const trusted = (bind: string): number => resolved({ flags: { bind } }).settings.trusted_proxies.length;
  assert.deepEqual(
    ["127.0.0.1:80", "[::1]:80,unix:/run/x.sock", "localhost:80", "0.0.0.0:80", "127.0.0.1:80,:81", "fd://3", "192.168.1.1:80"].map(
      trusted,
    ),
    [2, 2, 2, 0, 0, 0, 0],
  );
  assert.deepEqual(resolved({ env: { DROVER_TRUSTED_PROXIES: "" } }).settings.trusted_proxies, []);
});
