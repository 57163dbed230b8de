/** One look at the target before anybody is sent there: does it answer, and what can be asked of it? */
import { DroverError } from "../base/errors.ts";
import { answerOf } from "../tools/load/engine/client.ts";
import { look, target69, type Answer, type Asked, type Patience } from "./look.ts";
import type { Target } from "./target.ts";
import type { Endpoint } from "./traffic.ts";

export interface Found {
  readonly endpoints: readonly Endpoint[];
  /** The built-in service with the sample: whatever is written there is lost on nobody. */
  readonly demo: boolean;
  /** What a reader of the report should know. */
  readonly notes: readonly string[];
}

/** How the first look is made. */
export interface Approach extends Patience {
  /** Users sign in before they ask: that a stranger is sent away says nothing. */
  readonly signIn?: boolean;
}

/**
 * @param named endpoints of a profile: then only whether anything answers is asked, at the first of them that only reads.
 * @throws DroverError DROVER_E_TARGET for nobody there, or who fails; DROVER_E_USAGE for a target that sends elsewhere or refuses what is asked.
 */
export async function discover(target: Target, named: readonly Endpoint[], { signIn = false, ...patience }: Approach): Promise<Found> {
  const first: Asked = named.find(({ method, class: kind }) => method === "GET" && kind !== "write") ?? { path: target.path };
  const answer = await look(target, first, patience);
  const place = new URL(target.url).origin + first.path; // no relative URL: "//host" would be another's
  const turned = signIn ? turnedAway(answer) : undefined;
  const notes = turned === undefined ? [] : [`${place} ${turned}: so a stranger is answered; users sign in first`];
  const demo = answer.headers["x-drover-demo"] === "1";
  if (turned === undefined && isElsewhere(answer)) throw new DroverError("DROVER_E_USAGE", `${place} ${sends(answer)}: load that`);
  if (named.length > 0) return { endpoints: named, demo, notes };
  if (target.path === "/") {
    const tables = await tablesOf(target, patience);
    if (tables !== undefined) return { endpoints: endpointsOf(tables, demo), demo, notes };
  }
  if (turned === undefined) good(answer, place);
  const path = target.path;
  return { endpoints: [{ name: path.replace(/\?.*/, ""), class: "read", weight: 1, method: "GET", path }], demo, notes };
}

const isElsewhere = ({ status }: Answer): boolean => status >= 300 && status < 400 && status !== 304;
const sends = ({ status, headers }: Answer): string => `answers ${status} and sends to ${visible(headers.location ?? "nowhere")}`;

/** How a stranger is told to sign in; undefined: he is not. */
function turnedAway(answer: Answer): string | undefined {
  if (isElsewhere(answer)) return sends(answer);
  return answer.status === 401 || answer.status === 403 ? `answers ${answer.status}` : undefined;
}

/** Who fails may answer in a minute: that is no mistake of the command line. */
function good({ status, headers }: Answer, place: string): void {
  const { outcome, reason } = answerOf(status, headers);
  if (outcome === "ok" || outcome === "refused") return;
  if (status >= 500 || status === 429 || status < 200) throw target69(`${place} answers ${reason}: it can't be loaded like that`);
  throw new DroverError(
    "DROVER_E_USAGE",
    `${place} answers ${reason}: expected a path that answers 200, or a profile with endpoints and a login`,
  );
}

/** Nobody sees it: it is no longer than that. */
const LONGEST = 10_000;

/** Each endpoint that only reads once, whatever it answers, and all of them within one patience and 10 s: caches are filled before anybody counts. */
export async function prime(target: Target, endpoints: readonly Endpoint[], { timeoutMs, signal }: Patience): Promise<void> {
  const reads = endpoints.filter(({ method }) => method === "GET");
  const asked = new Map(reads.map(({ path, headers = {} }) => [JSON.stringify([path, headers]), { path, headers }]));
  const over = AbortSignal.any([AbortSignal.timeout(Math.min(timeoutMs, LONGEST)), ...(signal === undefined ? [] : [signal])]);
  for (const one of asked.values()) {
    if (over.aborted) return;
    await look(target, one, { timeoutMs, signal: over }).catch(() => {}); // the run itself will show what is wrong with it
  }
}

/** What a stranger sent, in a message of ours. */
const visible = (text: string): string => text.slice(0, 200).replaceAll(/[^ -~]/g, "?");

type Fields = Readonly<Record<string, unknown>>;
const fields = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});

interface TableRoutes {
  readonly name: string;
  readonly append: Fields | undefined;
  readonly exports: boolean;
}

/** The tables of drover's built-in service, from its own description; undefined: it is something else. */
async function tablesOf(target: Target, patience: Patience): Promise<readonly TableRoutes[] | undefined> {
  let description: Fields;
  try {
    const { status, body } = await look(target, { path: "/api/openapi.json" }, patience);
    if (status !== 200) return undefined;
    description = fields(JSON.parse(body));
  } catch {
    return undefined; // it is no drover: what was asked for is loaded
  }
  const paths = fields(description["paths"]);
  const schemas = fields(fields(description["components"])["schemas"]);
  const tables = Object.entries(paths).flatMap(([path, operations]) => {
    const [, name] = /^\/api\/tables\/([A-Za-z0-9_-]{1,100})$/.exec(path) ?? [];
    if (name === undefined || !("get" in fields(operations))) return [];
    const append = "post" in fields(operations) ? fields(schemas[`input.${name}`]) : undefined;
    return [{ name, append, exports: `${path}/export` in paths }];
  });
  return tables.length === 0 ? undefined : tables.slice(0, MOST_TABLES);
}

/** More than anybody reads in a report. */
const MOST_TABLES = 15;

/** Rows are only written to a sample: into a spreadsheet of somebody's they go where a profile names the endpoint. */
function endpointsOf(tables: readonly TableRoutes[], demo: boolean): Endpoint[] {
  return tables.flatMap(({ name, append, exports }): Endpoint[] => {
    const path = `/api/tables/${name}`;
    const body = append === undefined || !demo ? undefined : rowFor(append);
    const whole = exports ? `${path}/export?format=csv` : `${path}?limit=1000`;
    return [
      { name: `read ${name}`, class: "read", weight: 1, method: "GET", path },
      { name: `export ${name}`, class: "export", weight: 1, method: "GET", path: whole },
      ...(body === undefined ? [] : [{ name: `write ${name}`, class: "write" as const, weight: 1, method: "POST", path, body }]),
    ];
  });
}

/** A row that the table takes, with no key of its own: the table makes one. */
function rowFor(schema: Fields): string | undefined {
  const cells = Object.entries(fields(schema["properties"]))
    .filter(([name]) => name !== schema["x-key"])
    .map(([name, column]) => {
      const type = [fields(column)["type"]].flat();
      return [name, type.includes("string") ? "load {n}" : type.some((one) => one === "number" || one === "integer") ? 1 : null] as const;
    });
  return cells.length === 0 ? undefined : JSON.stringify(Object.fromEntries(cells));
}
