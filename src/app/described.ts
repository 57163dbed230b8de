/** Tables as the API speaks of them. */
import type { TableInfo } from "../sheets/types.ts";
import { UnavailableError } from "../sheets/unavailable.ts";
import type { DescribedTable } from "./openapi/schemas.ts";
import type { AppServices } from "./services.ts";
import { may } from "./visibility.ts";
import type { Who } from "./session/who.ts";

/**
 * A table that can't be loaded is described without its columns: a description must not fail because of one table. The columns of a
 * table whose rows the caller may not read are not named, and nothing of it is fetched.
 */
export async function describe(
  info: TableInfo,
  signal: AbortSignal,
  { tables, log }: Pick<AppServices, "tables" | "log">,
  who?: Who,
): Promise<DescribedTable> {
  const { name } = info;
  const rights = { read: may(info, "read", who), append: may(info, "append", who), update: may(info, "update", who) };
  if (!rights.read) return { name, rights, columns: undefined, key: undefined };
  const view =
    tables.peek(name) ??
    (await tables.table(name, signal).catch((reason: unknown) => {
      log.debug({ table: name, err: reason }, "a table is described without its columns");
      return undefined;
    }));
  return { name, rights, columns: view?.snapshot.columns, key: view?.snapshot.key };
}

/** Whether the tables file names users; as long as they can't be read for another reason, it does. */
export async function hasLogin(signal: AbortSignal, { accounts }: Pick<AppServices, "accounts">): Promise<boolean> {
  try {
    await accounts.load(signal);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof UnavailableError)) throw thrown;
    return thrown.why.reason !== "unknown";
  }
}
