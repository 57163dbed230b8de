/** Root backs up and restores what belongs to the service's user: what it leaves in the data directory must be that user's. */
import { statSync } from "node:fs";
import { actingAs } from "../../base/owner.ts";

/**
 * Runs `work` as the owner of a folder, when root does it: a file that root makes there is one that the daemon can't open.
 * What root alone may read has to be open before.
 */
export function asOwnerOf<T>(folder: string, work: () => T): T {
  const { uid, gid } = statSync(folder);
  return uid === 0 ? work() : actingAs({ uid, gid }, work);
}
