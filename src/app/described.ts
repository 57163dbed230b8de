/** Tables as the API speaks of them. */
import type { Snapshot } from "../sheets/snapshot.ts";
import type { TableInfo } from "../sheets/types.ts";
import { UnavailableError } from "../sheets/unavailable.ts";
import type { DescribedTable } from "./openapi/schemas.ts";
import type { AppServices } from "./services.ts";
import { may } from "./visibility.ts";
import type { Who } from "./session/who.ts";

type Loading = Pick<AppServices, "tables" | "log">;

/**
 * A table that can't be loaded is described without its columns: a description must not fail because of one table. The columns of a
 * table whose rows the caller may not read are not named, and nothing of it is fetched.
 */
export async function describe(info: TableInfo, signal: AbortSignal, services: Loading, who?: Who): Promise<DescribedTable> {
  const { name } = info;
  const rights = { read: may(info, "read", who), append: may(info, "append", who), update: may(info, "update", who) };
  if (!rights.read) return { name, rights, columns: undefined, key: undefined };
  const snapshot = await snapshotOf(name, signal, services);
  return { name, rights, columns: snapshot?.columns, key: snapshot?.key };
}

/** @returns the visible columns, or undefined when the table can't be loaded. */
export async function columnsOf(table: string, signal: AbortSignal, services: Loading): Promise<Snapshot["columns"] | undefined> {
  return (await snapshotOf(table, signal, services))?.columns;
}

async function snapshotOf(name: string, signal: AbortSignal, { tables, log }: Loading): Promise<Snapshot | undefined> {
  const known = tables.peek(name);
  if (known !== undefined) return known.snapshot;
  const loaded = await tables.table(name, signal).catch((reason: unknown) => {
    log.debug({ table: name, err: reason }, "the columns of a table are not known");
    return undefined;
  });
  return loaded?.snapshot;
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
