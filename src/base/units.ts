/** Quantities with their unit in the type: a bare number is none of them, so 30 seconds and 30 ms never meet. */
declare const unit: unique symbol;
type Quantity<U extends string> = number & { readonly [unit]: U };

/** A duration in milliseconds. */
export type Ms = Quantity<"ms">;
/** Milliseconds on this process's monotonic clock: never a date, never stored, never sent to another process. */
export type Instant = Quantity<"instant">;
/** Milliseconds since 1970-01-01 UTC. The only time that may cross a process boundary or be stored. */
export type Timestamp = Quantity<"timestamp">;
export type Bytes = Quantity<"bytes">;
/** Events per minute: Google's quotas are counted so. */
export type PerMinute = Quantity<"per minute">;

export const ms = (n: number): Ms => n as Ms;
export const seconds = (n: number): Ms => (n * 1_000) as Ms;
export const minutes = (n: number): Ms => (n * 60_000) as Ms;
export const bytes = (n: number): Bytes => n as Bytes;
export const kibibytes = (n: number): Bytes => (n * 1_024) as Bytes;
export const mebibytes = (n: number): Bytes => (n * 1_048_576) as Bytes;
export const perMinute = (n: number): PerMinute => n as PerMinute;

export const after = (at: Instant, wait: Ms): Instant => (at + wait) as Instant;
export const between = (from: Instant, to: Instant): Ms => (to - from) as Ms;
export const later = (at: Timestamp, wait: Ms): Timestamp => (at + wait) as Timestamp;
export const elapsed = (from: Timestamp, to: Timestamp): Ms => (to - from) as Ms;
