/** What is seen while it runs: a line that is drawn again and again on a terminal, a plain one now and then elsewhere. */
import type { Second } from "../../tools/load/seconds.ts";
import { rate, time } from "../../load/report/figures.ts";
import type { ServerSample } from "../../load/server.ts";
import type { Step } from "../../load/shape.ts";
import { cut, printable } from "../terminal/printable.ts";

const BARS = "▁▂▃▄▅▆▇█";
const WIDTH = 24;
/** ms between two plain lines. */
const PLAIN_EVERY = 10_000;

/** The last values as bars, the largest of them as high as a line. */
export function sparkline(values: readonly (number | undefined)[]): string {
  const last = values.slice(-WIDTH);
  const most = Math.max(...last.map((value) => value ?? 0));
  return last
    .map((value) => (value === undefined ? " " : (BARS[most === 0 ? 0 : Math.min(7, Math.floor((value / most) * 8))] ?? " ")))
    .join("");
}

const clock = (seconds: number): string => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

export class Live {
  readonly #out: NodeJS.WriteStream;
  readonly #draws: boolean;
  /** Seconds; undefined: nobody knows how long it takes. */
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
    const quota = sample?.quota === undefined ? "" : `  quota ${sample.quota.used}/${sample.quota.limit}`;
    const server = sample === undefined ? "" : `  worker ${(sample.elu ?? 0).toFixed(2)}${quota}`;
    const bad = second.failed + second.refused > 0 ? `  failed ${second.failed}  shed ${second.refused}` : "";
    const line = `${this.#time(second.at)}  ${printable(second.step)}  ${done}  p50 ${time(second.p50)}  p95 ${time(second.p95)}${bad}${server}`;
    if (this.#draws) this.#draw(`${line}  ${sparkline(this.#p95)}`);
    else if (performance.now() - this.#saidAt >= PLAIN_EVERY) {
      this.#saidAt = performance.now();
      this.#out.write(`${line}\n`);
    }
  }

  /** Steps wait for each other and for the last answers: their times together are not exactly the run's, which ends at its end all the same. */
  #time(at: number): string {
    return this.#total === undefined ? clock(at) : `${clock(Math.min(at, this.#total))}/${clock(this.#total)}`;
  }

  /** Takes the line away: something that stays is to be printed. */
  clear(): void {
    if (this.#drawn) this.#out.write("\r\u001b[K");
    this.#drawn = false;
  }

  #draw(line: string): void {
    this.#out.write(`\r\u001b[K${cut(line, (this.#out.columns || 80) - 1)}`);
    this.#drawn = true;
  }
}
