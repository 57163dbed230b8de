import { minutes } from "../../base/units.ts";
import { duration, optional, string } from "../parsers.ts";
import { expected, parsed, setting, type Alias, type Codec } from "../setting.ts";

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

const HERE = "broker";
const LOOKS = "broker, or redis://[user:password@]host[:port][/database], rediss://…, unix:/path[?db=N]";

/** Where sessions are kept: by this machine's broker, or on an engine with this address. */
const sessionStore: Codec<string | undefined> = {
  looksLike: LOOKS,
  format: (value) => value ?? HERE,
  parse(text) {
    if (text.toLowerCase() === HERE) return parsed(undefined);
    const address = URL.parse(text);
    const isSocket = address?.protocol === "unix:" && address.host === "" && address.pathname.startsWith("/");
    const isHost = /^rediss?:$/.test(address?.protocol ?? "") && address?.hostname !== "" && /^\/?\d*$/.test(address?.pathname ?? "");
    return isSocket || isHost ? parsed(text) : expected(LOOKS, true);
  },
};

/** What else Flask-Session may keep its sessions in: none of it is needed. */
const OTHER_TYPES = ["null", "filesystem", "cachelib", "memcached", "mongodb", "sqlalchemy", "dynamodb"];
/** Flask-Session's name. */
const sessionType: Alias = {
  name: "SESSION_TYPE",
  notation: "`redis`: redis://localhost:6379; Flask-Session's other types: broker",
  translate(text) {
    const type = text.toLowerCase();
    if (type === "redis") return parsed("redis://localhost:6379");
    return OTHER_TYPES.includes(type) ? parsed(HERE) : expected(`redis, or ${OTHER_TYPES.join(", ")}`);
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
  setting({
    name: "session_store",
    group: "sessions",
    codec: sessionStore,
    default: HERE,
    reload: "roll",
    secret: true,
    help: "Where sessions, slots and counters are kept: by the broker on this machine, or on a Redis or Valkey that several machines may share.",
    notes: "See [sessions.md](sessions.md).",
    aliases: [{ name: "SESSION_REDIS" }, sessionType],
  }),
  setting({
    name: "session_prefix",
    group: "sessions",
    codec: string({ pattern: /^[\x21-\x7e]{1,100}$/, looksLike: "1 to 100 characters of ASCII without spaces" }),
    default: "drover:",
    reload: "roll",
    help: "What the names of all keys in the session store begin with. Machines with the same prefix share sessions.",
    aliases: [{ name: "SESSION_KEY_PREFIX" }],
  }),
] as const;
