/** One connection to an engine, and a second one for the news of other brokers. Ends with its first failure. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { RedisClientOptions } from "@redis/client";
import { messageOf } from "../../../base/errors.ts";
import { ownPath } from "../../../base/place.ts";
import { ms, type Ms } from "../../../base/units.ts";
import { unfit } from "./problems.ts";

/** Of a script. */
interface Args {
  readonly keys: string[];
  readonly arguments: string[];
}

export interface Link {
  /** Rejects with the reason. */
  readonly lost: Promise<never>;
  lose(why: Error): void;
  /** Runs a step. @throws what the engine answers, or that it does not. */
  run(args: Args): Promise<string>;
  drop(): void;
}

export interface LinkOptions {
  /** `redis://`, `rediss://` or `unix:`. */
  readonly url: string;
  /** Of all keys, and of the channel. */
  readonly prefix: string;
  readonly channel?: string;
  /** An engine that takes longer is away. */
  readonly answersWithin?: Ms;
}

const ANSWERS_WITHIN = ms(1_000);
const CONNECTS_WITHIN = ms(1_500);

const PARTS = ["step", "counters", "sessions", "account", "run"];
let script: { readonly text: string; readonly sha: string } | undefined;

function theScript(): { readonly text: string; readonly sha: string } {
  if (script !== undefined) return script;
  const text = PARTS.map((name) => readFileSync(ownPath(`src/broker/ledger/redis/${name}.lua`), "utf8")).join("\n");
  return (script = { text, sha: createHash("sha1").update(text).digest("hex") });
}

/** @throws when it can't be reached, does not answer or can't keep sessions. */
export async function connect(
  { url, prefix, channel = "changes", answersWithin = ANSWERS_WITHIN }: LinkOptions,
  heard: (message: string) => void,
): Promise<Link> {
  const { createClient } = await import("@redis/client");
  const limits = { connectTimeout: CONNECTS_WITHIN, reconnectStrategy: false } as const;
  const client = createClient({ ...targetOf(url, limits), disableOfflineQueue: true, name: "drover" });
  const news = client.duplicate();
  const both = [client, news];
  const { promise: lost, reject: lose } = Promise.withResolvers<never>();
  lost.catch(() => {}); // each waiter handles it itself
  const reached = new Set<unknown>();
  let dropped = false;
  for (const each of both) {
    each.on("connect", () => {
      reached.add(each);
      if (dropped) each.destroy();
    });
    each.on("error", lose);
    each.on("end", () => lose(new Error("the connection was closed")));
  }
  const drop = (): void => {
    dropped = true; // a client that is destroyed while it connects stays connected
    for (const each of both) if (reached.has(each) && each.isOpen) each.destroy();
  };
  const { text, sha } = theScript();
  const prepare = async (): Promise<void> => {
    await Promise.all(both.map((each) => each.connect()));
    const why = unfit(await client.info());
    if (why !== undefined) throw new Error(why);
    await client.scriptLoad(text);
    await news.subscribe(`${prefix}${channel}`, heard);
  };
  const evaluate = async (args: Args): Promise<unknown> => {
    try {
      return await client.evalSha(sha, args);
    } catch (e) {
      if (!messageOf(e).startsWith("NOSCRIPT")) throw e; // SCRIPT FLUSH
      return await client.eval(text, args);
    }
  };
  const run = async (args: Args): Promise<string> => {
    const answer = await within(answersWithin, evaluate(args));
    if (typeof answer !== "string") throw new Error("its answer is not one of drover's scripts");
    return answer;
  };
  try {
    await Promise.race([lost, within(CONNECTS_WITHIN, prepare())]);
  } catch (e) {
    drop();
    throw e;
  }
  return { lost, lose, drop, run };
}

/** @returns its address without user and password. */
export function placeOf(url: string): string {
  const address = new URL(url);
  address.username = "";
  address.password = "";
  address.searchParams.delete("password");
  address.searchParams.delete("user");
  return address.href;
}

/** A unix socket has no address of its own in the client's notation. */
function targetOf(url: string, limits: { readonly connectTimeout: number; readonly reconnectStrategy: false }): RedisClientOptions {
  const { protocol, pathname, searchParams } = new URL(url);
  if (protocol !== "unix:") return { url, socket: limits };
  const [db, username, password] = ["db", "user", "password"].map((name) => searchParams.get(name) ?? undefined);
  return {
    socket: { path: decodeURIComponent(pathname), tls: false, ...limits },
    ...(db === undefined ? {} : { database: Number(db) }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

function within<T>(span: Ms, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${span} ms`)), span);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
