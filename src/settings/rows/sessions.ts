import { minutes } from "../../base/units.ts";
import { duration, optional } from "../parsers.ts";
import { expected, parsed, setting, type Codec } from "../setting.ts";

const LEAST = 32;
const MOST = 8;

/** Keys with commas between them. */
const sessionKeys: Codec<readonly string[]> = {
  looksLike: `up to ${MOST} different secrets of at least ${LEAST} characters each, with commas between`,
  format: (keys) => keys.join(","),
  parse(text) {
    const keys = text.split(",").map((key) => key.trim());
    const right =
      keys.length <= MOST && new Set(keys).size === keys.length && keys.every((key) => key.length >= LEAST && key.length <= 512);
    return right ? parsed(keys) : expected(sessionKeys.looksLike, true);
  },
};

export const SESSIONS = [
  setting({
    name: "session_key",
    group: "sessions",
    codec: optional(sessionKeys),
    default: "",
    reload: "roll",
    secret: true,
    help: "What session cookies are sealed with; empty: session.key in the data directory, made at the first start.",
    notes:
      "The first key seals, all of them open. To change it, put the new one in front, reload, and take the old one out after a session's lifetime.",
  }),
  setting({
    name: "session_idle",
    group: "sessions",
    codec: duration(minutes(1), minutes(31 * 24 * 60)),
    default: "2h",
    reload: "roll",
    help: "How long a session lasts without a request.",
    notes: "Told to the cookie in steps of a twentieth: so much sooner it may end.",
  }),
  setting({
    name: "session_lifetime",
    group: "sessions",
    codec: duration(minutes(1), minutes(366 * 24 * 60)),
    default: "24h",
    reload: "roll",
    help: "How long a session lasts at the most, whatever is done in it.",
  }),
] as const;
