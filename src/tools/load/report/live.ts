/** Progress: one line that is redrawn on a terminal, a plain line now and then elsewhere. */
import type { Second } from "../seconds.ts";
import { rate, time } from "./figures.ts";
import type { ServerSample } from "../../../load/server.ts";
import type { Step } from "../../../load/shape.ts";
import { cut, printable } from "../../../cli/terminal/printable.ts";

const BARS = "▁▂▃▄▅▆▇█";
const WIDTH = 24;
/** ms between two plain lines. */
const PLAIN_EVERY = 10_000;

/** The last values as bars; the largest is a full line high. */
export function sparkline(values: readonly (number | undefined)[]): string {
  const last = values.slice(-WIDTH);
  const most = Math.max(...last.map((value) => value ?? 0));
  return last
    .map((value) =>
      value === undefined
        ? " "
        : (BARS[most === 0 ? 0 : Math.min(7, Math.floor((value / most) * 8))] ?? " "),
    )
    .join("");
}

const clock = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

export class Live {
  readonly #out: NodeJS.WriteStream;
  readonly #draws: boolean;
  /** Seconds; undefined: unknown. */
  readonly #total: number | undefined;
  readonly #p95: (number | undefined)[] = [];
  #saidAt = 0;
  #drawn = false;

  constructor(out: NodeJS.WriteStream, totalSeconds: number | undefined) {
    this.#out = out;
    this.#draws = out.isTTY && out.getColorDepth() > 1;
    this.#total = totalSeconds;
  }

  begin(step: Step, nr: number): void {
    this.#saidAt = performance.now();
    if (this.#draws) this.#draw(`step ${nr} ${printable(step.label)}: warming up`);
  }

  second(second: Second, sample: ServerSample | undefined): void {
    const done = second.isLate ? "late answers" : `${rate(second.perSecond)}/s`;
    this.#p95.push(second.p95);
    if (this.#p95.length > WIDTH) this.#p95.shift();
    const quota =
      sample?.quota === undefined ? "" : `  quota ${sample.quota.used}/${sample.quota.limit}`;
    const server = sample === undefined ? "" : `  worker ${(sample.elu ?? 0).toFixed(2)}${quota}`;
    const bad =
      second.failed + second.refused > 0 ? `  failed ${second.failed}  shed ${second.refused}` : "";
    const line = `${this.#time(second.at)}  ${printable(second.step)}  ${done}  p50 ${time(second.p50)}  p95 ${time(second.p95)}${bad}${server}`;
    if (this.#draws) this.#draw(`${line}  ${sparkline(this.#p95)}`);
    else if (performance.now() - this.#saidAt >= PLAIN_EVERY) {
      this.#saidAt = performance.now();
      this.#out.write(`${line}\n`);
    }
  }

  /** Steps wait for their last answers, so a run takes longer than the sum of its steps: the clock stops at that sum. */
  #time(at: number): string {
    return this.#total === undefined
      ? clock(at)
      : `${clock(Math.min(at, this.#total))}/${clock(this.#total)}`;
  }

  /** Removes the line before something else is printed. */
  clear(): void {
    if (this.#drawn) this.#out.write("\r\u001b[K");
    this.#drawn = false;
  }

  #draw(line: string): void {
    this.#out.write(`\r\u001b[K${cut(line, (this.#out.columns || 80) - 1)}`);
    this.#drawn = true;
  }
}
