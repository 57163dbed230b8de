/** Every bound of the emulator in one place. Bytes, milliseconds, counts. */
export const LIMITS = {
  /** Google's own: "Request payload size exceeds the limit: 10485760 bytes." */
  body: 10_485_760,
  /** The token endpoint and the emulator's own routes need no more. */
  smallBody: 65_536,
  /** Each may hold one body. */
  connections: 256,
  /** Google ends a request after 180 s. */
  requestTimeout: 180_000,
  headersTimeout: 10_000,
  keepAliveTimeout: 240_000,
  headerBytes: 65_536,
  faults: 1_000,
  /** Calls that wait to be carried out after their answer; each may hold one body. */
  late: 256,
  hugeBody: 1_073_741_824,
} as const;
