/**
 * A daemon that writes into an emulator of its own process, clients that note what they were told, people who kill, and an oracle that
 * compares what was told with the rows of the sheet afterwards.
 */
import { writeFileSync } from "node:fs";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { http } from "../../src/base/http.ts";
import { standalone, type Standalone } from "../tools/emulator/standalone.ts";
import { alive, allLanded, descendants, get, start, type Daemon } from "./harness.ts";
import { folder, sent } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

/** Rows by people; rows whose key the service makes. */
const TABLES = {
  notes: { key: "id", ttl: "300ms", read: "public", append: "public", update: "public", columns: { value: { type: "integer" } } },
  posts: { key: "id", ttl: "300ms", read: "public", append: "public" },
};
const NOTES = `id,owner,value\n${Array.from({ length: 20 }, (_, i) => `base${i},nobody,0\n`).join("")}`;

export interface CrashWorld {
  readonly sheet: Standalone;
  /** The life of now. */
  readonly daemon: Daemon;
  readonly url: string;
  /** Another life on the same data directory. */
  restart(): Promise<Daemon>;
  /** A daemon of its own, with a data directory of its own, on the same spreadsheet. */
  another(): Promise<Daemon>;
}

/** @param args of the emulator. */
export async function crashWorld(t: TestContext, env: NodeJS.ProcessEnv = {}, args: readonly string[] = []): Promise<CrashWorld> {
  const csv = folder(t);
  writeFileSync(join(csv, "notes.csv"), NOTES);
  writeFileSync(join(csv, "posts.csv"), "id,text\n");
  const sheet = await standalone(t, ["--csv", csv, "--faults", ...args]);
  const begin = async (cwd: string): Promise<Daemon> => {
    writeFileSync(join(cwd, "tables.json"), JSON.stringify({ tables: TABLES }));
    const quota = { DROVER_READS_PER_MINUTE: "30000", DROVER_WRITES_PER_MINUTE: "30000", DROVER_RATE_LIMIT: "off" };
    return await start(t, { cwd, env: { ...sheet.env, ...quota, DROVER_TABLES: join(cwd, "tables.json"), ...env } });
  };
  let daemon = await begin(folder(t));
  return {
    sheet,
    get daemon() {
      return daemon;
    },
    get url() {
      return daemon.url;
    },
    restart: async () => (daemon = await begin(daemon.dir)),
    another: () => begin(folder(t)),
  };
}

/** Mulberry32: the same seed, the same numbers. 0 ≤ number < 1. */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The seed of a run: printed by who uses it, and taken from CRASH_SEED to repeat it. */
export const seedOf = (): number => Number(process.env["CRASH_SEED"] ?? Math.floor(Math.random() * 1e9));

export interface Sent {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request with a JSON body, on a connection of its own. */
export function send(method: string, url: string, body: unknown, headers: OutgoingHttpHeaders = {}): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const options = { method, agent: false, timeout: 60_000, headers: { "content-type": "application/json", ...headers } };
    const req = http.request(url, options, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.on("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks).toString() }));
      res.on("error", reject);
    });
    req.on("timeout", () => req.destroy(new Error(`no answer from ${url}`)));
    req.on("error", reject);
    req.end(JSON.stringify(body));
  });
}

/** What clients were told, as they understand it. */
export interface Told {
  /** Requests that were answered with 2xx. */
  acknowledged: number;
  /** How often a request was said again. */
  repeats: number;
  /** Row of `notes` → its last acknowledged value. */
  readonly notes: Map<string, number>;
  /** Row of `posts` → its text. */
  readonly posts: Map<string, string>;
  /** Answers that no client should get. */
  readonly odd: string[];
  /** Rows that were read as they had been before an acknowledged write. */
  readonly stale: string[];
  reads: number;
}

export const nothingTold = (): Told => ({ acknowledged: 0, repeats: 0, notes: new Map(), posts: new Map(), odd: [], stale: [], reads: 0 });

interface WriterOptions {
  readonly name: string;
  readonly url: () => string;
  readonly told: Told;
  readonly random: () => number;
  /** Whether it goes on. */
  readonly more: () => boolean;
  /** Added to the path: `?wait=sheet`. */
  readonly query?: string;
  /** Between two writes, in milliseconds: so that kills fall among the writes, and not behind them. */
  readonly pause?: number;
}

const CLIENT_PATIENCE = 60_000;
/** What a careful client says again: the answers that promise nothing. */
const AGAIN: readonly number[] = [502, 503, 504, 507];

/** Says a request until it is acknowledged, each time under the same Idempotency-Key. */
async function insist(
  method: string,
  path: string,
  body: unknown,
  key: string,
  { url, told, random }: WriterOptions,
): Promise<Sent | undefined> {
  for (const end = performance.now() + CLIENT_PATIENCE; performance.now() < end; told.repeats += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
    const answer = await send(method, `${url()}${path}`, body, { "idempotency-key": key }).catch(() => undefined);
    if (answer !== undefined && answer.status < 300) return answer;
    if (answer !== undefined && !AGAIN.includes(answer.status)) {
      told.odd.push(`${method} ${path} ${JSON.stringify(body)}: ${answer.status} ${answer.body}`);
      return undefined;
    }
    // oxlint-disable-next-line no-await-in-loop -- as above
    await sleep(20 + random() * 80);
  }
  told.odd.push(`${method} ${path}: not acknowledged within a minute`);
  return undefined;
}

