/** Answers of several kinds in one session: a login, pages, images. */

export interface Kind {
  readonly name: string;
  readonly bytes: number;
  /** In a session of one user. */
  readonly count: number;
}

export interface Session {
  readonly bytes: number;
  readonly requests: number;
  /** Of one answer on the average. */
  readonly mean: number;
}

/** @param kinds at least one, with a count above 0. */
export function sessionOf(kinds: readonly Kind[]): Session {
  const bytes = kinds.reduce((sum, kind) => sum + kind.bytes * kind.count, 0);
  const requests = kinds.reduce((sum, { count }) => sum + count, 0);
  return { bytes, requests, mean: bytes / requests };
}
