import type { Logger } from "../../base/log.ts";
import { seconds, type Ms } from "../../base/units.ts";

export type Level = "debug" | "info" | "warn" | "error" | "fatal";
type Say = (level: Level, fields: Readonly<Record<string, unknown>>, text: string) => void;

const WITHIN: Ms = seconds(10);
const MOST_KINDS = 256;
const MOST_NAMED = 16;

interface Kind {
  more: number;
  readonly places: Set<string>;
}

/**
 * The master's lines about its children. Of warnings and errors that differ in their numbers only, the first within ten seconds is
 * written, and when those are over how many more there were and where: two hundred workers that fail together fill no disk.
 */
export function collapsing(log: Logger, within: Ms = WITHIN): Say {
  const kinds = new Map<string, Kind>();
  const over = (key: string, level: Level, text: string): void => {
    const kind = kinds.get(key);
    kinds.delete(key);
    if (kind === undefined || kind.more === 0) return;
    log[level]({ more: kind.more, places: [...kind.places] }, `… ${kind.more} times more: ${text}`);
  };
  return (level, fields, text) => {
    if (level !== "warn" && level !== "error") return log[level](fields, text);
    const key = `${level} ${text.replaceAll(/\d+(?:\.\d+)?/g, "#")}`;
    const kind = kinds.get(key);
    if (kind === undefined) {
      log[level](fields, text);
      if (kinds.size >= MOST_KINDS) return;
      kinds.set(key, { more: 0, places: new Set() });
      setTimeout(over, within, key, level, text).unref();
      return;
    }
    kind.more += 1;
    if (kind.places.size < MOST_NAMED) kind.places.add(typeof fields["place"] === "string" ? fields["place"] : "");
  };
}
