/** An external monitor is told from other requests, and seen once for each time that it asks. */
import assert from "node:assert/strict";
import test from "node:test";
import { Sightings } from "../../src/admin/sightings.ts";
import { isMonitorRequest } from "../../src/base/monitor-request.ts";
import { minutes, seconds, type Ms, type Timestamp } from "../../src/base/units.ts";

test("4.11: a monitor is known by another machine's address or by its user agent", () => {
  const cases: readonly (readonly [address: string, userAgent: string | undefined, is: boolean])[] = [
    ["203.0.113.9", "curl/8", true],
    ["2001:db8::1", undefined, true],
    ["127.0.0.1", "curl/8", false],
    ["::1", undefined, false],
    ["::ffff:127.0.0.1", undefined, false],
    ["unix", undefined, false],
    ["unknown", undefined, false],
    ["127.0.0.1", "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", true],
    ["unix", "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", true],
    ["127.0.0.1", "Uptime-Kuma/1.23", true],
    ["203.0.113.9", "drover-checklist", false],
    ["203.0.113.9", "drover-drill", false],
  ];
  for (const [address, userAgent, is] of cases) assert.equal(isMonitorRequest(address, userAgent), is, `${address} ${userAgent ?? ""}`);
});

test("4.11: requests close together are one sighting; the last twelve are kept", () => {
  const sightings = new Sightings();
  const at = (after: Ms): Timestamp => (1_800_000_000_000 + after) as Timestamp;
  sightings.look(0, at(seconds(1)));
  assert.deepEqual(sightings.times(), []);
  sightings.look(2, at(seconds(5)));
  sightings.look(3, at(seconds(10)));
  sightings.look(3, at(minutes(5)));
  sightings.look(4, at(minutes(6)));
  assert.deepEqual(sightings.times(), [at(seconds(5)), at(minutes(6))]);
  for (let n = 0; n < 30; n += 1) sightings.look(5 + n, at(minutes(10 + n)));
  assert.deepEqual([sightings.times().length, sightings.times().at(-1), sightings.total], [12, at(minutes(39)), 34]);
});
