import type { IncomingMessage, ServerResponse } from "node:http";
import { LRUCache } from "lru-cache";
import type { Clock } from "../base/clock.ts";
import { type Bytes, type Instant, mebibytes } from "../base/units.ts";
import type { Encoding } from "../base/encoding.ts";
import type { PreparedAnswer, PreparedAnswers, Reader } from "./app.ts";
import { Compressor, WORTH_COMPRESSING } from "./compress.ts";
import { matched } from "./conditional.ts";
import { Negotiator } from "../base/encoding.ts";
import { render, renderNotModified, tagOf, type Rendition } from "./rendition.ts";
import { requestId } from "./requestid.ts";
import type { Tally } from "./tally.ts";
import { WallTime } from "./walltime.ts";
import { chooseWrite, writeByNode, type Late, type Write } from "./writing.ts";

const CAPACITY = mebibytes(32);
/** What an entry costs besides its bodies: heads, as they are and as they are written, keys and the rest. */
const OVERHEAD = 4_096;
/** Longer targets are seldom asked for twice, and an attacker's to choose. */
const MAX_TARGET = 2_048;

type Cache = "HIT" | "MISS" | "STALE";

/** An answer with what has been made of it so far. */
interface Entry {
  readonly answer: PreparedAnswer;
  readonly tags: readonly string[];
  readonly renditions: Partial<Record<Encoding, Rendition>>;
  readonly notModified: Map<string, Rendition>;
  /** Encodings that were begun, or turned out not to be worth it. */
  readonly tried: Set<Encoding>;
  /** Where the store has it: the target, behind the audience it is for. */
  place: string;
  /** What was said of it last. */
  late: Late;
}

interface Writing {
  readonly cache: Cache;
  readonly id: string;
  readonly now: Instant;
  readonly write: Write;
}

export interface PreparedParts {
  readonly tally: Tally;
  readonly clock: Clock;
  readonly demo: boolean;
  readonly capacity?: Bytes;
  /** Called after a hit was handed to the socket. */
  written(req: IncomingMessage, res: ServerResponse, written: Written): void;
  /** Called after another answer was: its body may be shared with others. */
  shared?(res: ServerResponse, body: Buffer | undefined): void;
}

/** A hit, for those who count. */
export interface Written {
  readonly startedAt: Instant;
  readonly id: string;
  readonly cache: string;
  /** undefined: the answer has none. Other answers may share it. */
  readonly body: Buffer | undefined;
}

/**
 * The worker's store of prepared answers, and the only way they are written. A hit costs no more than writeHead() and end() on a
 * bare node:http server (bench/hit.ts): the head stands ready as text, and nothing is parsed or serialised. Any conditional or
 * negotiated form of an answer is made once and kept with it. (Reading req.headers is free: Node builds it for every HTTP/1.1
 * request itself, to look at Host and Expect.)
 */
export class PreparedStore implements PreparedAnswers {
  readonly #parts: PreparedParts;
  readonly #cache: LRUCache<string, Entry>;
  readonly #entries = new WeakMap<PreparedAnswer, Entry>();
  readonly #compressor = new Compressor();
  readonly #negotiator = new Negotiator();
  readonly #constant: readonly string[];
  readonly #fast = chooseWrite();
  #identify: (req: IncomingMessage) => Reader | undefined = () => undefined;
  readonly #wall: WallTime;

  constructor(parts: PreparedParts) {
    this.#parts = parts;
    this.#wall = new WallTime(parts.clock);
    this.#constant = parts.demo ? ["X-Drover-Demo", "1"] : [];
    const maxSize = parts.capacity ?? CAPACITY;
    this.#cache = new LRUCache({ maxSize, maxEntrySize: Math.floor(maxSize / 4), sizeCalculation: (entry, key) => sizeOf(entry, key) });
  }

  put(target: string, answer: PreparedAnswer, audience?: string): void {
    if (target.length > MAX_TARGET) return;
    const entry = this.#entryOf(answer);
    entry.place = audience === undefined ? target : placeFor(audience, target);
    this.#cache.set(entry.place, entry);
  }

  identify(reader: (req: IncomingMessage) => Reader | undefined): void {
    this.#identify = reader;
  }

  clear(): void {
    this.#cache.clear();
  }

  /** Bytes that the stored answers take. */
  get size(): number {
    return this.#cache.calculatedSize;
  }

  send(req: IncomingMessage, res: ServerResponse, answer: PreparedAnswer, cache: Cache): void {
    const given = res.getHeader("x-request-id");
    const id = typeof given === "string" ? given : requestId(req);
    const body = this.#write(req, res, this.#entryOf(answer), { cache, id, now: this.#parts.clock.now(), write: writeByNode });
    this.#parts.shared?.(res, body);
  }

