/**
 * Simulated users share one address, and a daemon limits the writes and exports of single addresses. Real users do not share one: the refusals
 * would say nothing of the capacity. This predicts them before the run.
 */
import { number } from "./report/figures.ts";
import { peak, type Step } from "./shape.ts";
import { thinkOf, type Class, type Traffic } from "./traffic.ts";

export interface AddressRate {
  readonly perMinute: number;
  /** As the setting has it: `100/m`. */
  readonly text: string;
}

/** The limits of one address; a class that is missing has none, or it is not known. */
export type AddressRates = Partial<Record<Extract<Class, "write" | "export">, AddressRate>>;

export interface SharedAddress {
  readonly steps: readonly Step[];
  readonly traffic: Traffic;
  readonly rates: AddressRates;
  /** `--spread-addresses`. */
  readonly spread: boolean;
  /** The target can be asked from other addresses of this machine. */
  readonly loopback: boolean;
}

const SETTING = { write: "DROVER_RATE_LIMIT", export: "DROVER_EXPORT_RATE" } as const;

/** @returns one note when the busiest step exceeds a limit of one address; users who sign in are limited one by one. */
export function sharedAddress({ steps, traffic, rates, spread, loopback }: SharedAddress): string[] {
  if (traffic.login !== undefined) return [];
  const all = traffic.mix.read + traffic.mix.write + traffic.mix.export;
  const open = steps.every(({ model }) => model === "open");
  const sharers = spread ? 1 : peak(steps);
  const perMinute = 60 * (open ? sharers : (sharers * 1_000) / Math.max(1, thinkOf(traffic)));
  const over = (["write", "export"] as const).flatMap((kind) => {
    const sent = (perMinute * traffic.mix[kind]) / all;
    const limit = rates[kind];
    return limit === undefined || sent <= limit.perMinute || (open && spread) ? [] : [{ kind, sent, limit }];
  });
  if (over.length === 0) return [];
  const exceeded = over.map(({ kind, sent, limit }) => `${number(sent)} ${kind}s a minute, ${SETTING[kind]} allows ${limit.text}`);
  const off = over.map(({ kind }) => `${SETTING[kind]}=off`).join(" ");
  const subject = spread ? "each user sends" : open ? "all requests share one address:" : `${number(sharers)} users share one address:`;
  const ways = [...(spread || !loopback ? [] : ["use --spread-addresses"]), "let users sign in (--user-file)"].join(", ");
  return [`${subject} ${exceeded.join("; ")}. ${ways[0]?.toUpperCase()}${ways.slice(1)}, or start the target with ${off}`];
}
