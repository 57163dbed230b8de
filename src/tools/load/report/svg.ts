/** Line plots as inline SVG, without scripts; axes begin at 0 or at a power of ten. */

export interface Series {
  readonly name: string;
  /** A CSS class: s0 to s3. */
  readonly look: string;
  readonly points: readonly (readonly [number, number | undefined])[];
}

export interface Plot {
  readonly title: string;
  /** `to`: the end of the axis, also without a last point. */
  readonly x: {
    readonly name: string;
    readonly ticks?: readonly (readonly [number, string])[];
    readonly to?: number;
  };
  readonly y: { readonly name: string; readonly log?: boolean };
  readonly series: readonly Series[];
  /** A line across, such as a limit. */
  readonly mark?: { readonly at: number; readonly name: string };
}

/** As wide as a phone; on a wider screen the letters grow with the plot. */
const [WIDTH, HEIGHT] = [390, 250];
const AREA = { left: 46, right: 14, top: 30, bottom: 58 };

/** For all foreign text in HTML or SVG. */
export const escape = (text: string): string =>
  text.replaceAll(/[\p{C}]/gu, "?").replaceAll(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** 1, 2 or 5 times a power of ten, so that at most `most` of them reach `to`. */
export function niceStep(to: number, most: number): number {
  const raw = Math.max(to, Number.MIN_VALUE) / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
}

interface Scale {
  at(value: number): number;
  readonly ticks: readonly number[];
}

function linear(most: number, from: number, to: number): Scale {
  const step = niceStep(most || 1, 5);
  const top = Math.ceil((most || 1) / step - 1e-9) * step;
  return {
    at: (value) => from + ((to - from) * value) / top,
    ticks: Array.from({ length: Math.round(top / step) + 1 }, (_, i) =>
      Number((i * step).toPrecision(12)),
    ),
  };
}

function logarithmic(least: number, most: number, from: number, to: number): Scale {
  const low = Math.floor(Math.log10(Math.max(least, 0.01)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(most, 0.02))));
  return {
    at: (value) =>
      from + ((to - from) * (Math.log10(Math.max(value, 10 ** low)) - low)) / (high - low),
    ticks: Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)),
  };
}

const fixed = (value: number): string => value.toFixed(1);
const label = (value: number): string =>
  Number(value.toPrecision(6)).toLocaleString("en-US", { maximumFractionDigits: 2 });

export function plot({ title, x, y, series, mark }: Plot): string {
  const known = series.flatMap(({ points }) =>
    points.flatMap(([px, py]) => (py === undefined ? [] : [[px, py] as const])),
  );
  if (known.length === 0) return "";
  const ys = [...known.map(([, py]) => py), ...(mark === undefined ? [] : [mark.at])];
  const down = HEIGHT - AREA.bottom;
  const across = linear(
    Math.max(x.to ?? 0, ...known.map(([px]) => px)),
    AREA.left,
    WIDTH - AREA.right,
  );
  const up =
    y.log === true
      ? logarithmic(Math.min(...ys.filter((v) => v > 0)), Math.max(...ys), down, AREA.top)
      : linear(Math.max(...ys), down, AREA.top);
  const inside = ([value]: readonly [number, string]): boolean =>
    across.at(value) <= WIDTH - AREA.right + 1;
  const xTicks = thinned(
    (x.ticks ?? across.ticks.map((value) => [value, label(value)] as const)).filter(inside),
  );
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(title)}"><title>${escape(title)}</title>`,
    `<text class="h" x="${AREA.left}" y="16">${escape(title)}</text>`,
    ...up.ticks.map((value) => grid(AREA.left, up.at(value), label(value))),
    ...xTicks.map(([value, text]) => tick(across.at(value), down + 16, text)),
    `<text class="t" x="${WIDTH - AREA.right}" y="${down + 32}" text-anchor="end">${escape(x.name)}</text>`,
    `<text class="t" x="${AREA.left - 6}" y="${AREA.top - 12}" text-anchor="end">${escape(y.name)}</text>`,
    ...(mark === undefined ? [] : [markAt(up.at(mark.at), mark.name)]),
    ...series.map((one) => drawn(one, across, up)),
    ...series.map(({ name, look }, i) => legend(name, look, i)),
    "</svg>",
  ].join("\n");
}

const LONGEST = 12;
/** Of a letter of 11 units. */
const LETTER = 6;
/** As many labels as fit below an axis. */
const thinned = (
  ticks: readonly (readonly [number, string])[],
): readonly (readonly [number, string])[] => {
  const longest = Math.min(LONGEST, Math.max(1, ...ticks.map(([, text]) => text.length)));
  const most = Math.max(2, Math.floor((WIDTH - AREA.left - AREA.right) / ((longest + 1) * LETTER)));
  const every = Math.ceil(ticks.length / most);
  return ticks.filter((_, i) => i % every === 0);
};
/** Four names in the width of the plot. */
const LEGEND = { left: 8, apart: 95, line: 14 };
const short = (text: string): string =>
  escape(text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

/** The last label is aligned to the right edge. */
const tick = (x: number, y: number, text: string): string =>
  x > WIDTH - 2 * AREA.right
    ? `<text class="t" x="${WIDTH}" y="${y}" text-anchor="end">${short(text)}</text>`
    : `<text class="t" x="${fixed(x)}" y="${y}" text-anchor="middle">${short(text)}</text>`;

const grid = (left: number, at: number, text: string): string =>
  `<line class="g" x1="${left}" x2="${WIDTH - AREA.right}" y1="${fixed(at)}" y2="${fixed(at)}"/><text class="t" x="${left - 6}" y="${fixed(at + 4)}" text-anchor="end">${text}</text>`;
const markAt = (at: number, name: string): string =>
  `<line class="m" x1="${AREA.left}" x2="${WIDTH - AREA.right}" y1="${fixed(at)}" y2="${fixed(at)}"/><text class="t" x="${WIDTH - AREA.right}" y="${fixed(at - 4)}" text-anchor="end">${escape(name)}</text>`;
const legend = (name: string, look: string, i: number): string =>
  `<line class="${look}" x1="${LEGEND.left + i * LEGEND.apart}" x2="${LEGEND.left + i * LEGEND.apart + LEGEND.line}" y1="${HEIGHT - 12}" y2="${HEIGHT - 12}"/><text class="t" x="${LEGEND.left + i * LEGEND.apart + LEGEND.line + 4}" y="${HEIGHT - 8}">${short(name)}</text>`;

/** Unknown values are gaps. Up to 40 points are marked. */
function drawn({ points, look }: Series, across: Scale, up: Scale): string {
  const pieces: string[] = [];
  let pen = "M";
  for (const [px, py] of points) {
    if (py !== undefined) pieces.push(`${pen}${fixed(across.at(px))} ${fixed(up.at(py))}`);
    pen = py === undefined ? "M" : "L";
  }
  const dots =
    points.length > 40
      ? ""
      : points
          .flatMap(([px, py]) =>
            py === undefined
              ? []
              : [
                  `<circle class="${look}" cx="${fixed(across.at(px))}" cy="${fixed(up.at(py))}" r="3"/>`,
                ],
          )
          .join("");
  return `<path class="${look}" d="${pieces.join("")}"/>${dots}`;
}
