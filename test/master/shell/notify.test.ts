import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test, type TestContext } from "node:test";
import { needs } from "../../needs.ts";
import { makeLogger } from "../../../src/base/log.ts";
import { createNotifier } from "../../../src/master/shell/notify.ts";
import { ffiSender } from "../../../src/master/shell/notify-ffi.ts";

const here = import.meta.dirname;
const skip = process.platform === "linux" ? needs("python3", "python3") : "Linux only"; // it plays systemd
const quiet = makeLogger({ role: "master" }, "silent", { write: () => {} });

interface Line {
  readonly pid?: number;
  readonly text?: string;
  readonly transport?: string;
  readonly watchdog?: number | null;
  readonly left?: string[];
  readonly own?: number;
  readonly first?: number[];
  /** CLOCK_MONOTONIC in ns, as the sender's process.hrtime is. */
  readonly at?: number;
  readonly sent?: readonly (readonly [text: string, at: string, cost: number])[];
}

/** Runs notifying.ts under the receiver until `last` was received, and gives everything that was said. */
async function told(t: TestContext, address: string, transport: string, options: readonly string[] = [], times = 0): Promise<Line[]> {
  const child = spawn(
    "python3",
    [join(here, "datagrams.py"), ...options, address, process.execPath, join(here, "notifying.ts"), transport, String(times)],
    {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, NOTIFY_SOCKET: "", WATCHDOG_USEC: "60000000", LISTEN_PID: "", LISTEN_FDS: "" },
    },
  );
  t.after(() => child.kill("SIGKILL"));
  const lines: Line[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(JSON.parse(line) as Line);
    if (lines.at(-1)?.text === "STATUS=2 of 2") child.stdin.end();
  }
  if (child.exitCode === null) await once(child, "exit");
  assert.equal(child.exitCode, 0);
  return lines;
}

function place(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "drover-notify-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return join(dir, "notify");
}

const EXPECTED = [
  /^READY=1\nSTATUS=8\/8 workers ready\nWATCHDOG=1$/,
  /^RELOADING=1\nMONOTONIC_USEC=\d+$/,
  /^READY=1\nSTATUS=generation 2\nWATCHDOG=1$/,
  /^EXTEND_TIMEOUT_USEC=1500001$/,
  /^WATCHDOG=1$/,
  /^STOPPING=1$/,
  /^STATUS=2 of 2$/,
];

function judge(t: TestContext, lines: readonly Line[], transport: string): void {
  const [said] = lines;
  assert.equal(said?.transport, transport);
  assert.deepEqual(said.left, [], "NOTIFY_SOCKET and WATCHDOG_* are taken out of the environment");
  assert.equal(said.watchdog, 60_000);
  const texts = lines.flatMap(({ text }) => (text === undefined || /^(FILL|BARRIER=1)$/.test(text) ? [] : [text]));
  assert.equal(texts.length, EXPECTED.length, texts.join(" · "));
  EXPECTED.forEach((pattern, i) => assert.match(texts[i] ?? "", pattern));
  const monotonic = Number(/USEC=(\d+)/.exec(texts[1] ?? "")?.[1]);
  assert.ok(Math.abs(monotonic - Number(process.hrtime.bigint() / 1_000n)) < 60e6, "CLOCK_MONOTONIC, in microseconds");
  const cost = lines.find((line) => line.first !== undefined)?.first ?? [];
  t.diagnostic(`${transport}: a call keeps the loop for ${cost.map((us) => Math.round(us)).join(", ")} µs`);
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

describe("telling systemd", { skip, concurrency: true }, () => {
  test("by node:ffi, to a path", async (t) => {
    const lines = await told(t, place(t), "ffi");
    judge(t, lines, "ffi");
    const [said] = lines;
    assert.ok(
      lines.every(({ pid }) => pid === undefined || pid === said?.own),
      "the sender is the process itself: NotifyAccess=main",
    );
  });

  test("by node:ffi, to an abstract name", async (t) => {
    judge(t, await told(t, `@drover-notify-${process.pid}`, "ffi"), "ffi");
  });

  test("by the descriptor that OpenFile= passes, before anything else", async (t) => {
    const lines = await told(t, place(t), "any", ["--descriptor"]);
    judge(t, lines, "descriptor");
    assert.ok(lines.every(({ pid }) => pid === undefined || pid === lines[0]?.own));
  });

  test("by systemd-notify, one process at a time", { skip: needs("systemd-notify", "systemd") }, async (t) => {
    judge(t, await told(t, place(t), "systemd-notify"), "systemd-notify");
  });

  for (const [transport, options] of [
    ["ffi", ["--full"]],
    ["any", ["--full", "--descriptor"]],
  ] as const)
    test(`a full queue (${options.join(" ")}) delays, keeps the order, and blocks nothing`, async (t) => {
      const lines = await told(t, place(t), transport, options);
      assert.equal(lines.find(({ text }) => text !== undefined)?.text, "FILL", "it was full");
      judge(t, lines, transport === "any" ? "descriptor" : "ffi");
    });

  test("nobody listens: nothing is thrown, and nothing keeps the process", async () => {
    const script = `
      import { createNotifier } from ${JSON.stringify(join(here, "../../../src/master/shell/notify.ts"))};
      import { makeLogger } from ${JSON.stringify(join(here, "../../../src/base/log.ts"))};
      const n = createNotifier(process.env, makeLogger({ role: "master" }, "silent", { write() {} }));
      for (let i = 0; i < 100; i++) { n.ready("x"); n.status("y"); n.extend(Number.NaN); }`;
    const ran = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...process.env, NOTIFY_SOCKET: "/nonexistent/notify" },
      timeout: 30_000,
    });
    assert.deepEqual([ran.status, String(ran.stderr)], [0, ""], "in particular no ExperimentalWarning");
  });
});

describe("without systemd", () => {
  test("every call is a no-op", () => {
    for (const env of [{}, { NOTIFY_SOCKET: "" }]) {
      const notifier = createNotifier(env, quiet);
      assert.equal(notifier.transport, "none");
      notifier.ready("x");
      notifier.reloading();
      notifier.stopping();
      notifier.extend(1);
      notifier.status("x");
    }
  });

  test("an address that no unix socket has is no reason to fail", () => {
    for (const socket of ["relative", "@", "/", `/${"x".repeat(200)}`, "vsock:2:1234"]) {
      const env = { NOTIFY_SOCKET: socket };
      assert.equal(createNotifier(env, quiet, ["descriptor", "ffi"]).transport, "none", socket);
      assert.deepEqual(env, {});
    }
  });

  test("other experimental warnings are still shown", { skip }, async () => {
    const seen: string[] = [];
    const listen = (warning: Error) => void seen.push(warning.message);
    process.on("warning", listen);
    ffiSender("@nobody");
    process.emitWarning("Some other thing is an experimental feature", "ExperimentalWarning");
    await new Promise(setImmediate);
    process.off("warning", listen);
    assert.deepEqual(seen, ["Some other thing is an experimental feature"]);
  });
});
