/** As much of YAML as compose.yaml needs: maps, lists of words, and words. @throws Error for anything else. */
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

const word = (text: string): string => text.replace(/^"(.*)"$/, "$1");

function block(lines: readonly Line[], indent: number): [Yaml, readonly Line[]] {
  if (lines[0]?.text.startsWith("- ") === true) {
    const end = lines.findIndex((line) => line.indent < indent || !line.text.startsWith("- "));
    const items = end < 0 ? lines : lines.slice(0, end);
    return [items.map((line) => word(line.text.slice(2))), lines.slice(items.length)];
  }
  const map: Record<string, Yaml> = {};
  let rest = lines;
  for (let line = rest[0]; line !== undefined && line.indent === indent; line = rest[0]) {
    const [, name, value = ""] = /^([\w.-]+):(?:\s+(.+))?$/.exec(line.text) ?? [];
    if (name === undefined || Object.hasOwn(map, name)) throw new Error(`expected NAME: and each once, not ${line.text}`);
    rest = rest.slice(1);
    const [next] = rest;
    if (value !== "" || next === undefined || next.indent <= indent) map[name] = word(value);
    else [map[name], rest] = block(rest, next.indent);
  }
  return [map, rest];
}
