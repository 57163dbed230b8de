import { DroverError, type ErrorCode } from "../base/errors.ts";
import type { Unavailable } from "./types.ts";

const CODES = {
  unknown: "DROVER_E_UPSTREAM",
  "never-loaded": "DROVER_E_UPSTREAM",
  upstream: "DROVER_E_UPSTREAM",
  denied: "DROVER_E_UPSTREAM",
  quota: "DROVER_E_QUOTA",
  broker: "DROVER_E_BROKER",
} as const satisfies Record<Unavailable["reason"], ErrorCode>;

/** A table can't be had. `why` tells the application what to answer: `unknown` is a 404, all else a 503 with `retryAfter`. */
export class UnavailableError extends DroverError {
  readonly why: Unavailable;
  constructor(why: Unavailable) {
    super(CODES[why.reason], why.message);
    this.name = "UnavailableError";
    this.why = why;
  }
}
