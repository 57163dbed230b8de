// alone
/** Notifications to systemd: how long a call keeps the loop, a full queue, and systemd's own program. */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { needs } from "../../support/needs.ts";
import { judge, place, skip, told, type Line } from "./notify-helper.ts";

/** Asserts that no call kept the loop for long. */
function goesOn(cost: readonly number[]): void {
  assert.ok(Math.max(...cost) < 250_000, "the loop goes on");
}

const quantile = (of: readonly number[], q: number): number => of.toSorted((a, b) => a - b)[Math.floor(of.length * q)] ?? Number.NaN;
const micros = (values: readonly number[]): string => [0.5, 0.99].map((q) => `${Math.round(quantile(values, q))}`).join(" / ");

/** Prints how long a call keeps the loop, and when the receiver, another process, has the datagram in its hands. */
function latency(t: TestContext, lines: readonly Line[], transport: string): void {
  const arrivals = new Map(lines.flatMap(({ text, at }) => (text === undefined || at === undefined ? [] : [[text, at]])));
  const sent = lines.flatMap((line) => line.sent ?? []);
  const delays = sent.flatMap(([text, at]) =>
    ((arrival) => (arrival === undefined ? [] : [(arrival - Number(at)) / 1_000]))(arrivals.get(text)),
  );
  // Where the machine is slower than the calls, a newer extension takes the place of one that still waits.
  assert.ok(delays.length >= 10, `${delays.length} of ${sent.length} arrived`);
  const costs = sent.map(([, , cost]) => cost);
  t.diagnostic(`${transport}: µs, median / p99 of ${delays.length}: the call ${micros(costs)}; until it is received ${micros(delays)}`);
  assert.ok(quantile(delays, 0.5) < 250_000);
}

describe("latency", { skip }, () => {
  for (const [transport, options] of [
    ["ffi", []],
    ["descriptor", ["--descriptor"]],
  ] as const)
    test(transport, async (t) => latency(t, await told(t, place(t), transport, options, 300), transport));
});

describe("telling systemd", { skip }, () => {
  test("by node:ffi, to an abstract name", async (t) => {
    goesOn(judge(t, await told(t, `@drover-notify-${process.pid}`, "ffi"), "ffi"));
  });

  test("by systemd-notify, one process at a time", { skip: needs("systemd-notify", "systemd") }, async (t) => {
    goesOn(judge(t, await told(t, place(t), "systemd-notify"), "systemd-notify"));
  });

  for (const [transport, options] of [
    ["ffi", ["--full"]],
    ["any", ["--full", "--descriptor"]],
  ] as const)
    test(`a full queue (${options.join(" ")}) delays, keeps the order, and blocks nothing`, async (t) => {
      const lines = await told(t, place(t), transport, options);
      assert.equal(lines.find(({ text }) => text !== undefined)?.text, "FILL", "it was full");
      goesOn(judge(t, lines, transport === "any" ? "descriptor" : "ffi"));
    });
});
