/** The scalar notations of settings. Lists of addresses and networks are in addresses.ts. */
import { homedir } from "node:os";
import { resolve } from "node:path";
import { bytes as asBytes, ms, type Bytes, type Ms } from "../base/units.ts";
import { expected, parsed, type Codec } from "./setting.ts";

const DURATIONS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const SIZES = { b: 1, k: 1_024, m: 1_048_576, g: 1_073_741_824, t: 1_099_511_627_776 } as const;

const inLargestUnit = (value: number, units: Readonly<Record<string, number>>): string => {
  if (value === 0) return "0";
  const [unit, size] = Object.entries(units).findLast(([, size]) => value % size === 0) ?? ["", 1];
  return `${value / size}${unit}`;
};
const formatDuration = (value: Ms): string => inLargestUnit(value, DURATIONS);
/** Exact, so that it can be read again: `24684084k`. */
export const formatBytes = (value: Bytes): string => inLargestUnit(value, SIZES);

/** For sentences, to one decimal: `23.5g`. */
export function roughly(value: Bytes): string {
  const [unit, size] = Object.entries(SIZES).findLast(([, size]) => value >= size) ?? ["b", 1];
  return `${Number((value / size).toFixed(1))}${unit}`;
}

/** `500ms 30s 2m 1h 1.5s`. A bare number is refused: nobody knows its unit; only `0` needs none. */
export function duration(least: Ms, most: Ms): Codec<Ms> {
  const looksLike = `a duration from ${formatDuration(least)} to ${formatDuration(most)}, such as 500ms, 30s, 2m or 1h`;
  return {
    looksLike,
    format: formatDuration,
    parse(text) {
      const [, digits, unit] = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h)?$/.exec(text) ?? [];
      if (digits === undefined) return expected(looksLike);
      if (unit === undefined && Number(digits) !== 0) return expected(`${looksLike}; a number needs its unit`);
      const value = Number((Number(digits) * DURATIONS[(unit ?? "ms") as keyof typeof DURATIONS]).toFixed(6));
      return Number.isInteger(value) && value >= least && value <= most ? parsed(ms(value)) : expected(looksLike);
    },
  };
}

/** `512m`, `4g`, also `512MiB` or `512mb`: powers of 1024. A bare number is refused; only `0` needs no unit. */
export function size(least: Bytes, most: Bytes, zero?: string): Codec<Bytes> {
  const range = `a size from ${formatBytes(least)} to ${formatBytes(most)}, such as 512m or 4g`;
  const looksLike = zero === undefined ? range : `${range}, or 0: ${zero}`;
  return {
    looksLike,
    format: formatBytes,
    parse(text) {
      if (zero !== undefined && text === "0") return parsed(asBytes(0));
      const [, digits, unit] = /^(\d{1,16}(?:\.\d{1,6})?)(b|(?:k|m|g|t)(?:i?b)?)?$/i.exec(text) ?? [];
      if (digits === undefined) return expected(looksLike);
      if (unit === undefined) return expected(`${looksLike}; a number needs its unit`);
      const value = Math.round(Number(digits) * SIZES[unit.charAt(0).toLowerCase() as keyof typeof SIZES]);
      return value >= least && value <= most ? parsed(asBytes(value)) : expected(looksLike);
    },
  };
}

/** @param zero what 0 means, if it means something else than none. */
export function integer(least: number, most: number, zero?: string): Codec<number> {
  const looksLike = `a whole number from ${least} to ${most}${zero === undefined ? "" : ` (0: ${zero})`}`;
  return {
    looksLike,
    format: String,
    parse(text) {
      const value = /^(?:0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
      return value >= least && value <= most ? parsed(value) : expected(looksLike);
    },
  };
}

const SWITCH: Readonly<Record<string, "on" | "off">> = { on: "on", off: "off", true: "on", false: "off", 1: "on", 0: "off" };
const switchWord = (text: string): string => {
  const word = text.toLowerCase();
  return Object.hasOwn(SWITCH, word) ? String(SWITCH[word]) : word;
};

export const onOff: Codec<boolean> = {
  looksLike: "on or off (also true, false, 1, 0)",
  alone: "on",
  format: (value) => (value ? "on" : "off"),
  parse(text) {
    const word = switchWord(text);
    return word === "on" || word === "off" ? parsed(word === "on") : expected("on or off (also true, false, 1, 0)");
  },
};

/** One of some words, in any case. Where `on` is among them, `true` and `1` mean it too. */
export function choice<const W extends string>(words: readonly W[]): Codec<W> {
  const looksLike = `one of ${words.join(", ")}`;
  return {
    looksLike,
    format: (value) => value,
    ...(words.includes("on" as W) ? { alone: "on" } : {}),
    parse(text) {
      const found = words.find((word) => word === text.toLowerCase()) ?? words.find((word) => word === switchWord(text));
      return found === undefined ? expected(looksLike) : parsed(found);
    },
  };
}

/** A path, made absolute. The shell expands `~`, but nobody does in a file: refused rather than taken literally. */
export const path: Codec<string> = {
  looksLike: "a path",
  format: (value) => value,
  parse(text, cwd) {
    if (text === "" || text.includes("\0")) return expected("a path");
    if (text === "~" || text.startsWith("~/")) return expected(`a path without ~ (write ${resolve(homedir(), text.slice(2))})`);
    return parsed(resolve(cwd, text));
  },
};

/** The path of a key file. People paste the key itself here: refused without repeating it. */
export const keyFile: Codec<string> = {
  ...path,
  looksLike: "the path of a key file",
  parse: (text, cwd) =>
    /[{\n]|PRIVATE KEY/.test(text) ? expected("the path of a key file, not the key itself", true) : path.parse(text, cwd),
};

/** The path of a private key's file; who pastes the key itself is refused without repeating it. */
export const pemFile: Codec<string> = { ...keyFile, looksLike: "the path of a PEM file" };

/** Any text of a given form. */
export function string(form: { readonly pattern: RegExp; readonly looksLike: string }): Codec<string> {
  return {
    looksLike: form.looksLike,
    format: (value) => value,
    parse: (text) => (form.pattern.test(text) ? parsed(text) : expected(form.looksLike)),
  };
}

/** A key or password of at least `least` characters. Its row must be marked `secret`, so that it is never printed. */
export function secret(least: number): Codec<string> {
  const looksLike = `a secret of at least ${least} characters`;
  return { looksLike, format: (value) => value, parse: (text) => (text.length >= least ? parsed(text) : expected(looksLike)) };
}

/** An http(s) address without credentials, query or fragment; a trailing slash is dropped. */
export const url: Codec<string> = {
  looksLike: "an http:// or https:// address",
  format: (value) => value,
  parse(text) {
    const address = URL.parse(text);
    if (address === null || !/^https?:$/.test(address.protocol)) return expected(url.looksLike);
    if (address.username !== "" || address.password !== "") return expected(`${url.looksLike} without a user name or password`, true);
    if (/[?#]/.test(text)) return expected(`${url.looksLike} without ? and #`);
    return parsed(address.href.replace(/\/+$/, ""));
  },
};

/** The empty text means: none. */
export function optional<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    ...codec,
    looksLike: `${codec.looksLike}, or empty`,
    format: (value) => (value === undefined ? "" : codec.format(value)),
    parse: (text, cwd) => (text === "" ? parsed(undefined) : codec.parse(text, cwd)),
  };
}
