/** As much of YAML as the emitted files need: maps, lists, and words. @throws Error for anything else. */
export type Yaml = string | Yaml[] | { [name: string]: Yaml };

interface Line {
  readonly indent: number;
  readonly text: string;
}

export function parseYaml(source: string): Yaml {
  const lines = source
    .split("\n")
    .map((line) => line.replace(/(^|\s)#.*$/, "").trimEnd())
    .filter((line) => line.trim() !== "")
    .map((line) => ({ indent: line.length - line.trimStart().length, text: line.trim() }));
  const [value, rest] = block(lines, 0);
  if (rest.length > 0) throw new Error(`unexpected: ${rest[0]?.text}`);
  return value;
}

/** `Fn::Sub` and `app.kubernetes.io/name` are names, too. */
const KEY = /^([\w./-]+(?:::\w+)?):(?:\s+(.+))?$/;

const word = (text: string): string => text.replace(/^"(.*)"$/, "$1");

function block(lines: readonly Line[], indent: number): [Yaml, readonly Line[]] {
  if (lines[0]?.text.startsWith("- ") === true) return list(lines, indent);
  const map: Record<string, Yaml> = {};
  let rest = lines;
  for (let line = rest[0]; line !== undefined && line.indent === indent; line = rest[0]) {
    const [, name, value = ""] = KEY.exec(line.text) ?? [];
    if (name === undefined || Object.hasOwn(map, name)) throw new Error(`expected NAME: and each once, not ${line.text}`);
    rest = rest.slice(1);
    const [next] = rest;
    if (value !== "" || next === undefined || next.indent <= indent) map[name] = word(value);
    else [map[name], rest] = block(rest, next.indent);
  }
  return [map, rest];
}

/** An item is a word, or a map whose first line stands behind the dash. */
function list(lines: readonly Line[], indent: number): [Yaml, readonly Line[]] {
  const items: Yaml[] = [];
  let rest = lines;
  for (let line = rest[0]; line !== undefined && line.indent === indent && line.text.startsWith("- "); line = rest[0]) {
    const first = { indent: indent + 2, text: line.text.slice(2) };
    const [item, after] = KEY.test(first.text)
      ? block([first, ...rest.slice(1)], first.indent)
      : ([word(first.text), rest.slice(1)] as const);
    items.push(item);
    rest = after;
  }
  return [items, rest];
}
