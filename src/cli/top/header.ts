/** The lines above the table. What matters most comes first: a small terminal shows fewer of them. */
import { percent, millis, rate, span } from "../terminal/figures.ts";
import { piece, type Line, type Tone } from "../terminal/line.ts";
import { columnsOf } from "../terminal/printable.ts";
import { progressLine } from "../reload-command.ts";
import type { Status } from "../snapshot.ts";
import { cacheText, lastDeathText, lastRollText, upstreamText } from "../status.ts";

/** Pieces that stay on one line together. */
export interface Item {
  readonly text: string;
  readonly tone: Tone;
}

const item = (text: string, tone: Tone = "plain"): Item => ({ text, tone });

/** @returns groups; each begins on a line of its own. */
export function headerOf(status: Status, away: string | undefined): readonly (readonly Item[])[] {
  const { machine, recent, counters, workers } = status;
  return [
    [
      item(`drover ${status.version}`, "bold"),
      away === undefined ? item(stateOf(status), toneOfState(status)) : item("AWAY", "bad"),
      item(`workers ${workers.ready}/${workers.target}`, workers.ready < workers.target ? "warn" : "plain"),
      item(`generation ${status.generation}`),
      item(`up ${span(status.uptime)}`),
      ...(status.demo ? [item("DEMO", "warn")] : []),
    ],
    ...(away === undefined ? [] : [[item("what stands below is old; it is asked again", "bad")], [item(away, "bad")]]),
    ...reload(status),
    [
      item(`${rate(recent.perSecond)} req/s`, "bold"),
      item(`p50 ${millis(recent.p50)}`),
      item(`p95 ${millis(recent.p95)}`),
      item(`5xx ${counters.status5xx}`, counters.status5xx > 0 ? "warn" : "plain"),
      item(`refused ${counters.refused}`),
      item(`cache ${cacheText(status)}`),
    ],
    [
      item(`CPU ${percent(machine?.cpu ?? null)}`),
      item(`RAM ${percent(machine?.ram ?? null)}`),
      item(`limited by ${status.limitedBy.join(", ") || "nothing"}`, status.limitedBy.length > 0 ? "warn" : "plain"),
    ],
    ...(status.upstream === null
      ? []
      : [[item(`upstream ${upstreamText(status)}`, ["ok", "never"].includes(status.upstream.state) ? "plain" : "bad")]]),
    ...deathLine(status),
  ];
}

const deathLine = (status: Status): readonly (readonly Item[])[] => {
  const text = lastDeathText(status);
  return text === undefined ? [] : [[item(`last death ${text}`)]];
};

const stateOf = ({ state, health }: Status): string => (state === "running" && health.status === "degraded" ? "degraded" : state);
const toneOfState = (status: Status): Tone => (stateOf(status) === "running" ? "good" : "warn");

/** A roll with its bar; after one that did not end well, why. */
function reload(status: Status): readonly (readonly Item[])[] {
  if (status.roll !== null) {
    const { back } = status.roll;
    return [
      [item(`reload ${progressLine(status.roll, true)}`, back === null ? "good" : "bad"), ...(back === null ? [] : [item(back, "bad")])],
    ];
  }
  const text = lastRollText(status);
  return text === undefined ? [] : [[item(text, "bad")]];
}

const GAP = 2;

/** Items side by side, and below each other where a line is full. */
export function flow(groups: readonly (readonly Item[])[], columns: number): readonly Line[] {
  return groups.flatMap((group) => {
    const lines: Item[][] = [[]];
    let used = 0;
    for (const one of group) {
      const width = columnsOf(one.text);
      if (used > 0 && used + GAP + width > columns) {
        lines.push([]);
        used = 0;
      }
      lines.at(-1)?.push(one);
      used += width + (used > 0 ? GAP : 0);
    }
    return lines.map((line) =>
      line.flatMap(({ text, tone }, i) => (i === 0 ? [piece(text, tone)] : [piece(" ".repeat(GAP)), piece(text, tone)])),
    );
  });
}
