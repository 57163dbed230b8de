/** About a second of the run, or several that were merged. */
export interface Moment {
  /** Seconds since the run began, at its end. */
  readonly at: number;
  /** Seconds: about one, less at the end of a step, more on a machine that has much else to do; of several their sum. */
  readonly lasted: number;
  readonly step: string;
  readonly perSecond: number;
  /** ms, of several seconds that of the slowest; undefined: nothing was answered as it should be. */
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  /** Answered as they should be. */
  readonly good: number;
  readonly failed: number;
  readonly refused: number;
  /** The step's time was over: the last answers came, and what was asked beside them counts nowhere. */
  readonly isLate: boolean;
}
