import { SLOT_NOUN, slotsForMemory, streamsOf } from "../../base/slots.ts";
import { minutes, seconds, type Bytes } from "../../base/units.ts";
import type { Limit } from "../../base/window.ts";
import { choice, duration, integer } from "../parsers.ts";
import { expected, parsed, setting, type Codec } from "../setting.ts";
import { slotNoun } from "../slotnoun.ts";

/** With a burst: a token bucket. Without: at most `most` in any span of `per`. */
export type Rate = Limit;

const UNITS = { s: seconds(1), m: minutes(1), h: minutes(60) } as const;
type Unit = keyof typeof UNITS;
const MOST = 1_000_000;
const OFF = "off";
const RATE = new RegExp(`^([1-9]\\d{0,6})/([smh])(?: +burst +(\\d{1,7}))?$`);

/** `100/m`, `10/s`, `5000/h`; `100/m burst 200`: by a token bucket; `off`: no limit. */
export const rate: Codec<Rate | undefined> = {
  looksLike: `a rate such as 100/m, 10/s or 5000/h (from 1 to ${MOST}), with a burst such as 100/m burst 200, or off`,
  format(value) {
    if (value === undefined) return OFF;
    const unit = Object.entries(UNITS).find(([, per]) => per === value.per)?.[0] ?? "m";
    return `${value.most}/${unit}${value.burst === undefined ? "" : ` burst ${value.burst}`}`;
  },
  parse(text) {
    if (text.toLowerCase() === OFF || text === "0") return parsed(undefined);
    const [, number, unit, many] = RATE.exec(text) ?? [];
    const most = Number(number);
    if (number === undefined || most > MOST) return expected(rate.looksLike);
    const base = { most, per: UNITS[unit as Unit] };
    if (many === undefined) return parsed(base);
    const burst = Number(many);
    if (burst >= most && burst <= MOST) return parsed({ ...base, burst });
    return expected(`a burst from ${most} to ${MOST}: with fewer than ${most}, a client below ${most}/${unit} would be refused`);
  },
};

const RAM = "ram";
const slots = integer(1, 100_000);
/** A number, or what the machine's memory is good for. */
const slotsOrRam: Codec<number | typeof RAM> = {
  looksLike: `${slots.looksLike}, or ${RAM}`,
  format: String,
  parse: (text, cwd) => (text.toLowerCase() === RAM ? parsed(RAM) : slots.parse(text, cwd)),
};

/** How many slots there are. @param memory what the service may use. */
export const slotsOf = (max: number | typeof RAM, memory: Bytes): number => (max === RAM ? slotsForMemory(memory) : max);

