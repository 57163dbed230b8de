/** The headers and parameters of a write, read strictly: what is malformed is said, never ignored. */
import type { IncomingHttpHeaders } from "node:http";
import type { WriteWait } from "../../sheets/writes.ts";
import { badParameter, problem, type Problem } from "../problem.ts";
import { quoted } from "../query/model.ts";
import { splitPairs } from "../query/parse.ts";

/** Which of a row's states may be changed: any, or those with one of these tags. */
export type Condition = { readonly is: "any" } | { readonly is: "tags"; readonly tags: readonly string[] };

/** Each tag of a list costs a question. */
const MOST_TAGS = 8;
/** RFC 9110 §8.8.3. */
const TAG = /[ \t]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,|$)/y;
/** A row's tag as GET gives it: with a suffix when the answer was compressed. It is the same row. Nothing else can be one. */
const OURS = /^([\w-]{20})(?:-br|-gz)?$/;
/** What no row has: so the broker says whether there is such a row at all before it says that it is another (RFC 9110 §13.2.1). */
const NONE = "";
/** Visible ASCII: the draft's string (draft-ietf-httpapi-idempotency-key-header) with its quotes, or without them as most clients send it. */
const ONCE = /^(?:"([\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x7e][\x21-\x7e]{0,254}))$/;

const badHeader = (name: string, detail: string): Problem => problem(400, "bad-header", `${name} ${detail}`, { parameter: name });

/** @returns If-Match (RFC 9110 §13.1.1): compared strongly, so that a weak tag matches nothing. */
export function readIfMatch(header: string | undefined): Condition | Problem {
  if (header === undefined || header.trim() === "*") return { is: "any" };
  const tags = new Set<string>();
  let at = 0;
  while (at < header.length) {
    TAG.lastIndex = at;
    const [all, weak, tag] = TAG.exec(header) ?? [];
    if (all === undefined || tag === undefined)
      return badHeader("If-Match", `is ${quoted(header)}: expected *, or tags in double quotes as ETag gives them, with commas between`);
    at += all.length;
    const ours = weak === undefined ? OURS.exec(tag)?.[1] : undefined;
    if (ours !== undefined) tags.add(ours);
  }
  if (at === 0) return badHeader("If-Match", "is empty: expected * or a tag in double quotes");
  if (tags.size > MOST_TAGS) return badHeader("If-Match", `lists ${tags.size} tags: at most ${MOST_TAGS} are compared`);
  return { is: "tags", tags: tags.size === 0 ? [NONE] : [...tags] };
}

/** @returns what a client calls this request, or undefined when it gives it no name. */
export function readOnce(header: string | string[] | undefined): string | undefined | Problem {
  if (header === undefined) return undefined;
  const [, quotedKey, key] = (typeof header === "string" ? ONCE.exec(header) : null) ?? [];
  return (
    quotedKey ?? key ?? badHeader("Idempotency-Key", "is malformed: expected 1 to 255 visible ASCII characters, such as a random UUID")
  );
}

/** Conditions that a write can't keep are refused: ignored, they would let through what the client wanted to be stopped. */
export function unkept(headers: IncomingHttpHeaders, takesIfMatch: boolean): Problem | undefined {
  if (headers["if-none-match"] !== undefined)
    return badHeader("If-None-Match", "is not for a write: a key that exists already is 409 anyway");
  if (!takesIfMatch && headers["if-match"] !== undefined)
    return badHeader("If-Match", "is for PATCH and DELETE of a row: a new row has no earlier state");
  return undefined;
}

/** A body that was compressed could be a thousand times as large as it looks: none is unpacked (RFC 9110 §12.5.3, §15.5.16). */
export function unreadable({ "content-encoding": coding }: IncomingHttpHeaders): Problem | undefined {
  if (coding === undefined || coding.trim().toLowerCase() === "identity") return undefined;
  return problem(415, "media-type", "a compressed body is not understood here: expected plain JSON", {
    headers: { "Accept-Encoding": "identity" },
  });
}

/** @param raw the part of the target behind the `?`. */
export function readWait(raw: string): WriteWait | Problem {
  const pairs = splitPairs(raw);
  const bad = pairs.ok
    ? [...pairs.value].find(([name, value]) => name !== "wait" || (value !== "sheet" && value !== "journal"))
    : undefined;
  if (!pairs.ok) return badParameter(pairs.bad);
  if (bad === undefined) return pairs.value.get("wait") === "sheet" ? "sheet" : "journal";
  const [name, value] = bad;
  if (name !== "wait") return badParameter({ parameter: name, detail: "is unknown: a write takes wait" });
  return badParameter({ parameter: name, detail: `is ${quoted(value)}: expected sheet, or journal, which is what happens without it` });
}
