import { isAbsolute, join } from "node:path";
import { errnoOf } from "../../base/errors.ts";
import { readText } from "../../base/readtext.ts";
import { mebibytes, minutes, ms } from "../../base/units.ts";
import { duration, integer, keyFile, optional, path, size, string, url } from "../parsers.ts";
import { setting } from "../setting.ts";
import { inSeconds } from "./timeouts.ts";

/** What LoadCredential= of the unit left for us. The unit makes a blank file where no key was given. */
function systemdCredential(directory: string | undefined): { readonly text: string; readonly why: string } {
  const file = directory === undefined || !isAbsolute(directory) ? undefined : join(directory, "google-key");
  try {
    if (file !== undefined && readText(file).trim() !== "") return { text: file, why: "systemd's LoadCredential=" };
  } catch (error) {
    if (errnoOf(error) === undefined) throw error; // not there, or not ours to read: then there is none
  }
  return { text: "", why: "" };
}

export const SHEETS = [
  setting({
    name: "spreadsheet_id",
    group: "sheets",
    codec: optional(
      string({
        pattern: /^[A-Za-z0-9_-]{20,200}$/,
        looksLike: "a spreadsheet's id: the 20 or more characters between /d/ and /edit in its address",
      }),
    ),
    default: "",
    reload: "restart",
    help: "The Google spreadsheet to serve.",
    notes: "Share the spreadsheet with the service account's e-mail address first.",
    lookalikes: ["SPREADSHEET_ID", "SHEET_ID", "GOOGLE_SHEET_ID"],
  }),
  setting({
    name: "google_application_credentials",
    group: "sheets",
    codec: optional(keyFile),
    default: {
      rule: "under systemd the credential google-key, if the unit was given one; else none",
      example: "",
      from: ({ env }) => systemdCredential(env["CREDENTIALS_DIRECTORY"]),
    },
    reload: "roll",
    help: "The service account's key file (JSON).",
    notes: "A path, never the key itself. Only the broker reads it.",
    variable: "GOOGLE_APPLICATION_CREDENTIALS",
    aliases: [{ name: "DROVER_GOOGLE_APPLICATION_CREDENTIALS" }],
  }),
  setting({
    name: "sheets_endpoint",
    group: "sheets",
    codec: optional(url),
    default: "",
    reload: "roll",
    help: "Where the Sheets API answers; empty: Google's own.",
  }),
  setting({
    name: "oauth_endpoint",
    group: "sheets",
    codec: optional(url),
    default: "",
    reload: "roll",
    help: "Where access tokens come from; empty: Google's own.",
  }),
  setting({
    name: "cache_ttl",
    group: "sheets",
    codec: duration(ms(100), minutes(24 * 60)),
    default: "30s",
    reload: "roll",
    help: "How long a table's rows count as fresh; the tables file may say otherwise for a table.",
    aliases: [inSeconds("SHEET_CACHE_TTL")],
  }),
  setting({
    name: "reads_per_minute",
    group: "sheets",
    codec: integer(1, 100_000),
    default: "60",
    reload: "roll",
    help: "Google's read quota for this service account.",
    notes: "Raise it only after Google has: calls beyond the real quota are answered with 429.",
  }),
  setting({
    name: "writes_per_minute",
    group: "sheets",
    codec: integer(1, 100_000),
    default: "60",
    reload: "roll",
    help: "Google's write quota for this service account; it is counted apart from the reads'.",
    notes: "Raise it only after Google has. One call carries many writes: a small quota makes them later, not fewer.",
  }),
  setting({
    name: "journal_size",
    group: "sheets",
    codec: size(mebibytes(1), mebibytes(1_024)),
    default: "64m",
    reload: "roll",
    help: "How much may be accepted before the spreadsheet has it: beyond, writes are refused with 503.",
    notes: "It fills only while Google is away or slower than the clients. What was accepted is on disk, and is kept in memory too.",
  }),
  setting({
    name: "tables",
    group: "sheets",
    codec: optional(path),
    default: "",
    reload: "roll",
    help: "The file that names the tables, their columns and who may see them; empty: the sample's in the demo, else none.",
  }),
] as const;
