/** Every refusal can be explained: in the answer, in the metrics, in `drover why` and in the documentation. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { explain, REFUSALS, refusalsOf } from "../../src/admin/refusals.ts";
import { whyText } from "../../src/cli/why.ts";
import { variableOf, type AnySetting } from "../../src/settings/setting.ts";
import { SETTINGS } from "../../src/settings/table.ts";
import { statusWith } from "../cli/statuses.ts";

const sources = ["src/app", "src/worker", "src/admin"].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => ({ path: `${folder}/${file}`, text: readFileSync(`${folder}/${file}`, "utf8") })),
);

/** Every reason that stands in the code. */
function givenReasons(): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { path, text } of sources) {
    for (const [, reason = ""] of text.matchAll(/"X-Drover-Refused": "([^"]+)"/g)) found.add(reason);
    if (!path.startsWith("src/worker/gate/")) continue;
    for (const [, reason = ""] of text.matchAll(/\breason: "([^"]+)"/g)) found.add(reason);
    for (const [, reason = ""] of text.matchAll(/\brefusal\(\s*\d+,\s*"([^"]+)"/g)) found.add(reason);
  }
  return found;
}

test("4.14: every refusal has a reason, a counter and an explanation", () => {
  const reasons = givenReasons();
  assert.ok(reasons.size >= 15, [...reasons].join(" "));
  assert.deepEqual(
    [...reasons].filter((reason) => !Object.hasOwn(REFUSALS, reason)),
    [],
    "a reason in the code that drover why does not know",
  );
  const counters = refusalsOf({});
  const limits = readFileSync("docs/limits.md", "utf8");
  for (const [reason, { means, todo, status }] of Object.entries(REFUSALS)) {
    assert.equal(counters[reason], 0, `${reason} is counted from the start`);
    assert.ok(means.length > 10 && todo.length > 10 && /^\d{3}(?:, \d{3})*$/.test(status), reason);
    assert.match(limits, new RegExp(`\`${reason}\``), `docs/limits.md explains ${reason}`);
  }
});

test("4.14: what an explanation tells the operator to set is a setting", () => {
  const known = new Set(SETTINGS.map((row: AnySetting) => variableOf(row)));
  const named = Object.values(REFUSALS).flatMap(({ means, todo }) => `${means} ${todo}`.match(/DROVER_[A-Z_]+/g) ?? []);
  assert.ok(named.length > 8);
  assert.deepEqual(
    named.filter((name) => !known.has(name)),
    [],
  );
});

test("4.14: drover why shows each reason with its count, its meaning and what to do, the most frequent first", () => {
  const refusals = { ...refusalsOf({ "shed.full": 3, "shed.rate": 40, "calls.read.ok": 9 }), "too-\u001b[31mnew": 1 };
  const text = whyText(statusWith({ refusals }));
  assert.match(text, /^rate {2}40 \(429\): a client sent more than the rate limits allow\n {2}do: raise DROVER_RATE_LIMIT/m);
  assert.match(text, /^full {2}3 \(503\): all slots are taken\n {2}do: drover slots/m);
  assert.ok(text.indexOf("rate  40") < text.indexOf("full  3"));
  assert.doesNotMatch(text, /overload/);
  assert.equal(text.includes("\u001b"), false);
  assert.match(text, /a reason of the application's own/);
  assert.match(whyText(statusWith({ refusals: refusalsOf({}) })), /no request was refused since drover started 2h05m ago/);
  assert.match(whyText(statusWith({ refusals: refusalsOf({}) }), "overload"), /^overload {2}0 \(503\): /m);
  assert.equal(explain("constructor").status, "–");
});
