/** Plots as files of their own: no script, no font and no picture from elsewhere, light and dark as the reader's page is. */
import { escape } from "../../../src/tools/load/report/svg.ts";
import { short } from "./figures.ts";

const STYLE = `text{font:12px system-ui,sans-serif;fill:#1f2328}.t{fill:#59636e}.h{font-weight:600;font-size:14px}.g{stroke:#d1d9e0}
.us{fill:#0969da;stroke:#0969da}.other{fill:#9aa4ae;stroke:#9aa4ae}.s1{fill:#bc4c00;stroke:#bc4c00}.s2{fill:#8250df;stroke:#8250df}.s3{fill:#1a7f37;stroke:#1a7f37}.s4{fill:#bf3989;stroke:#bf3989}.s5{fill:#59636e;stroke:#59636e}
path{fill:none!important;stroke-width:2}.us path,path.us{stroke-width:3}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.t{fill:#9198a1}.g{stroke:#3d444d}.us{fill:#4493f8;stroke:#4493f8}.other{fill:#656c76;stroke:#656c76}.s1{fill:#f0883e;stroke:#f0883e}.s2{fill:#ab7df8;stroke:#ab7df8}.s3{fill:#3fb950;stroke:#3fb950}.s4{fill:#f778ba;stroke:#f778ba}.s5{fill:#9198a1;stroke:#9198a1}}`;
const WIDTH = 760;
const LOOKS = ["s1", "s2", "s3", "s4", "s5"];

const file = (height: number, title: string, say: string, inside: readonly string[]): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="t d">`,
    `<title id="t">${escape(title)}</title><desc id="d">${escape(say)}</desc><style>${STYLE}</style>`,
    text(12, 22, title, "h"),
    ...inside,
    "</svg>\n",
  ].join("\n");

function text(x: number, y: number, words: string, look = "", anchor = "start"): string {
  return `<text${look === "" ? "" : ` class="${look}"`} x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escape(words)}</text>`;
}

export interface Bar {
  readonly label: string;
  /** undefined: nothing was measured. */
  readonly value: number | undefined;
  readonly ours: boolean;
}

/** Bars from zero, side by side, each with its figure. @param unit behind each figure. */
export function bars(title: string, unit: string, rows: readonly Bar[]): string {
  const known = rows.flatMap((row) => (row.value === undefined || !Number.isFinite(row.value) ? [] : [{ ...row, value: row.value }]));
  const [left, row, top] = [200, 26, 40];
  const most = Math.max(...known.map(({ value }) => value), Number.MIN_VALUE);
  const said = known.map(({ label, value }) => `${label} ${short(value)}${unit}`).join(", ");
  const inside = known.flatMap(({ label, value, ours }, i) => {
    const y = top + i * row;
    const width = Math.max(1, ((WIDTH - left - 110) * value) / most);
    return [
      text(left - 8, y + 14, label, "", "end"),
      `<rect class="${ours ? "us" : "other"}" x="${left}" y="${y + 2}" width="${width.toFixed(1)}" height="${row - 8}" rx="2"/>`,
      text(left + width + 6, y + 14, `${short(value)}${unit}`),
    ];
  });
  return file(top + known.length * row + 10, title, said, inside);
}

export interface Line {
  readonly label: string;
  readonly ours: boolean;
  /** One for each place on the x axis. */
  readonly values: readonly (number | undefined)[];
}

const AREA = { left: 70, right: 190, top: 44, bottom: 36, height: 320 };

/** Lines over named places, with a logarithmic y axis: what is compared lies apart by factors. */
export function lines(
  title: string,
  axis: { readonly x: string; readonly y: string },
  places: readonly string[],
  all: readonly Line[],
): string {
  const shown = all.filter(({ values }) => values.some(positive));
  const values = shown.flatMap((line) => line.values.filter(positive));
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const down = AREA.height - AREA.bottom;
  const x = (i: number): number => AREA.left + ((WIDTH - AREA.left - AREA.right) * i) / Math.max(1, places.length - 1);
  const y = (value: number): number => down - ((down - AREA.top) * (Math.log10(value) - low)) / (high - low);
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  const said = shown.map((line) => `${line.label}: ${line.values.map((value) => (positive(value) ? short(value) : "nothing")).join(", ")}`);
  return file(AREA.height, title, `${places.join(", ")} ${axis.x}. ${said.join(". ")}`, [
    ...ticks.flatMap((tick) => [
      `<line class="g" x1="${AREA.left}" x2="${WIDTH - AREA.right}" y1="${y(tick).toFixed(1)}" y2="${y(tick).toFixed(1)}"/>`,
      text(AREA.left - 8, y(tick) + 4, tick.toLocaleString("en-US"), "t", "end"),
    ]),
    ...places.map((name, i) => text(x(i), down + 18, name, "t", "middle")),
    text(AREA.left, AREA.top - 8, axis.y, "t"),
    text(WIDTH - AREA.right, AREA.height - 4, axis.x, "t", "end"),
    ...shown.map((line, i) => drawn(line, look(line, i), x, y)),
    ...labels(shown, y).map(({ line, at, from, look: own }) => label(line, at, from, own)),
  ]);
}

const positive = (value: number | undefined): value is number => value !== undefined && Number.isFinite(value) && value > 0;
const look = ({ ours }: Line, i: number): string => (ours ? "us" : (LOOKS[i % LOOKS.length] ?? "other"));

function drawn({ values }: Line, own: string, x: (i: number) => number, y: (value: number) => number): string {
  const points = values.flatMap((value, i) => (positive(value) ? [[x(i), y(value)] as const] : []));
  const path = points.map(([px, py], i) => `${i === 0 ? "M" : "L"}${px.toFixed(1)} ${py.toFixed(1)}`).join("");
  const dots = points.map(([px, py]) => `<circle class="${own}" cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3"/>`).join("");
  return `<path class="${own}" d="${path}"/>${dots}`;
}

interface Label {
  readonly line: Line;
  readonly look: string;
  /** Where the line ends. */
  readonly from: number;
  at: number;
}

/** At the lines' ends, moved apart where they would lie on each other. */
function labels(shown: readonly Line[], y: (value: number) => number): Label[] {
  const all = shown.map((line, i) => {
    const from = y(line.values.filter(positive).at(-1) ?? 1);
    return { line, look: look(line, i), from, at: from };
  });
  const sorted = all.sort((a, b) => a.from - b.from);
  for (const [i, one] of sorted.entries()) one.at = Math.max(one.from, (sorted[i - 1]?.at ?? -Infinity) + 16);
  const over = (sorted.at(-1)?.at ?? 0) - (AREA.height - AREA.bottom);
  if (over > 0) for (const one of sorted) one.at -= over;
  return sorted;
}

function label({ label: words }: Line, at: number, from: number, own: string): string {
  const x = WIDTH - AREA.right;
  const lead = `<path class="${own}" style="stroke-width:1" d="M${x + 5} ${from.toFixed(1)}L${x + 14} ${at.toFixed(1)}"/>`;
  return `${lead}${text(x + 18, at + 4, words)}`;
}
