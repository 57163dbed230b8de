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

/** What is computed: assumed as soon as anything in it is; measured if a measurement is in it; else configured. */
export function originOf(...figures: readonly Pick<Figure, "origin">[]): Origin {
  const has = (origin: Origin): boolean => figures.some((figure) => figure.origin === origin);
  return has("assumed") ? "assumed" : has("measured") ? "measured" : "configured";
}
