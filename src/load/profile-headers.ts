/** The headers that a profile gives an endpoint: any but those on which a connection or a message's end depend. */
import type { At } from "./profile-fields.ts";

/** A token (RFC 9110, 5.6.2). */
const HEADER = /^(?!__proto__$)[!#$%&'*+.^_`|~0-9a-z-]{1,100}$/i;
const VALUE = /^[\x20-\x7e]{0,4000}$/;
/** Of the connection and of where a message ends (RFC 9110, 7.6.1; RFC 9112, 6): whoever sends it sets these, or it begins a second request. */
const OWN = "connection content-length expect keep-alive proxy-connection te trailer transfer-encoding upgrade".split(" ");

export function headersOf(at: At, place: string, value: unknown): Record<string, string> {
  const entries = Object.entries(at.fields(place, value));
  for (const [name, text] of entries) {
    if (!HEADER.test(name)) at.fail(place, name, "a header's name");
    if (OWN.includes(name.toLowerCase()))
      at.fail(place, name, "no header of the connection or of the body's length: drover load sets those");
    if (typeof text !== "string" || !VALUE.test(text)) at.fail(`${place}.${name}`, typeof text, "a text of printable ASCII"); // it may be a secret
  }
  return Object.fromEntries(entries) as Record<string, string>;
}
