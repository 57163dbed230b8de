/** `drover alerts`: what fires; `test` tries the way to whoever is told; `ack NAME` marks one as seen. */
import { DroverError } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import type { AlertView } from "../admin/alerts/view.ts";
import type { ControlAnswer } from "../master/shell/control.ts";
import { command } from "./client.ts";
import type { Monitor } from "./monitor.ts";
import { readClientOptions } from "./options.ts";
import { span } from "./terminal/figures.ts";

const USAGE = "usage: drover alerts [test | ack NAME]";

export async function alerts(argv: readonly string[]): Promise<number> {
  const { resolved, positional } = readClientOptions(argv);
  const [verb = "list", name, more] = positional;
  const sound = more === undefined && (verb === "ack") === (name !== undefined) && ["list", "test", "ack"].includes(verb);
  if (!sound) throw new DroverError("DROVER_E_USAGE", `${USAGE} (not ${positional.join(" ")})`);
  const text = await command(resolved.settings, "alerts", name === undefined ? { do: verb } : { do: verb, name });
  process.stdout.write(`${text}\n`);
  return EXIT.done.code;
}

/** What the daemon answers. */
export function answerAlerts(monitor: Monitor, { do: verb = "list", name }: Readonly<Record<string, unknown>>): ControlAnswer {
  if (verb === "list" && name === undefined) return { ok: true, message: alertsText(monitor.alerts(), Date.now()) };
  if (verb === "test" && name === undefined)
    return { ok: true, message: `a test goes to: ${monitor.test().join(", ")}. What came of it stands in the log` };
  if (verb !== "ack" || typeof name !== "string")
    return { ok: false, message: 'alerts needs {"do": "list"}, "test", or "ack" with "name"' };
  const known = monitor.ack(name);
  return known
    ? { ok: true, message: `${name} is marked as seen` }
    : { ok: false, message: `no alert ${JSON.stringify(name.slice(0, 100))} fires` };
}

/** One line an alert. */
export function alertsText(views: readonly AlertView[], now: number): string {
  if (views.length === 0) return "no alert fires";
  return views
    .map(({ name, level, since, text, acked }) => {
      const seen = acked === null ? "" : ", seen";
      return `${level} ${name} for ${span(Math.max(0, now - since))}${seen}: ${text}`;
    })
    .join("\n");
}
