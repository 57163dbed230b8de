/** `drover why`: how often requests were refused, by reason, and what to do about each. */
import { explain } from "../admin/refusals.ts";
import { DroverError } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import { nearest } from "../settings/nearest.ts";
import { askStatus } from "./client.ts";
import { readClientOptions } from "./options.ts";
import type { Status } from "./snapshot.ts";
import { slotsText } from "./status.ts";
import { span } from "./terminal/figures.ts";
import { jsonText, printable } from "./terminal/printable.ts";

export async function why(argv: readonly string[]): Promise<number> {
  const { resolved, own, positional } = readClientOptions(argv, [{ name: "json" }]);
  const [reason, ...more] = positional;
  if (more.length > 0) throw new DroverError("DROVER_E_USAGE", `drover why takes one reason, not ${positional.join(" ")}`);
  const status = await askStatus(resolved.settings);
  if (reason !== undefined && !Object.hasOwn(status.refusals, reason)) {
    const close = nearest(reason, Object.keys(status.refusals)) ?? "full";
    throw new DroverError("DROVER_E_USAGE", `no refusal has the reason ${JSON.stringify(reason)}: did you mean ${close}?`);
  }
  process.stdout.write(own.has("json") ? `${jsonText(whyJson(status, reason), 2)}\n` : whyText(status, reason));
  return EXIT.done.code;
}

interface Counted {
  readonly reason: string;
  readonly count: number;
}

/** @param reason one alone, refused or not; without one those that occurred, the most frequent first. */
const counted = ({ refusals }: Pick<Status, "refusals">, reason: string | undefined): Counted[] =>
  Object.entries(refusals)
    .filter(([name, count]) => (reason === undefined ? count > 0 : name === reason))
    .map(([name, count]) => ({ reason: name, count }))
    .toSorted((a, b) => b.count - a.count);

const whyJson = (status: Status, reason: string | undefined): object => ({
  uptime_s: Math.round(status.uptime / 1_000),
  refusals: counted(status, reason).map((one) => ({ ...one, ...explain(one.reason) })),
});

/** Text for a terminal: each reason with its meaning and what to do. */
export function whyText(status: Status, reason?: string): string {
  const since = `since drover started ${span(status.uptime)} ago`;
  const rows = counted(status, reason);
  const now = [
    ...(status.slots === null ? [] : [`slots     ${slotsText(status.slots)}`]),
    `state     ${status.health.status}; limited by: ${status.limitedBy.join(", ") || "nothing"}`,
  ];
  const lines = rows.flatMap(({ reason: name, count }) => {
    const { status: code, means, todo } = explain(name);
    return [`${printable(name)}  ${count} (${code}): ${means}`, `  do: ${todo}`];
  });
  const head = rows.length === 0 ? `no request was refused ${since}` : `refused ${since}, by X-Drover-Refused:`;
  const tail = "One request: drover logs --request ID (its X-Request-Id). A connection that found no room waits in the kernel's queue.";
  return `${[...now, "", head, ...lines, "", tail].join("\n")}\n`;
}
