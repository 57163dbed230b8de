/** Reads zip files and the XML of a workbook, strictly and independently of what writes them. */
import assert from "node:assert/strict";
import { crc32, inflateRawSync } from "node:zlib";

/** @returns the files by path, each checked against the directory: sizes, CRC, and that nothing lies between them. */
export function unzip(bytes: Buffer): ReadonlyMap<string, string> {
  const end = bytes.length - 22;
  assert.equal(bytes.readUInt32LE(end), 0x06054b50, "the end record is the last thing");
  const [count, size, begin] = [bytes.readUInt16LE(end + 10), bytes.readUInt32LE(end + 12), bytes.readUInt32LE(end + 16)];
  assert.equal(begin + size, end, "the directory ends where its end record begins");
  const files = new Map<string, string>();
  let at = begin;
  let expected = 0;
  for (let i = 0; i < count; i += 1) {
    assert.equal(bytes.readUInt32LE(at), 0x02014b50);
    const [flags, method] = [bytes.readUInt16LE(at + 8), bytes.readUInt16LE(at + 10)];
    const [crc, packed, full] = [16, 20, 24].map((offset) => bytes.readUInt32LE(at + offset)) as [number, number, number];
    const length = bytes.readUInt16LE(at + 28);
    const local = bytes.readUInt32LE(at + 42);
    const path = bytes.toString("latin1", at + 46, at + 46 + length);
    assert.equal(local, expected, `${path} begins where the one before ends`);
    assert.equal(bytes.readUInt32LE(local), 0x04034b50);
    assert.equal(bytes.toString("latin1", local + 30, local + 30 + length), path);
    const data = bytes.subarray(local + 30 + length, local + 30 + length + packed);
    const content = method === 0 ? data : inflateRawSync(data);
    assert.deepEqual([content.length, crc32(content)], [full, crc], `${path} is whole`);
    expected = local + 30 + length + packed;
    if ((flags & 8) !== 0) {
      assert.deepEqual(
        [0, 4, 8, 12].map((offset) => bytes.readUInt32LE(expected + offset)),
        [0x08074b50, crc, packed, full],
      );
      expected += 16;
    }
    files.set(path, content.toString());
    assert.ok(content.equals(Buffer.from(content.toString())), `${path} is UTF-8`);
    at += 46 + length;
  }
  assert.deepEqual([at, expected], [end, begin]);
  return files;
}

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  text: string;
}

const NAME = "[A-Za-z_:][\\w:.-]*";

/** A parser for XML 1.0 without DTD that throws at anything which is not well-formed. */
export function parseXml(text: string): XmlElement {
  const bad = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u.exec(text);
  assert.equal(bad, null, `a character that XML does not have: ${JSON.stringify(bad?.[0])}`);
  const body = text.replace(/^<\?xml version="1.0" encoding="UTF-8" standalone="yes"\?>\n/, "");
  const root: XmlElement = { name: "", attributes: {}, children: [], text: "" };
  const open = [root];
  const token = new RegExp(`<(/?)(${NAME})((?:\\s+${NAME}="[^"<]*")*)\\s*(/?)>|([^<]+)|(.)`, "gsu");
  for (const [, close, name = "", attributes = "", empty, chars, wrong] of body.matchAll(token)) {
    const top = open.at(-1) as XmlElement;
    assert.equal(wrong, undefined, `not XML: ${wrong}`);
    if (chars !== undefined) top.text += unescape(chars);
    else if (close === "/") assert.equal(open.pop()?.name, name);
    else {
      const pairs = [...attributes.matchAll(new RegExp(`(${NAME})="([^"]*)"`, "g"))].map(([, key = "", value = ""]) => [
        key,
        unescape(value),
      ]);
      assert.equal(new Set(pairs.map(([key]) => key)).size, pairs.length, "no attribute stands twice");
      const element = { name, attributes: Object.fromEntries(pairs) as Record<string, string>, children: [], text: "" };
      top.children.push(element);
      if (empty !== "/") open.push(element);
    }
  }
  assert.deepEqual([open.length, root.children.length, root.text], [1, 1, ""], "one element, closed");
  return root.children[0] as XmlElement;
}

function unescape(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replaceAll("\r", "\n")
    .replace(/&([^;]*);?/g, (_, entity: string) => {
      const char = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }[entity];
      assert.ok(char, `an entity that XML knows: ${entity}`);
      return char;
    });
}

export interface SheetCell {
  readonly value: string | number | boolean;
  readonly style: number;
}

/** Rows of cells by column letters, as a reader such as Excel would take them; any formula is an error. */
export function readSheet(bytes: Buffer): readonly ReadonlyMap<string, SheetCell>[] {
  const files = unzip(bytes);
  for (const xml of files.values()) parseXml(xml);
  const sheet = parseXml(files.get("xl/worksheets/sheet1.xml") ?? "");
  const data = sheet.children.find(({ name }) => name === "sheetData");
  return (data?.children ?? []).map((row, i) => {
    assert.deepEqual([row.name, row.attributes["r"]], ["row", String(i + 1)]);
    return new Map(row.children.map((cell) => [(cell.attributes["r"] ?? "").replace(/\d+$/, ""), readCell(cell)]));
  });
}

function readCell({ name, attributes, children }: XmlElement): SheetCell {
  assert.equal(name, "c");
  const [only] = children;
  assert.ok(only !== undefined && children.length === 1 && only.name !== "f", "a value and no formula");
  const style = Number(attributes["s"] ?? 0);
  if (attributes["t"] === "inlineStr") {
    const text = only.children[0]?.text ?? "";
    return { value: text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))), style };
  }
  if (attributes["t"] === "b") return { value: only.text === "1", style };
  assert.equal(attributes["t"], undefined);
  return { value: Number(only.text), style };
}

/** RFC 4180, strictly: every line ends with CRLF, and quotes stand only around a whole field. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  while (field.lastIndex < text.length) {
    const at = field.lastIndex;
    const match = field.exec(text);
    assert.ok(match !== null, `a field at ${at}: ${JSON.stringify(text.slice(at, at + 40))}`);
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] === ",") continue;
    rows.push(row);
    row = [];
  }
  assert.deepEqual(row, []);
  return rows;
}
