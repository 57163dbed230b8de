/**
 * A traffic profile: JSON as launch plans have it (`users`, `actions`, `distribution`), and what drover adds to it: `endpoints`, `login`,
 * `stages`, `think`, `thresholds`, `frequency.per`. What is not known is left alone and said.
 */
import { DroverError, messageOf } from "../base/errors.ts";
import { At, perHourOf, secondsOf, sharesOf, sum, type Fields, type Shares } from "./profile-fields.ts";
import { headersOf } from "./profile-headers.ts";
import { isKnown, unusedOf } from "./profile-unused.ts";
import { usersOf, type ProfileUsers } from "./profile-users.ts";
import { plainText } from "../base/plain-text.ts";
import { parseThreshold } from "../tools/load/thresholds.ts";
import { CLASSES, type Class, type Endpoint, type Login, type Mix } from "./traffic.ts";

/** One kind of work of a user. */
export interface ProfileAction {
  readonly name: string;
  readonly seconds: number;
  readonly requests: number;
  readonly perHour: number;
}

/** How "an hour" is meant: of the whole system, of each user, or only as the mix of what each user does without a break. */
export const READINGS = ["session", "user", "system"] as const;
/** persona: of each kind of user its own. */
export type Reading = (typeof READINGS)[number] | "persona";

export interface Profile extends ProfileUsers {
  readonly file: string;
  readonly actions: readonly ProfileAction[];
  readonly reading: Reading;
  readonly mix?: Mix;
  /** What the shares came to before they were made to add up. */
  readonly mixSum?: number;
  readonly endpoints: readonly Endpoint[];
  readonly login?: Login;
  /** In the notation of `--stages`. */
  readonly stages?: string;
  /** In the notation of `--think`. */
  readonly think?: string;
  readonly thresholds: readonly string[];
  /** Fields that mean nothing here, by their places. */
  readonly unused: readonly string[];
}

const MOST = 50;

/** @param file its name, for errors. @throws DroverError DROVER_E_USAGE naming the place, what stands there and what was expected. */
export function readProfile(text: string, file: string): Profile {
  const plain = plainText(text, file);
  let json: unknown;
  try {
    json = JSON.parse(plain);
  } catch (error) {
    throw new DroverError("DROVER_E_USAGE", `${file} is no JSON: ${messageOf(error)}`, { cause: error });
  }
  const at = new At(file);
  const fields = at.fields("the profile", json);
  if (!Object.keys(fields).some(isKnown)) nothingKnown(file, Object.keys(fields));
  const users = usersOf(at, fields["users"]);
  const shares =
    fields["distribution"] === undefined ? undefined : sharesOf(at, "distribution", fields["distribution"], (name) => classOf(name));
  return {
    file,
    ...users,
    actions: actionsOf(at, fields["actions"]),
    reading: readingOf(at, fields["frequency"], users),
    ...(shares === undefined ? {} : { mix: mixOf(shares), mixSum: sum(shares) }),
    endpoints: endpointsOf(at, fields["endpoints"]),
    ...(fields["login"] === undefined ? {} : { login: loginOf(at, fields["login"]) }),
    ...(fields["stages"] === undefined ? {} : { stages: at.text("stages", fields["stages"]) }),
    ...(fields["think"] === undefined ? {} : { think: at.text("think", fields["think"]) }),
    thresholds: list(at, "thresholds", fields["thresholds"]).map((one, i) => thresholdOf(at, `thresholds[${i}]`, one)),
    unused: unusedOf(fields),
  };
}

function nothingKnown(file: string, names: readonly string[]): never {
  const found = names.length === 0 ? "is empty" : `has only ${names.slice(0, 5).join(", ").slice(0, 80)}`;
  throw new DroverError(
    "DROVER_E_USAGE",
    `${file}: the profile ${found}: expected an object with users, actions or endpoints: docs/load.md has an example`,
  );
}

/** Read here to name the place; what it demands is read from the text again, as a flag's is. */
function thresholdOf(at: At, place: string, value: unknown): string {
  const text = at.text(place, value);
  try {
    parseThreshold(text);
    return text;
  } catch (error) {
    throw new DroverError("DROVER_E_USAGE", `${at.file}: ${place}: ${messageOf(error)}`, { cause: error });
  }
}

function list(at: At, place: string, value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) && value.length <= MOST ? (value as unknown[]) : at.fail(place, value, `a list of at most ${MOST}`);
}

function actionsOf(at: At, value: unknown): ProfileAction[] {
  if (value === undefined) return [];
  const entries = Object.entries(at.fields("actions", value));
  if (entries.length === 0 || entries.length > MOST) at.fail("actions", `${entries.length} of them`, `1 to ${MOST}`);
  const actions = entries.map(([name, inner]) => {
    const fields = at.fields(`actions.${name}`, inner);
    const requests = at.number(`actions.${name}.requests`, fields["requests"], 1, 10_000);
    return {
      name,
      seconds: secondsOf(at, `actions.${name}.duration`, fields["duration"]),
      requests: Number.isInteger(requests) ? requests : at.fail(`actions.${name}.requests`, requests, "a whole number"),
      perHour: perHourOf(at, `actions.${name}.frequency`, fields["frequency"]),
    };
  });
  if (actions.every(({ perHour }) => perHour === 0)) at.fail("actions", "frequencies of 0", "at least one that is done");
  return actions;
}

