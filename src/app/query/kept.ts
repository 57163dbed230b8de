import { Snapshot } from "../../sheets/snapshot.ts";

/** Tables kept parsed by this thread, the last used at the end: a popular one is not parsed again for every question. */
const KEPT = 2;
const parsed = new Map<string, Snapshot>();

/** A snapshot's rows as other tasks of this thread have left them: parsed, if they needed that. @param hash of the content. */
export function keptSnapshot(hash: string, bytes: ArrayBufferLike): Snapshot {
  const snapshot = parsed.get(hash) ?? new Snapshot(bytes);
  parsed.delete(hash);
  parsed.set(hash, snapshot);
  for (const oldest of parsed.keys()) {
    if (parsed.size <= KEPT) break;
    parsed.delete(oldest);
  }
  return snapshot;
}
