// alone
/** The page of metrics: what it costs, and what Prometheus says of it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { renderMetrics } from "../../../src/admin/metrics/render.ts";
import { needs } from "../../support/needs.ts";
import { place, statusWith } from "../../cli/statuses.ts";
import { measured, upstream } from "../given.ts";
import { whole } from "./whole.ts";

test("at 16 workers it is made in a few milliseconds", () => {
  const places = Array.from({ length: 16 }, (_, i) => place(i));
  const [first] = measured().processes;
  const processes = places.map((_, slot) => ({ ...first, role: "worker" as const, slot })) as ReturnType<typeof measured>["processes"];
  const input = whole({ snapshot: statusWith({ upstream: upstream(), places }), measured: measured({ processes }) });
  const times = Array.from({ length: 50 }, () => {
    const from = performance.now();
    renderMetrics(input);
    return performance.now() - from;
  }).toSorted((a, b) => a - b);
  console.log(
    `/metrics of 16 workers: ${renderMetrics(input).length} bytes, median ${times[25]?.toFixed(2)} ms, slowest ${times.at(-1)?.toFixed(2)} ms`,
  );
  assert.ok((times[25] ?? Infinity) <= 10);
});

test("Prometheus' own checker finds nothing to say", { skip: needs("promtool", "prometheus") }, () => {
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: renderMetrics(whole()), encoding: "utf8" });
  assert.deepEqual([status, stdout, stderr], [0, "", ""]);
});
