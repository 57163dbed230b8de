/**
 * The items of a repeated field as Google's JSON parser reads it: nested lists are one list, null
 * is no item. It does not recurse: a client can nest deeper than the stack.
 */
export function flattened(list: readonly unknown[]): readonly unknown[] {
  const items: unknown[] = [];
  const open = [list.values()];
  for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
    const next = inner.next();
    if (next.done === true) open.pop();
    else if (Array.isArray(next.value)) open.push(next.value.values());
    else if (next.value !== null) items.push(next.value);
  }
  return items;
}