/** A client that appends, and changes its own rows; and reads what it was told is there. */
export async function writer(options: WriterOptions): Promise<void> {
  const { name, told, random, more, query = "", pause = 0 } = options;
  const own: string[] = [];
  for (let n = 1; more(); n += 1) {
    if (pause > 0) await sleep(2 * pause * random());
    const kind = random();
    const once = `${name}-${n}`;
    const key = own[Math.floor(random() * own.length)];
    if (kind < 0.25) {
      const text = `text of ${once}`;
      const answer = await insist("POST", `/api/tables/posts${query}`, { text }, once, options);
      if (answer === undefined) continue;
      told.posts.set((JSON.parse(answer.body) as { write: { key: string } }).write.key, text);
    } else if (kind < 0.6 || key === undefined) {
      const id = `${name}-row${n}`;
      if ((await insist("POST", `/api/tables/notes${query}`, { id, owner: name, value: n }, once, options)) === undefined) continue;
      told.notes.set(id, n);
      own.push(id);
    } else {
      if ((await insist("PATCH", `/api/tables/notes/${key}${query}`, { value: n }, once, options)) === undefined) continue;
      told.notes.set(key, n);
    }
    told.acknowledged += 1;
  }
}

/** Reads acknowledged rows one by one, from whichever worker answers. */
export async function reader(url: () => string, told: Told, random: () => number, more: () => boolean): Promise<void> {
  while (more()) {
    const keys = [...told.notes.keys()];
    const key = keys[Math.floor(random() * keys.length)];
    if (key === undefined) {
      await sleep(10);
      continue;
    }
    const least = told.notes.get(key) ?? 0;
    const answer = await get(`${url()}/api/tables/notes/${key}`).catch(() => undefined);
    if (answer === undefined || AGAIN.includes(answer.status)) {
      await sleep(50);
      continue;
    }
    told.reads += 1;
    const value = answer.status === 200 ? (JSON.parse(answer.body) as { row: { value: number } }).row.value : undefined;
    if (value === undefined || value < least)
      told.stale.push(`${key}: ${answer.status} ${String(value)} instead of ${least} (X-Cache ${String(answer.headers["x-cache"])})`);
    await sleep(5);
  }
}

export interface Found {
  readonly lost: readonly string[];
  readonly duplicates: readonly string[];
  /** Rows with another value than the last acknowledged. */
  readonly overtaken: readonly string[];
  /** Rows that nobody was told of. */
  readonly strangers: readonly string[];
}

/** Rows, each time that people insert any. */
export const PEOPLE_INSERT = 2;

/** Compares what was told with the rows of the sheet. */
export async function oracle({ sheet }: CrashWorld, told: Told): Promise<Found> {
  const isRow = (cells: readonly unknown[]): boolean => cells.some((cell) => cell !== "");
  const all = (await sheet.rows("notes")).slice(1);
  const notes = all.filter((cells) => isRow(cells) && !String(cells[0]).startsWith("base"));
  const inserted = PEOPLE_INSERT * ((await sheet.delivered()).byKind["insert"] ?? 0);
  const empty = all.length - all.filter(isRow).length; // left among the others when nobody sorted after it
  const posts = (await sheet.rows("posts")).slice(1);
  const lost: string[] = [];
  const duplicates: string[] = [];
  const overtaken: string[] = [];
  const compare = (rows: readonly (readonly unknown[])[], expected: ReadonlyMap<string, unknown>, column: number): void => {
    const found = Map.groupBy(rows, ([id]) => String(id));
    for (const [key, value] of expected) {
      const of = found.get(key) ?? [];
      if (of.length === 0) lost.push(key);
      if (of.length > 1) duplicates.push(key);
      if (of.length > 0 && String(of[0]?.[column]) !== String(value))
        overtaken.push(`${key}: ${String(of[0]?.[column])}, not ${String(value)}`);
    }
  };
  compare(notes, told.notes, 2);
  compare(posts, told.posts, 1);
  const strangers = [...notes.filter(([id]) => !told.notes.has(String(id))), ...posts.filter(([id]) => !told.posts.has(String(id)))];
  const unasked = empty > inserted ? [`${empty} empty rows, ${inserted} of them inserted by people`] : [];
  return { lost, duplicates, overtaken, strangers: [...strangers.map((row) => JSON.stringify(row)), ...unasked] };
}

export const figures = ({ lost, duplicates, overtaken, strangers }: Found, { acknowledged, repeats, reads, stale }: Told): string =>
  `${acknowledged} writes acknowledged (${repeats} requests said again): lost ${lost.length}, duplicates ${duplicates.length}, ` +
  `out of order ${overtaken.length}, strangers ${strangers.length}; ${reads} reads beside them, ${stale.length} stale`;

export const NOTHING_WRONG: Found = { lost: [], duplicates: [], overtaken: [], strangers: [] };

/** @returns when nothing waits for the sheet any more. */
export const drained = ({ daemon }: { readonly daemon: Daemon }): Promise<void> => allLanded(daemon);

export type Victim = "broker" | "master" | "tree" | "worker";

/** Kills, and starts another master where there is none any more. @returns once it is dead: with a new master, ready. */
export async function kill(world: CrashWorld, victim: Victim): Promise<void> {
  const { daemon } = world;
  const pids = victim === "broker" || victim === "worker" ? [await pidOf(daemon, victim)] : [daemon.pid];
  const tree = descendants(daemon.pid);
  if (victim === "tree") pids.push(...tree);
  for (const pid of pids) if (pid !== undefined) sent(pid, "SIGKILL");
  if (victim === "broker" || victim === "worker") return;
  await daemon.exited;
  await eventually("nobody outlives the master", () => tree.every((pid) => !alive(pid)));
  await world.restart();
}

export async function pidOf(daemon: Daemon, role: "broker" | "worker"): Promise<number | undefined> {
  const { places } = await daemon.status();
  return places.find((place) => place.role === role && place.child?.pid !== undefined)?.child?.pid;
}
