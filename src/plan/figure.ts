/** A number that says where it comes from. */

/** measured: by a load run of this service. configured: by you, or read from this machine. assumed: the model's own, with its source. */
export type Origin = "measured" | "configured" | "assumed";

export interface Figure {
  readonly value: number;
  readonly origin: Origin;
  /** In words: the flag, the file, the page it was taken from. */
  readonly source: string;
}

export const measured = (value: number, source: string): Figure => ({ value, origin: "measured", source });
export const configured = (value: number, source: string): Figure => ({ value, origin: "configured", source });
export const assumed = (value: number, source: string): Figure => ({ value, origin: "assumed", source });

const TRUST: readonly Origin[] = ["assumed", "configured", "measured"];

/** A figure that is computed is as good as the worst it is computed from. */
export const worstOf = (...figures: readonly Pick<Figure, "origin">[]): Origin =>
  TRUST.find((origin) => figures.some((figure) => figure.origin === origin)) ?? "configured";
