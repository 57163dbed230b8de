/**
 * Whether one of `tags` stands in an If-None-Match value (RFC 9110 §13.1.2): `*`, or a list of tags, compared weakly.
 * @param tags with their quotes, without W/.
 * @returns the tag that the client has, or undefined.
 */
export function matched(header: string, tags: readonly string[]): string | undefined {
  for (const tag of tags) if (header === tag) return tag; // one strong tag: what nearly every client sends
  if (header.trim() === "*") return tags[0];
  for (const [, tag] of header.matchAll(/(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g)) {
    if (tag !== undefined && tags.includes(tag)) return tag;
  }
  return undefined;
}
