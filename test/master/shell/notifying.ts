/**
 * Run by notify.test.ts under datagrams.py: `notifying.ts TRANSPORT [TIMES]`. Tells everything once and says what each call cost; then
 * gives TIMES signs of life, each as an extension with a number of its own, and says when and at what cost.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { makeLogger } from "../../../src/base/log.ts";
import { createNotifier, type Notifier } from "../../../src/master/shell/notify.ts";
import type { TransportName } from "../../../src/master/shell/notify-transport.ts";

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const log = makeLogger({ role: "master" }, "debug", { write: (line) => void process.stderr.write(line) });
const [, , transport = "any", times = "0"] = process.argv;
const only = transport === "any" ? undefined : [transport as TransportName];
const notifier = createNotifier(process.env, log, only);
const left = [process.env["NOTIFY_SOCKET"], process.env["WATCHDOG_USEC"], process.env["WATCHDOG_PID"]].filter((v) => v !== undefined);
say({ transport: notifier.transport, watchdog: notifier.watchdog ?? null, left, own: process.pid });
notifier.alive(); // before READY=1 nobody watches: nothing is sent

/** Microseconds that one call keeps the loop. */
function cost(call: (n: Notifier) => void): number {
  const from = process.hrtime.bigint();
  call(notifier);
  return Number(process.hrtime.bigint() - from) / 1_000;
}

const first = [
  cost((n) => n.ready("8/8 workers\nready")),
  cost((n) => n.reloading()),
  cost((n) => n.ready("generation 2")),
  cost((n) => n.extend(1_500_000.2)),
  cost((n) => n.alive()),
];
say({ first });
const sent: [text: string, at: string, cost: number][] = [];
for (let i = 1; i <= Number(times); i += 1) {
  await sleep(3);
  const at = process.hrtime.bigint();
  sent.push([`EXTEND_TIMEOUT_USEC=${i}`, String(at), cost((n) => n.extend(i))]);
}
if (sent.length > 0) say({ sent });
// Two texts at once: the second supersedes the first, and waits for its second.
notifier.status("1 of 2");
notifier.status("2 of 2");
notifier.stopping(); // does not wait with them
setImmediate(() => process.kill(process.ppid, "SIGUSR1"));
process.stdin.resume().once("end", () => process.exit(0));
