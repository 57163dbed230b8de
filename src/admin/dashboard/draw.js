/** Lines and the gauge, as inline SVG: made once, then only their attributes change. */
const SVG = "http://www.w3.org/2000/svg";

const make = (name, attributes = {}) => {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
};

const WIDTH = 120;
const HEIGHT = 30;

/** Draws values (null: not known) into `host`; `label` is what a screen reader hears in their place. */
export function spark(host, values, label, most) {
  let svg = host.querySelector("svg");
  if (svg === null) {
    svg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
    svg.append(make("title"), make("path", { class: "area" }), make("path", { class: "line" }));
    host.prepend(svg);
  }
  const [title, area, line] = svg.children;
  if (title.textContent !== label) title.textContent = label;
  const known = values.filter((value) => value !== null);
  const top = Math.max(most ?? 0, ...known, Number.EPSILON);
  const step = values.length > 1 ? WIDTH / (values.length - 1) : WIDTH;
  const x = (i) => (i * step).toFixed(1);
  const y = (value) => (HEIGHT - 1.5 - (value / top) * (HEIGHT - 3)).toFixed(1);
  const runs = knownRuns(values);
  const drawn = runs.map(({ from, run }) => `M${run.map((value, i) => `${x(from + i)} ${y(value)}`).join("L")}`);
  line.setAttribute("d", drawn.join(""));
  area.setAttribute(
    "d",
    runs.map(({ from, run }, i) => `${drawn[i]}L${x(from + run.length - 1)} ${HEIGHT}L${x(from)} ${HEIGHT}Z`).join(""),
  );
}

/** The stretches of values that are known: the line has a gap where one is not. */
export function knownRuns(values) {
  const runs = [];
  values.forEach((value, i) => {
    if (value === null) return;
    if (i === 0 || values[i - 1] === null) runs.push({ from: i, run: [] });
    runs.at(-1).run.push(value);
  });
  return runs;
}

const SCALE = 1_000;

/** The bar of places taken, with marks at 80, 95 and 100 %. More than all is drawn too. */
export function gauge(host, used, max, level) {
  let svg = host.querySelector("svg");
  if (svg === null) {
    svg = make("svg", { viewBox: `0 0 ${SCALE} 22`, preserveAspectRatio: "none", "aria-hidden": "true" });
    svg.append(
      make("rect", { class: "g-track", width: SCALE, height: 14, y: 4, rx: 4 }),
      make("rect", { class: "g-fill", height: 14, y: 4, rx: 4 }),
    );
    for (let i = 0; i < 3; i += 1) svg.append(make("line", { class: "g-mark", y1: 0, y2: 22 }));
    host.append(svg);
  }
  const whole = Math.max(max, used, 1);
  const at = (value) => String(Math.round((value / whole) * SCALE));
  svg.children[1].setAttribute("width", at(used));
  svg.children[1].setAttribute("class", `g-fill ${level}`);
  [0.8, 0.95, 1].forEach((share, i) => {
    const x = String(Math.min(SCALE - 1, Number(at(max * share))));
    svg.children[i + 2].setAttribute("x1", x);
    svg.children[i + 2].setAttribute("x2", x);
  });
}