function readingOf(at: At, value: unknown, { personas }: ProfileUsers): Reading {
  if (personas !== undefined) return value === undefined ? "persona" : at.fail("frequency", value, "none: users.personas have their own");
  if (value === undefined) return "session";
  const { per } = at.fields("frequency", value);
  return READINGS.find((one) => one === per) ?? at.fail("frequency.per", per, `one of ${READINGS.join(", ")}`);
}

/** Beginnings of words, in the languages that profiles come in. Short ones are whole words: an address is not added. */
const NAMES: readonly (readonly [Class, RegExp])[] = [
  ["export", /^(?:export|download|t[ée]l[ée]charg)/i],
  ["write", /^(?:writ|creat|add(?:s|ed|ing)?$|edit|updat|delet|post(?:s|ed|ing)?$|[ée]cri|cr[ée]|modif|ajout|suppr)/i],
  ["read", /^(?:read|view|get|list|search|consult|lect|lire$|lit$|visu|voir$)/i],
];
const WORDS = /\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+/gu;

/** The class that a name means: that of its first word that has one, such as `view` in `view_address` and `viewAddress`. */
export function classOf(name: string): Class | undefined {
  const words = name.normalize("NFC").match(WORDS) ?? [];
  return words.map((word) => NAMES.find(([, pattern]) => pattern.test(word))?.[0]).find((kind) => kind !== undefined);
}

const mixOf = (shares: Shares): Mix => ({
  read: shares.get("read") ?? 0,
  write: shares.get("write") ?? 0,
  export: shares.get("export") ?? 0,
});

/** `{"read": ["GET /path", …]}` or with method, path, headers, body, weight, name for each. */
function endpointsOf(at: At, value: unknown): Endpoint[] {
  if (value === undefined) return [];
  const groups = Object.entries(at.fields("endpoints", value));
  const endpoints = groups.flatMap(([name, several]) => {
    const kind = classOf(name) ?? at.fail("endpoints", name, CLASSES.join(", "));
    return list(at, `endpoints.${name}`, several).map((one, i) => endpointOf(at, `endpoints.${name}[${i}]`, kind, one));
  });
  if (endpoints.length === 0 || endpoints.length > MOST) at.fail("endpoints", `${endpoints.length} of them`, `1 to ${MOST}`);
  return endpoints;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/** Nothing that would begin a second request, or that Node.js refuses to send. */
const PATH = /^\/[\x21-\x7e]{0,2000}$/;

function endpointOf(at: At, place: string, kind: Class, value: unknown): Endpoint {
  const short = typeof value === "string" ? /^(?:([A-Z]+)\s+)?(\/\S*)$/.exec(value.trim()) : undefined;
  if (short === null) at.fail(place, value, '"GET /path", or an object with path');
  const fields: Fields = short === undefined ? at.fields(place, value) : { method: short[1], path: short[2] };
  const method = fields["method"] === undefined ? "GET" : at.text(`${place}.method`, fields["method"]).toUpperCase();
  if (!METHODS.includes(method)) at.fail(`${place}.method`, method, `one of ${METHODS.join(", ")}`);
  const path = at.text(`${place}.path`, fields["path"]);
  if (!PATH.test(path)) at.fail(`${place}.path`, path, "a path that begins with / and has no blanks");
  const { body, headers } = fields;
  return {
    name:
      fields["name"] === undefined
        ? `${method === "GET" ? "" : `${method} `}${path.replace(/\?.*/, "")}`
        : at.text(`${place}.name`, fields["name"], 100),
    class: kind,
    weight: fields["weight"] === undefined ? 1 : at.number(`${place}.weight`, fields["weight"], 0, 1e6),
    method,
    path,
    ...(headers === undefined ? {} : { headers: headersOf(at, `${place}.headers`, headers) }),
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  };
}

/** What drover's own login takes. */
export const LOGIN: Login = { path: "/api/login", body: '{"name":"{user}","secret":"{code}"}' };

function loginOf(at: At, value: unknown): Login {
  const fields = at.fields("login", value);
  const path = fields["path"] === undefined ? LOGIN.path : at.text("login.path", fields["path"]);
  if (!PATH.test(path)) at.fail("login.path", path, "a path that begins with / and has no blanks");
  const { body = LOGIN.body } = fields;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  if (!text.includes("{user}")) at.fail("login.body", body, 'what is sent, with "{user}" and "{code}" where they belong');
  return { path, body: text };
}
