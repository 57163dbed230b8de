/** Files that drover reads as pipes, too, until 3 s have passed without a line. */
import { named } from "./pipes-helper.ts";

const KEYED = { DROVER_SPREADSHEET_ID: "a-spreadsheet-of-mine-0001", DROVER_DEMO: "off" } as const;

named("env file", { DROVER_ENV_FILE: "f" }, /the env file .*f can't be read: it is a pipe, and nothing was written to it within 3 s/);
named("tables file", { DROVER_TABLES: "f" }, /f.* can't be read: it is a pipe/);
named("Google key", { ...KEYED, GOOGLE_APPLICATION_CREDENTIALS: "f" }, /The Google key file .*f can't be read: it is a pipe/);
