/** One look at the target before anybody is sent there: does it answer, and what can be asked of it? */
import type { IncomingHttpHeaders } from "node:http";
import { http, https } from "../base/http.ts";
import { DroverError, errnoOf, messageOf } from "../base/errors.ts";
import { fateOf } from "./client.ts";
import { serverName, type Target } from "./target.ts";
import type { Endpoint } from "./traffic.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Found {
  readonly endpoints: readonly Endpoint[];
  /** The built-in service with the sample: whatever is written there is lost on nobody. */
  readonly demo: boolean;
  /** What a reader of the report should know. */
  readonly notes: readonly string[];
}

const LARGEST = 16 * 1_048_576;
const target69 = (message: string, cause?: unknown): DroverError => new DroverError("DROVER_E_TARGET", message, { cause });

/** A certificate that this machine does not know is usual on loopback; OpenSSL's own words for a plain port help nobody. */
const reasonOf = (error: Error): string =>
  errnoOf(error) === "EPROTO"
    ? "it speaks no TLS there: http:// perhaps?"
    : /CERT|SIGNED|UNABLE_TO_(?:GET|VERIFY)/.test(errnoOf(error) ?? "")
      ? `its certificate is not trusted here (${errnoOf(error)}): NODE_EXTRA_CA_CERTS=FILE names who signed it`
      : messageOf(error);

interface Patience {
  /** Of one look. */
  readonly timeoutMs: number;
  /** Cuts it. */
  readonly signal?: AbortSignal;
}

/** @throws DroverError DROVER_E_TARGET when nothing answers within the time. */
function fetch(target: Target, path: string, { timeoutMs, signal }: Patience): Promise<Answer> {
  const client = target.protocol === "https:" ? https() : http;
  return new Promise((resolve, reject) => {
    const options = { host: target.address, port: target.port, path, ...serverName(target), agent: false };
    const headers = { host: target.host, "user-agent": "drover-load" };
    const req = client.request({ ...options, headers, ...(signal === undefined ? {} : { signal }) }, (res) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      res.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= LARGEST) chunks.push(chunk);
      });
      res.on("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks).toString() }));
      res.on("error", (error) => reject(target69(`${target.url}: its answer broke off: ${messageOf(error)}`, error)));
    });
    const patience = setTimeout(
      () => req.destroy(new Error(`no whole answer within ${timeoutMs / 1_000} s (a stream that never ends can't be measured)`)),
      timeoutMs,
    );
    req.on("close", () => clearTimeout(patience));
    req.on("error", (error) => reject(target69(`${target.url} can't be loaded: ${reasonOf(error)}`, error)));
    req.end();
  });
}

/**
 * @param named endpoints of a profile: then only whether anything answers is asked, at the first of them that only reads.
 * @throws DroverError DROVER_E_TARGET for nobody there, DROVER_E_USAGE for a target that sends elsewhere or answers with an error.
 */
export async function discover(target: Target, named: readonly Endpoint[], patience: Patience): Promise<Found> {
  const first = named.find(({ method }) => method === "GET")?.path ?? target.path;
  const answer = await fetch(target, first.replaceAll("{n}", "0"), patience);
  const demo = answer.headers["x-drover-demo"] === "1";
  const place = new URL(first, target.url).href;
  if (answer.status >= 300 && answer.status < 400 && answer.status !== 304)
    throw new DroverError(
      "DROVER_E_USAGE",
      `${place} answers ${answer.status} and sends to ${visible(answer.headers.location ?? "nowhere")}: load that`,
    );
  if (named.length > 0) return { endpoints: named, demo, notes: [] };
  if (target.path === "/") {
    const tables = await tablesOf(target, patience);
    if (tables !== undefined) return { endpoints: endpointsOf(tables, demo), demo, notes: [] };
  }
  const { fate, why } = fateOf(answer.status, answer.headers);
  if (fate !== "ok" && fate !== "refused")
    throw new DroverError(
      "DROVER_E_USAGE",
      `${place} answers ${why}: expected a path that answers 200, or a profile with endpoints and a login`,
    );
  const path = target.path;
  return { endpoints: [{ name: path.replace(/\?.*/, ""), class: "read", weight: 1, method: "GET", path }], demo, notes: [] };
}

/** Each endpoint that only reads once, whatever it answers: caches are filled before anybody counts. */
export async function prime(target: Target, endpoints: readonly Endpoint[], patience: Patience): Promise<void> {
  const paths = new Set(endpoints.filter(({ method }) => method === "GET").map(({ path }) => path.replaceAll("{n}", "0")));
  for (const path of paths) await fetch(target, path, patience).catch(() => {}); // the run itself will show what is wrong with it
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
    const { status, body } = await fetch(target, "/api/openapi.json", patience);
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