  /** The hit path. @returns false when there is no usable answer: the application makes one. */
  answer(req: IncomingMessage, res: ServerResponse): boolean {
    const { method } = req;
    if (method !== "GET" && method !== "HEAD") return false;
    const target = req.url as string;
    const everybodys = this.#cache.get(target);
    if (everybodys !== undefined) return this.#answerFrom(everybodys, req, res);
    const reader = req.headers.cookie === undefined ? undefined : this.#identify(req);
    for (const audience of reader?.audiences ?? []) {
      const entry = this.#cache.get(placeFor(audience, target));
      if (entry !== undefined) return this.#answerFrom(entry, req, res, reader);
    }
    return false;
  }

  #answerFrom(entry: Entry, req: IncomingMessage, res: ServerResponse, reader?: Reader): boolean {
    const { answer } = entry;
    const { source } = answer;
    if (answer.version !== source.version) {
      this.#cache.delete(entry.place);
      return false;
    }
    const now = this.#parts.clock.now();
    if (now >= source.staleUntil) return false;
    const fresh = now < source.freshUntil;
    if (!fresh) source.expired();
    reader?.answered(req, res);
    const id = requestId(req);
    const write = res.getHeaderNames().length === 0 ? this.#fast : writeByNode;
    const cache = fresh ? "HIT" : "STALE";
    this.#parts.tally.counters.prepared += 1;
    const body = this.#write(req, res, entry, { cache, id, now, write });
    this.#parts.written(req, res, { startedAt: now, id, cache, body });
    return true;
  }

  /** @returns the body. */
  #write(req: IncomingMessage, res: ServerResponse, entry: Entry, { cache, id, now, write }: Writing): Buffer | undefined {
    const { counters } = this.#parts.tally;
    if (cache === "HIT") counters.hits += 1;
    else if (cache === "STALE") counters.stale += 1;
    else counters.misses += 1;
    const { headers } = req;
    const condition = headers["if-none-match"];
    const tag = condition === undefined ? undefined : matched(condition, entry.tags);
    const rendition = tag === undefined ? this.#choose(entry, headers["accept-encoding"] ?? "") : this.#notModified(entry, tag);
    const { ahead, date } = this.#wall.at(now);
    const age = String(Math.max(0, Math.floor((now + ahead - entry.answer.source.checkedAt) / 1_000)));
    const reason = cache === "STALE" ? entry.answer.source.reason : undefined;
    if (!says(entry.late, age, cache, date, reason))
      entry.late = ["Age", age, "X-Cache", cache, "Date", date, ...(reason === undefined ? [] : ["X-Cache-Reason", reason])];
    write(req, res, rendition, entry.late, ["X-Request-Id", id]);
    return req.method === "HEAD" ? undefined : rendition.body;
  }

  #choose(entry: Entry, accepted: string): Rendition {
    for (const encoding of this.#negotiator.preferences(accepted)) {
      const ready = entry.renditions[encoding];
      if (ready !== undefined) return ready;
      const body = entry.answer.bodies[encoding];
      if (body !== undefined) return (entry.renditions[encoding] = render(entry.answer, encoding, body, this.#constant));
      if (encoding !== "identity") this.#compress(entry, encoding);
    }
    throw new Error("identity is always among a client's preferences");
  }

  #notModified(entry: Entry, tag: string): Rendition {
    const ready = entry.notModified.get(tag);
    if (ready !== undefined) return ready;
    const made = renderNotModified(entry.answer, tag, this.#constant);
    entry.notModified.set(tag, made);
    return made;
  }

  /** Begins an encoding that a client asked for and that is not there yet; meanwhile it gets what is. */
  #compress(entry: Entry, encoding: "gzip" | "br"): void {
    const { identity } = entry.answer.bodies;
    if (identity.length < WORTH_COMPRESSING || entry.tried.has(encoding)) return;
    const begun = this.#compressor.start(encoding, identity, (compressed) => {
      if (compressed === undefined) return;
      entry.answer.bodies[encoding] = compressed;
      if (this.#cache.peek(entry.place) === entry) this.#cache.set(entry.place, entry); // weighed again: it has grown
    });
    if (begun) entry.tried.add(encoding);
  }

  #entryOf(answer: PreparedAnswer): Entry {
    const known = this.#entries.get(answer);
    if (known !== undefined) return known;
    const tags = [tagOf(answer, "identity"), tagOf(answer, "gzip"), tagOf(answer, "br")];
    const entry: Entry = { answer, tags, renditions: {}, notModified: new Map(), tried: new Set(), place: "", late: [] };
    this.#entries.set(answer, entry);
    return entry;
  }
}

/** Whether these headers are the ones that would be made of that. */
function says(late: Late, age: string, cache: Cache, date: string, reason: string | undefined): boolean {
  return late[1] === age && late[3] === cache && late[5] === date && late[7] === reason;
}

/** No target has a blank in it, so that no name of an audience makes one of another's. */
const placeFor = (audience: string, target: string): string => `${audience} ${target}`;

function sizeOf({ answer: { bodies } }: Entry, target: string): number {
  return bodies.identity.length + (bodies.gzip?.length ?? 0) + (bodies.br?.length ?? 0) + target.length + OVERHEAD;
}
