/**
 * Descriptions of elements, and the patching of what is there into what is described. Text becomes text nodes and nothing else, so a cell
 * of the sheet is never markup; elements stay the same ones from one patch to the next, so focus, scrolling and selections survive.
 */

/**
 * @param props attributes; `on` holds listeners by event, `style` custom properties (set by script: a strict policy forbids the attribute),
 *   `key` tells siblings apart.
 * @param children descriptions, texts, numbers; null and false are nothing; lists are taken apart.
 */
export function h(tag, props, ...children) {
  const { key, on, style, ...attributes } = props ?? {};
  return { tag, key, on: on ?? {}, style: style ?? {}, attributes, children: children.flat(Infinity).filter(isSomething).map(asNode) };
}

const isSomething = (child) => child !== null && child !== undefined && child !== false;
const asNode = (child) => (typeof child === "object" ? child : { text: String(child) });

/** Makes the children of `parent` those that are described. */
export function patch(parent, descriptions) {
  const nodes = descriptions.flat(Infinity).filter(isSomething).map(asNode);
  const old = [...parent.childNodes];
  const keyed = new Map(old.flatMap((node) => (node.is?.key === undefined ? [] : [[node.is.key, node]])));
  const loose = old.filter((node) => node.is?.key === undefined);
  let place = parent.firstChild;
  for (const node of nodes) {
    const found = node.key === undefined ? take(loose, node) : keyed.get(node.key);
    const element = found !== undefined && fits(found, node) ? update(found, node) : update(make(node), node);
    if (node.key !== undefined) keyed.delete(node.key);
    if (element === place) place = place.nextSibling;
    else parent.insertBefore(element, place);
  }
  while (place !== null) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

const fits = (element, { tag, text }) => (text === undefined ? element.is?.tag === tag : element.nodeType === 3);

/** The first element without a key that will do; those before it are gone. */
function take(loose, node) {
  const at = loose.findIndex((element) => fits(element, node));
  return at < 0 ? undefined : loose.splice(0, at + 1).at(-1);
}

const make = ({ tag, text }) => (text === undefined ? document.createElement(tag) : document.createTextNode(text));

function update(element, node) {
  if (node.text !== undefined) {
    if (element.data !== node.text) element.data = node.text;
    return element;
  }
  const before = element.is ?? { attributes: {}, on: {}, style: {} };
  element.is = node;
  for (const name of Object.keys(before.attributes)) if (!(name in node.attributes)) element.removeAttribute(name);
  for (const [name, value] of Object.entries(node.attributes)) if (before.attributes[name] !== value) attribute(element, name, value);
  for (const [name, value] of Object.entries(node.style)) if (before.style[name] !== value) element.style.setProperty(name, value);
  for (const name of Object.keys(node.on))
    if (!(name in before.on)) element.addEventListener(name, (event) => element.is.on[name]?.(event));
  patch(element, node.children);
  return element;
}

/** What a person has typed stays: a value is set when the description's own changes. */
function attribute(element, name, value) {
  if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
  if (name === "value" && "value" in element) element.value = value ?? "";
  if (name === "checked" || name === "selected") element[name] = Boolean(value);
}
