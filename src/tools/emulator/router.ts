/** Which method of the API a request means. Templates are Google's: a variable is one path segment, percent-decoded after the match. */
import { routes } from "./api/newer.ts";
import type { Route } from "./api/generated.ts";

export interface Match {
  readonly route: Route;
  readonly path: Readonly<Record<string, string>>;
}

interface Compiled {
  readonly route: Route;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  /** Ends in a custom verb (`:append`) or a literal: tried before templates that end in a variable and would swallow it. */
  readonly specific: boolean;
}

const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

function compile(route: Route): Compiled {
  const names: string[] = [];
  const pattern = route.path
    .split(/(\{\+?\w+\})/)
    .map((part) => {
      const variable = /^\{(\+?)(\w+)\}$/.exec(part);
      if (variable === null) return escapePattern(part);
      names.push(variable[2] ?? "");
      return variable[1] === "+" ? "(.+)" : "([^/]+)";
    })
    .join("");
  return { route, pattern: new RegExp(`^${pattern}$`), names, specific: !route.path.endsWith("}") };
}

const compiled: readonly Compiled[] = routes
  .map(compile)
  .sort((a, b) => Number(b.specific) - Number(a.specific));

/** A segment that can't be decoded matches nothing: Google's front end refuses it as it refuses an unknown path. */
function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined; // URIError: malformed percent-encoding
  }
}

/** `…/ID/` and `…/ID/:batchUpdate` mean `…/ID` and `…/ID:batchUpdate` at Google: google-spreadsheet sends nothing else. */
const withoutEmptySegment = (path: string): string => path.replace(/\/(?=$|:)/, "");

/**
 * @param path the request's path as it came: still percent-encoded, without query.
 * @returns undefined when no method has this verb and path.
 */
export function matchRoute(verb: string, path: string): Match | undefined {
  const wanted = withoutEmptySegment(path);
  for (const { route, pattern, names } of compiled) {
    const found = route.verb === verb ? pattern.exec(wanted) : null;
    if (found === null) continue;
    const values = names.map((name, i) => [name, decoded(found[i + 1] ?? "")] as const);
    return values.every(([, value]) => value !== undefined)
      ? { route, path: Object.fromEntries(values) as Record<string, string> }
      : undefined;
  }
  return undefined;
}

/** Methods that only look: they take from the read quota and need no more than a read-only scope. Others change something. */
const READS: ReadonlySet<string> = new Set([
  "sheets.spreadsheets.get",
  "sheets.spreadsheets.getByDataFilter",
  "sheets.spreadsheets.values.get",
  "sheets.spreadsheets.values.batchGet",
  "sheets.spreadsheets.values.batchGetByDataFilter",
  "sheets.spreadsheets.developerMetadata.get",
  "sheets.spreadsheets.developerMetadata.search",
]);

export const isRead = (method: string): boolean => READS.has(method);

/** Where a method's body stands in Google's request message: it shows in error messages (`data.values`). */
const BODY_FIELDS: Readonly<Record<string, string>> = {
  "sheets.spreadsheets.create": "spreadsheet",
  "sheets.spreadsheets.values.update": "data",
  "sheets.spreadsheets.values.append": "data",
};

export const bodyField = (method: string): string => BODY_FIELDS[method] ?? "";
