/** Which tables there are. */
import type { TableInfo } from "../sheets/types.ts";
import { UnavailableError } from "../sheets/unavailable.ts";
import type { Tables } from "../sheets/client.ts";
import type { Problem } from "./problem.ts";
import { unavailable } from "./unavailable.ts";

/**
 * All tables, or why they are not known yet. Right after a first start an empty list would be a lie, and a name could not
 * be checked against its visibility.
 */
export async function knownTables(tables: Tables, signal: AbortSignal): Promise<readonly TableInfo[] | Problem> {
  const known = tables.list();
  if (known.length > 0) return known;
  try {
    await tables.table("", signal); // no table has this name: it waits for the list and fails, and says why
  } catch (thrown) {
    if (!(thrown instanceof UnavailableError)) throw thrown;
    if (thrown.why.reason !== "unknown") return unavailable(thrown.why);
  }
  return tables.list();
}
