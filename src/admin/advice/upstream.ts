import { ms, type Ms } from "../../base/units.ts";
import type { TableReport } from "../../base/upstreamreport.ts";
import { said, UNSAID, type Said } from "../said.ts";
import { NEAR, percent, type AdviceInput, type Standing } from "./advice.ts";
import { duration } from "./slots.ts";

/** What Google has refused or does not answer is nobody's share: it is broken. */
const BROKEN = 2;

export function upstreamAdvice({ snapshot: { upstream } }: AdviceInput): Standing | undefined {
  if (upstream === null) return undefined;
  const { state, message } = upstream;
  const reason = (message.split("\n", 1)[0] ?? "").slice(0, 300);
  if (state === "denied")
    return {
      limit: "upstream",
      share: BROKEN,
      reason: said`${reason}`,
      step: said`mend the key or the share: \`drover status\` shows the rows it serves meanwhile`,
    };
  if (state === "down")
    return {
      limit: "upstream",
      share: BROKEN,
      reason: said`Google does not answer: ${reason}`,
      step: said`rows are served as they are, marked stale: look at the network, or wait for Google`,
    };
  return undefined;
}

const MINUTE = 60_000;
/** Of the quota: a longer TTL is proposed until the tables need no more. */
const COMFORT = 0.5;

export function quotaAdvice({ snapshot: { upstream }, ttl, readsPerMinute }: AdviceInput): Standing | undefined {
  if (upstream === null) return undefined;
  const { quota, writes, tables, pace, state } = upstream;
  const writing = writes === undefined || writes.quota.limit === 0 ? 0 : writes.quota.used / writes.quota.limit;
  const reading = quota.limit === 0 ? 0 : quota.used / quota.limit;
  if (writing > reading && writes !== undefined) {
    const { used, limit } = writes.quota;
    const step = said`one call carries many writes, so they come later, not fewer: ask Google for more, then raise DROVER_WRITES_PER_MINUTE`;
    return {
      limit: "quota",
      share: writing,
      reason: said`${used} of ${limit} write calls of this minute are used (${percent(writing)})`,
      step,
    };
  }
  const share = state === "locked" ? Math.max(1, reading) : reading;
  const locked = state === "locked" ? said`, and Google refuses more` : UNSAID;
  return {
    limit: "quota",
    share,
    ...reads(tables, ttl, { planned: pace?.planned, used: quota.used, limit: quota.limit, readsPerMinute, near: share >= NEAR, locked }),
  };
}

interface Reads {
  /** What the TTLs of the tables in use make in a minute; undefined: not told. */
  readonly planned: number | undefined;
  readonly used: number;
  readonly limit: number;
  readonly readsPerMinute: number;
  readonly near: boolean;
  readonly locked: Said;
}

/**
 * Tables are refreshed once a TTL each, together where their times meet: they need at most the sum. What is needed is by the TTLs as they
 * are set: where the quota is short, they are stretched.
 */
function reads(
  tables: readonly TableReport[],
  fallback: Ms,
  { planned, used, limit, readsPerMinute, near, locked }: Reads,
): { reason: Said; step: Said } {
  const plain = said`${used} of ${limit} read calls of this minute are used (${percent(limit === 0 ? 0 : used / limit)})${locked}`;
  if (!near || tables.length === 0) return { reason: plain, step: said`look at what else reads with this account` };
  const ttls = tables.map(({ ttl }) => ttl ?? fallback);
  const need = planned ?? ttls.reduce((sum, one) => sum + MINUTE / one, 0);
  const [least, most] = [Math.min(...ttls), Math.max(...ttls)];
  const named = least === most ? said`TTL ${text(ms(least))}` : said`TTLs of ${text(ms(least))} to ${text(ms(most))}`;
  const reason =
    tables.length === 1
      ? said`1 table at ${named} needs up to ${whole(need)} calls/min of ${limit}${locked}`
      : said`${tables.length} tables at ${named} need up to ${whole(need)} calls/min of ${limit}${locked}`;
  if (need < limit * COMFORT)
    return {
      reason: said`${plain}, of which the tables need up to ${whole(need)}`,
      step: said`something else reads with this account: give drover one of its own (quota ${readsPerMinute}/min)`,
    };
  const factor = Math.max(2, need / (limit * COMFORT));
  if (least !== most)
    return { reason, step: said`${whole(factor)} times the TTLs (ttl in the tables file, DROVER_CACHE_TTL) ${gain(need, factor)}` };
  const longer = ms(Math.ceil((least * factor) / 1_000) * 1_000);
  return { reason, step: said`TTL ${text(longer)} (DROVER_CACHE_TTL, or ttl in the tables file) ${gain(need, longer / least)}` };
}

const gain = (need: number, factor: number): Said => (factor < 2.2 ? said`halves it` : said`makes it ${whole(need / factor)}`);
const whole = (n: number): string => (n < 10 ? String(Number(n.toFixed(1))) : String(Math.round(n)));
const text = (wait: Ms): string =>
  wait < 1_000 ? `${wait} ms` : wait < 90_000 ? `${Number((wait / 1_000).toFixed(1))} s` : duration(wait);

export function writesAdvice({ snapshot: { upstream }, journalSize }: AdviceInput): Standing | undefined {
  const writes = upstream?.writes;
  if (writes === undefined || journalSize === 0) return undefined;
  const share = writes.waitingBytes / journalSize;
  const reason = said`${writes.waiting} accepted writes wait for the sheet, the journal is ${percent(share)} full`;
  return {
    limit: "writes",
    share,
    reason,
    step: said`see why Google does not take them (\`drover status\`), or raise DROVER_JOURNAL_SIZE`,
  };
}
