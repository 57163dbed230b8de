/** Tries the engine of DROVER_SESSION_STORE as a start does, and looks which daemon writes to the spreadsheet. Changes nothing there. */
import { DroverError } from "../base/errors.ts";
import { objectOf } from "../base/fields.ts";
import { elsewhere, namesOf, newsOf } from "../broker/account.ts";
import { readServiceAccount } from "../broker/credentials.ts";
import { connect, placeOf } from "../broker/ledger/redis/link.ts";
import { isLasting, problemOf } from "../broker/ledger/redis/problems.ts";
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
      return `${place} can be used${await writerOf(plan, (told) => link.run({ keys: [prefix], arguments: ["writer", told] }))}\n`;
    } finally {
      link.drop();
    }
  } catch (e) {
    const problem = problemOf(e);
    if (isLasting(problem)) throw new DroverError("DROVER_E_SESSION_STORE", `the session store can't be used: ${problem}`);
    return `${place}: ${problem}. A daemon that is started now lets logins and writes wait until it can be used\n`;
  }
}

/** @returns what is to be said of another daemon that writes to the spreadsheet. */
async function writerOf(plan: Plan, ask: (told: string) => Promise<string>): Promise<string> {
  const { spreadsheetId, sheetsEndpoint = null, keyFile, settings, demo } = plan;
  if (demo || spreadsheetId === undefined) return ""; // an emulator of its own
  const email = keyFile === undefined ? undefined : readServiceAccount(keyFile).email;
  const { spreadsheet: sheet } = namesOf({ sheetsEndpoint, email, spreadsheetId });
  const writer = objectOf(await ask(JSON.stringify({ sheet })))?.["result"];
  return isDaemonId(writer) && writer.id !== daemonIdOf(settings.data_dir) ? `; no writes are accepted here: ${elsewhere(writer)}` : "";
}
