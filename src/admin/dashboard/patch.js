/** Changes the page where it has changed, and nowhere else: nothing flickers, and the focus and the selection stay. */

export const $ = (id) => document.getElementById(id);

export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

export function attribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export const show = (node, visible) => {
  if (node.hidden === visible) node.hidden = !visible;
};

/**
 * One child of `parent` for each item, in the items' order. A child that is there is kept and moved only if it must be: moving would take
 * the focus away from what is in it.
 */
export function list(parent, items, { key, make, fill }) {
  const known = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  let before = null;
  for (const item of items) {
    const name = String(key(item));
    let node = known.get(name);
    if (node === undefined) {
      node = make(item);
      node.dataset.key = name;
    }
    known.delete(name);
    const place = before === null ? parent.firstElementChild : before.nextElementSibling;
    if (place !== node) parent.insertBefore(node, place);
    fill(node, item);
    before = node;
  }
  for (const node of known.values()) node.remove();
}

/** An element with classes, a text and children. */
export function element(name, { className = "", content, children = [] } = {}) {
  const node = document.createElement(name);
  if (className !== "") node.className = className;
  if (content !== undefined) node.textContent = content;
  node.append(...children);
  return node;
}