const zone: Codec<string> = {
  looksLike: "a time zone's name, such as Europe/Paris or UTC",
  format: String,
  parse(text) {
    try {
      if (/^\d|\[/.test(text)) return expected(zone.looksLike); // Temporal would take it out of a date
      return parsed(Temporal.Now.zonedDateTimeISO(text).timeZoneId);
    } catch (thrown) {
      if (thrown instanceof RangeError) return expected(zone.looksLike);
      throw thrown;
    }
  },
};

export const LIMITS = [
  setting({
    name: "max_slots",
    group: "limits",
    codec: slotsOrRam,
    default: "500",
    reload: "roll",
    help: "How many people may be in at a time: the next one is told that the service is full.",
    notes:
      "`ram` takes what the memory is good for: 2 GB 50, 4 GB 150, 8 GB 300, 16 GB 500, whichever is nearest. A lower number puts nobody out.",
    aliases: [{ name: "MAX_CONCURRENT_BOTS" }],
  }),
  setting({
    name: "max_slots_per_user",
    group: "limits",
    codec: integer(1, 1_000),
    default: "1",
    reload: "roll",
    help: "How many sessions one user may have at a time.",
    aliases: [{ name: "MAX_BOTS_PER_USER" }],
  }),
  setting({
    name: "slot_noun",
    group: "limits",
    codec: slotNoun,
    default: slotNoun.format(SLOT_NOUN),
    reload: "roll",
    help: "What holds a slot, in the sentence of a full service.",
    notes:
      "`fr: bot actif/bots actifs` gives “Serveur complet (200/200 bots actifs). Réessaie dans quelques minutes.” A language that is not named keeps its default.",
  }),
  setting({
    name: "slot_conflict",
    group: "limits",
    codec: choice(["take-over", "refuse"]),
    default: "take-over",
    reload: "roll",
    help: "What a login beyond a user's number of sessions does: takes the oldest one's place, or is refused.",
  }),
  setting({
    name: "slot_lease",
    group: "limits",
    codec: duration(seconds(60), minutes(24 * 60)),
    default: "10m",
    reload: "roll",
    help: "How long somebody stays in who does nothing and has no event stream open.",
    notes: "The login itself lasts longer: who comes back later is let in again if there is room.",
  }),
  setting({
    name: "rate_limit",
    group: "limits",
    codec: rate,
    default: "100/m",
    reload: "roll",
    help: "Writes of one stranger's address, or of one user who is signed in.",
    notes:
      "A request counts as one write for every 10 rows or 16 KiB of its body. An IPv6 address counts with its whole /64. Counted once for the machine, whichever worker answers.",
  }),
  setting({
    name: "read_rate",
    group: "limits",
    codec: rate,
    default: OFF,
    reload: "roll",
    help: "Reads of one address, or of one user, that the service must work on: answers that stand ready in memory are never counted.",
    notes: "A room full of people may share one address.",
  }),
  setting({
    name: "export_rate",
    group: "limits",
    codec: rate,
    default: "30/m",
    reload: "roll",
    help: "Exports of one stranger's address, or of one user.",
  }),
  setting({
    name: "streams_per_address",
    group: "limits",
    codec: integer(0, 100_000, "no limit"),
    default: {
      rule: "an eighth of a worker's event streams",
      example: "93",
      from: ({ earlier }) => {
        const most = streamsOf(earlier.get("worker_connections") as number);
        return { text: String(Math.max(1, Math.floor(most / 8))), why: `an eighth of the ${most} of a worker` };
      },
    },
    reload: "roll",
    help: "Event streams of one anonymous address in each worker.",
    notes:
      "Connections spread evenly over the workers, so with 8 workers one address may have 8 times as many, and then an eighth of the service's. " +
      "An IPv6 address counts with its /64. A room full of people may share one address: raise it for an event there.",
  }),
  setting({
    name: "streams_per_user",
    group: "limits",
    codec: integer(0, 100_000, "no limit"),
    default: "8",
    reload: "roll",
    help: "Event streams of one signed-in user in each worker.",
  }),
  setting({
    name: "daily_quota",
    group: "limits",
    codec: integer(0, 1_000_000_000, "none"),
    default: "0",
    reload: "roll",
    help: "Rows that one user may add, change or delete in a day.",
    notes: "Refused writes do not count. It survives restarts; the day ends at midnight in DROVER_TIME_ZONE.",
    aliases: [{ name: "MAX_TRADES_PER_DAY" }],
  }),
  setting({
    name: "time_zone",
    group: "limits",
    codec: zone,
    default: {
      rule: "the machine's",
      example: "Europe/Paris",
      from: () => ({ text: Temporal.Now.timeZoneId(), why: "this machine's" }),
    },
    reload: "roll",
    help: "Where a day ends at midnight.",
  }),
  setting({
    name: "signals_per_minute",
    group: "limits",
    codec: integer(0, MOST, "no limit"),
    default: "0",
    reload: "roll",
    help: "Requests to write that the service takes in a minute, of all clients together.",
    aliases: [{ name: "MAX_SIGNALS_PER_MINUTE" }],
  }),
  setting({
    name: "tokens_per_minute",
    group: "limits",
    codec: integer(0, MOST, "no limit"),
    default: "0",
    reload: "roll",
    help: "Rows that all requests together may add, change or delete in a minute.",
    notes: "One request with 20 rows is 20 of these, and one of DROVER_SIGNALS_PER_MINUTE.",
    aliases: [{ name: "MAX_TOKENS_PER_MINUTE" }],
  }),
] as const;
