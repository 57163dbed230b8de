/** Run by notify.test.ts under datagrams.py: `notifying.ts TRANSPORT`. Tells everything once, then measures what a call costs. */
import { makeLogger } from "../../../src/base/log.ts";
import { createNotifier, type Notifier } from "../../../src/master/shell/notify.ts";
import type { TransportName } from "../../../src/master/shell/notify-transport.ts";

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const log = makeLogger({ role: "master" }, "debug", { write: (line) => void process.stderr.write(line) });
const only = process.argv[2] === "any" ? undefined : [process.argv[2] as TransportName];
const notifier = createNotifier(process.env, log, only);
say({ transport: notifier.transport, left: process.env["NOTIFY_SOCKET"] ?? null, own: process.pid });

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
  cost((n) => n.stopping()),
];
say({ first });
// Two texts at once: the second supersedes the first, and waits for its second.
notifier.status("1 of 2");
notifier.status("2 of 2");
setImmediate(() => process.kill(process.ppid, "SIGUSR1"));
process.stdin.resume().once("end", () => process.exit(0));
