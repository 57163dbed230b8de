/**
 * Google stores a colour in one byte a channel and shows it twice: `backgroundColor` and `backgroundColorStyle.rgbColor`.
 * Whichever of the two was sent, both are answered; with both the Style one counts.
 */
import { type Json, type JsonObject, isObject } from "./json.ts";

const BANDS = ["headerColor", "firstBandColor", "secondBandColor", "footerColor"] as const;
const PAIRS = ["backgroundColor", "foregroundColor", "tabColor", "color", ...BANDS] as const;
const CHANNELS = ["red", "green", "blue", "alpha"] as const;

/**
 * One byte's share of 1, rounded down in 32-bit floats: 0.5 → 127/255, as Google answers. Shown in
 * the shortest decimals that name the float: 127 → 0.49803922, 1 → 0.003921569.
 */
function channel(value: number): number {
  const byte = Math.floor(Math.fround(Math.fround(Math.min(Math.max(value, 0), 1)) * 255));
  const share = Math.fround(byte / 255);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(share.toPrecision(digits));
    if (Math.fround(short) === share) return short;
  }
  return share;
}

export function quantised(colour: JsonObject): JsonObject {
  const kept = CHANNELS.flatMap((name) => {
    const value = Number(colour[name] ?? 0);
    const share = Number.isNaN(value) ? 0 : channel(value);
    return share === 0 || (name === "alpha" && share === 1) ? [] : [[name, share] as const];
  });
  return Object.fromEntries(kept);
}

const BORDER_WIDTHS: Readonly<Record<string, number>> = { DOTTED: 1, DASHED: 1, SOLID: 1, SOLID_MEDIUM: 2, SOLID_THICK: 3, DOUBLE: 3 };

/** A border has a width and a colour, whether sent or not. */
function border(value: JsonObject): JsonObject {
  const width = typeof value["style"] === "string" ? BORDER_WIDTHS[value["style"]] : undefined;
  if (width === undefined) return value;
  const colour = value["color"] === undefined && value["colorStyle"] === undefined ? { color: {} } : {};
  return { ...value, width, ...colour };
}

/** Completes the colours in a format, in sheet properties, in a rule: at any depth. */
export function normalised(value: JsonObject): JsonObject {
  const source = border(value);
  const out: Record<string, Json> = {};
  for (const [key, inner] of Object.entries(source)) {
    if (inner === undefined || inner === null) continue;
    if ((PAIRS as readonly string[]).includes(key) && isObject(inner)) continue;
    if (key === "rgbColor" && isObject(inner)) out[key] = quantised(inner);
    else if (Array.isArray(inner)) out[key] = inner.map((item: Json) => (isObject(item) ? normalised(item) : item));
    else if (!isObject(inner)) out[key] = inner;
    else if (twin(key) === undefined || isObject(inner["rgbColor"]) || typeof inner["themeColor"] === "string")
      out[key] = normalised(inner);
  }
  for (const key of PAIRS) {
    const rgb = rgbOf(source, key);
    if (rgb === undefined) continue;
    out[key] = quantised(rgb);
    out[`${key}Style`] = { rgbColor: quantised(rgb) };
  }
  return out;
}

function rgbOf(source: JsonObject, key: string): JsonObject | undefined {
  const style = source[`${key}Style`];
  if (isObject(style)) return isObject(style["rgbColor"]) ? style["rgbColor"] : undefined;
  return isObject(source[key]) ? source[key] : undefined;
}

/** The other spelling of a colour's field, if `name` is one: a mask that names one means both. */
export function twin(name: string): string | undefined {
  const plain = name.endsWith("Style") ? name.slice(0, -5) : name;
  if (!(PAIRS as readonly string[]).includes(plain)) return undefined;
  return name === plain ? `${plain}Style` : plain;
}
