/** Tries the engine of DROVER_SESSION_STORE as a start does, and looks which daemon writes to the spreadsheet. Leaves nothing there. */
import { objectOf } from "../base/fields.ts";
import { elsewhere, namesOf, newsOf } from "../broker/account.ts";
import { readServiceAccount } from "../broker/credentials.ts";
import { connect, placeOf } from "../broker/ledger/redis/link.ts";
import { isLasting, problemOf, unusable } from "../broker/ledger/redis/problems.ts";
import { daemonIdOf, isDaemonId } from "../broker/store.ts";
import type { Plan } from "./plan.ts";

/** @returns the line to print; none without a store. @throws DroverError DROVER_E_SESSION_STORE for what a start would refuse. */
export async function storeLine(plan: Plan, offline: boolean): Promise<string> {
  const { session_store: url, session_prefix: prefix } = plan.settings;
  if (url === undefined) return "";
  const place = `session store: ${placeOf(url)}`;
  if (offline) return `${place}: not checked: --offline\n`;
  try {
    const link = await connect({ url, prefix, channel: newsOf("check") }, () => {});
    try {
      const found = await link.run({ keys: [prefix], arguments: ["look", JSON.stringify({ sheet: sheetOf(plan) })] });
      return `${place} can be used${writerText(objectOf(found)?.["result"], plan)}\n`;
    } finally {
      link.drop();
    }
  } catch (e) {
    const problem = problemOf(e);
    if (isLasting(problem)) throw unusable(problem);
    return `${place}: ${problem}. A daemon that is started now lets logins and writes wait until it can be used\n`;
  }
}

/** @returns the spreadsheet's name in the store; undefined: it is in an emulator of the daemon's own, or there is none. */
function sheetOf({ spreadsheetId, sheetsEndpoint, keyFile, demo }: Plan): string | undefined {
  if (demo || spreadsheetId === undefined) return undefined;
  const email = keyFile === undefined ? undefined : readServiceAccount(keyFile).email;
  return namesOf({ sheetsEndpoint: sheetsEndpoint ?? null, email, spreadsheetId }).spreadsheet;
}

const writerText = (writer: unknown, { settings }: Plan): string =>
  isDaemonId(writer) && writer.id !== daemonIdOf(settings.data_dir) ? `; no writes are accepted here: ${elsewhere(writer)}` : "";
