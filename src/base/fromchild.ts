/** What a child says, read: a worker runs application code, so nothing is taken that is not exactly a message of protocol.ts. */
import { readCounters } from "./counters.ts";
import { count, read, record, text, type Fields, type Readers } from "./fields.ts";
import { readFigures } from "./figures.ts";
import type { HistogramDelta } from "./histogram.ts";
import type { Beat, DrainedBy, FromChild, SocketAddress } from "./protocol.ts";
import { REQUEST_CLASSES, type ByClass } from "./requestclass.ts";
import { readRequests } from "./requests.ts";
import { readSessionStore } from "./sessionstore.ts";
import { readSlotsState } from "./slots.ts";
import type { Ms } from "./units.ts";
import { readUpstream } from "./upstreamreport.ts";

/** What the broker writes for the operator's terminal is no longer. */
const LONGEST_TOLD = 262_144;
/** Of a sentence for the operator. */
const LONGEST_SENTENCE = 4_096;
const sentence = (v: unknown): v is string => text(v, LONGEST_SENTENCE);
const DRAINED_BY: readonly unknown[] = ["master", "operator", "application"] satisfies DrainedBy[];

function delta(v: unknown): HistogramDelta | undefined {
  if (!Array.isArray(v) || v.length > 1_024) return undefined;
  return v.every((pair) => Array.isArray(pair) && pair.length === 2 && count(pair[0]) && count(pair[1])) ? v : undefined;
}

function byClass(v: unknown): ByClass | undefined {
  if (!record(v)) return undefined;
  const known = Object.entries(v).every(([name, n]) => REQUEST_CLASSES.some((kind) => kind === name) && count(n));
  return known ? v : undefined;
}

function beat(m: Fields): Beat | undefined {
  const { seq, inFlight, connections, elu, delay, heap, rss, full } = m;
  if (
    !count(seq) ||
    !count(inFlight) ||
    !count(connections) ||
    !count(elu) ||
    !count(delay) ||
    !count(heap) ||
    !(rss === undefined || count(rss)) ||
    typeof full !== "boolean"
  )
    return undefined;
  const { delayP99 } = m;
  if (delayP99 !== undefined && !count(delayP99)) return undefined;
  const totals = readCounters(m["counters"]);
  const latency = delta(m["latency"]);
  if (totals === undefined || latency === undefined) return undefined;
  const report = m["upstream"] === undefined ? undefined : readUpstream(m["upstream"]);
  if (m["upstream"] !== undefined && report === undefined) return undefined;
  const requests = m["requests"] === undefined ? undefined : readRequests(m["requests"]);
  if (m["requests"] !== undefined && requests === undefined) return undefined;
  const slots = record(m["slots"]) ? readSlotsState(m["slots"]) : undefined;
  if (m["slots"] !== undefined && slots === undefined) return undefined;
  const { tokensUsed } = m;
  if (tokensUsed !== undefined && !count(tokensUsed)) return undefined;
  const store = m["sessionStore"] === undefined ? undefined : readSessionStore(m["sessionStore"]);
  if (m["sessionStore"] !== undefined && store === undefined) return undefined;
  const figures = m["figures"] === undefined ? undefined : readFigures(m["figures"], delta);
  if (m["figures"] !== undefined && figures === undefined) return undefined;
  const classes = m["byClass"] === undefined ? undefined : byClass(m["byClass"]);
  if (m["byClass"] !== undefined && classes === undefined) return undefined;
  const base = { type: "beat", seq, inFlight, connections, elu, delay: delay as Ms, heap, full, counters: totals, latency } as const;
  const late = delayP99 === undefined ? {} : { delayP99: delayP99 as Ms };
  return {
    ...base,
    ...late,
    ...(rss === undefined ? {} : { rss }),
    ...(report === undefined ? {} : { upstream: report }),
    ...(slots === undefined ? {} : { slots }),
    ...(tokensUsed === undefined ? {} : { tokensUsed }),
    ...(store === undefined ? {} : { sessionStore: store }),
    ...(figures === undefined ? {} : { figures }),
    ...(classes === undefined ? {} : { byClass: classes }),
    ...(requests === undefined ? {} : { requests }),
    ...(m["brokerLost"] === true ? { brokerLost: true } : {}),
  };
}

/** unix(7): sun_path with its last byte. */
const LONGEST_PATH = 108;
const LONGEST_IP = 64;

function readAddress(v: unknown): SocketAddress | undefined {
  if (!record(v)) return undefined;
  const { path, host, port, ipv6Only, nth } = v;
  if (!(path === null || text(path, LONGEST_PATH)) || !(host === null || text(host, LONGEST_IP))) return undefined;
  if (!count(port) || !Number.isInteger(port) || port > 65_535 || typeof ipv6Only !== "boolean") return undefined;
  if (!count(nth) || !Number.isInteger(nth)) return undefined;
  return { path, host, port, ipv6Only, nth };
}

const readers: Readers<FromChild> = {
  ready: ({ where }) => (sentence(where) ? { type: "ready", where } : undefined),
  beat,
  drained: ({ served, by }) => {
    if (!count(served) || !(by === undefined || DRAINED_BY.includes(by))) return undefined;
    return { type: "drained", served, ...(by === undefined ? {} : { by: by as DrainedBy }) };
  },
  probed: ({ ok, message }) => (typeof ok === "boolean" && sentence(message) ? { type: "probed", ok, message } : undefined),
  fatal: ({ exit, code, message }) =>
    count(exit) && text(code, 100) && text(message, 65_536) ? { type: "fatal", exit, code, message } : undefined,
  wants: ({ what }) => (what === "tables" ? { type: "wants", what } : undefined),
  handles: ({ signal }) => (signal === "SIGUSR1" ? { type: "handles", signal } : undefined),
  worn: ({ served }) => (count(served) ? { type: "worn", served } : undefined),
  bind: ({ id, address }) => {
    const at = readAddress(address);
    return count(id) && at !== undefined ? { type: "bind", id, address: at } : undefined;
  },
  unbind: ({ address }) => {
    const at = readAddress(address);
    return at === undefined ? undefined : { type: "unbind", address: at };
  },
  told: ({ id, ok, text: said }) =>
    count(id) && typeof ok === "boolean" && text(said, LONGEST_TOLD) ? { type: "told", id, ok, text: said } : undefined,
  holds: ({ connections, full, churns }) =>
    count(connections) ? { type: "holds", connections, full: full === true, churns: churns === true } : undefined,
};

/** @returns the message, or undefined when it is none of ours or malformed: the caller counts it. */
export const readFromChild = (raw: unknown): FromChild | undefined => read(readers, raw);
