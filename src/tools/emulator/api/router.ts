/**
 * Which method of the API a request means. Templates are Google's: a variable is one path segment, percent-decoded
 * after the match.
 */
import { METHODS, type Method } from "./discovery.ts";

export interface Match {
  readonly route: Method;
  readonly path: Readonly<Record<string, string>>;
}

interface Template {
  readonly route: Method;
  readonly pattern: RegExp;
}

const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

function template(route: Method): Template {
  const parts = `/${route.path}`.split(/\{(\w+)\}/);
  const pattern = parts.map((part, i) => (i % 2 === 1 ? `(?<${part}>[^/]+)` : escapePattern(part)));
  return { route, pattern: new RegExp(`^${pattern.join("")}$`) };
}

/** A template that ends in a variable also matches `…:append`, so it is tried last. */
const templates: readonly Template[] = [...METHODS.values()]
  .toSorted((a, b) => Number(a.path.endsWith("}")) - Number(b.path.endsWith("}")))
  .map(template);

/** Google reads `…/ID/` and `…/ID/:batchUpdate` as `…/ID` and `…/ID:batchUpdate`. */
const withoutEmptySegment = (path: string): string => path.replace(/\/(?=$|:)/, "");

/**
 * @param path the request's path as it came: still percent-encoded, without query.
 * @returns undefined when no method has this verb and path, or when a segment can't be decoded.
 */
export function matchRoute(verb: string, path: string): Match | undefined {
  const wanted = withoutEmptySegment(path);
  for (const { route, pattern } of templates) {
    const found = route.httpMethod === verb ? pattern.exec(wanted) : null;
    if (found !== null) return decoded(route, found.groups ?? {});
  }
  return undefined;
}

function decoded(route: Method, groups: Readonly<Record<string, string>>): Match | undefined {
  try {
    const values = Object.entries(groups).map(
      ([name, value]) => [name, decodeURIComponent(value)] as const,
    );
    return { route, path: Object.fromEntries(values) };
  } catch {
    return undefined; // URIError: malformed percent-encoding
  }
}
