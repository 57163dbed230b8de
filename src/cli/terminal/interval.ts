import { DroverError } from "../../base/errors.ts";
import { seconds, type Ms } from "../../base/units.ts";
import { duration } from "../../settings/parsers.ts";

const LEAST = seconds(0.2);
const MOST = seconds(3_600);

/**
 * How often the daemon is asked: `2` and `0.5` are seconds, as watch(1) and top(1) have it; `500ms` and `1m` will do too.
 * @throws DroverError DROVER_E_USAGE outside 200 ms … 1 h.
 */
export function readInterval(flag: string, text: string | undefined, usual: Ms): Ms {
  if (text === undefined || text === "") return usual;
  const read = duration(LEAST, MOST).parse(/^[\d.]+$/.test(text) ? `${text}s` : text, "/");
  if (read.ok) return read.value;
  throw new DroverError("DROVER_E_USAGE", `${flag} ${text}: expected seconds from 0.2 to 3600, or a duration such as 500ms or 1m`);
}
