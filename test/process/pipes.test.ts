/** Files that are refused at once if they are pipes (pipes.full.ts has those that drover reads for 3 s). */
import { named } from "./pipes-helper.ts";

named("log file", { DROVER_LOG_FILE: "f" }, /DROVER_LOG_FILE: lines can't be written there: ENXIO/);
named("certificate", { DROVER_TLS_CERT: "f", DROVER_TLS_KEY: "f" }, /DROVER_TLS_CERT is .*f, which can't be read: it is no file/);
