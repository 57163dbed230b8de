/** Every bound of the emulator. Bytes, milliseconds, counts. */
export const LIMITS = {
  /** Google's: "Request payload size exceeds the limit: 10485760 bytes." */
  body: 10_485_760,
  /** For the token endpoint and the control routes. */
  smallBody: 65_536,
  /** Each may hold one body. */
  connections: 256,
  /** Google ends a request after 180 s. */
  requestTimeout: 180_000,
  headersTimeout: 10_000,
  keepAliveTimeout: 240_000,
  headerBytes: 65_536,
  /** Faults that wait. */
  faults: 1_000,
  /** Calls that run after their answer; each may hold one body. */
  late: 256,
  hugeBody: 1_073_741_824,
} as const;
