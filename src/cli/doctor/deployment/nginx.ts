/** An nginx configuration: what reaches drover through it, and the mistakes that are made there. */
import type { Finding, Read } from "./finding.ts";
import { found, mapped, together } from "./mapping.ts";

/** One directive, with what stands in its braces. */
interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  readonly line: number;
  readonly block: readonly Directive[] | undefined;
}

export interface NginxFacts extends Read {
  /** It passes requests on to somebody. */
  readonly proxies: boolean;
  /** host:port that it passes them on to, as far as that is said in this file. */
  readonly upstreams: readonly string[];
}

const DEEPEST = 20;

/** @throws Error for braces that don't match. */
function parse(text: string): readonly Directive[] {
  const tokens = Array.from(
    text.matchAll(/#[^\n]*|"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|[{};]|(?:\\.|\$\{\w+\}|[^\s{};"'#])(?:\\.|\$\{\w+\}|[^\s{};])*/g),
  )
    .filter(([token]) => !token.startsWith("#"))
    .map((match) => ({ text: match[1] ?? match[2] ?? match[0], mark: /^[{};]$/.test(match[0]) ? match[0] : "", at: match.index }));
  const lineOf = (at: number): number => text.slice(0, at).split("\n").length;
  let next = 0;
  const block = (depth: number): Directive[] => {
    if (depth > DEEPEST) throw new Error("its braces are nested too deep");
    const made: Directive[] = [];
    for (let words: string[] = [], from = 0; next < tokens.length;) {
      const token = tokens[next];
      next += 1;
      if (token === undefined || token.mark === "}") {
        if (depth === 0) throw new Error("a } too many");
        return made;
      }
      if (token.mark === "") {
        if (words.length === 0) from = token.at;
        words.push(token.text);
        continue;
      }
      const [name = "", ...args] = words;
      made.push({ name, args, line: lineOf(from), block: token.mark === "{" ? block(depth + 1) : undefined });
      words = [];
    }
    if (depth > 0) throw new Error("a } is missing");
    return made;
  };
  return block(0);
}

/** Where a request is handled, with every level above it, the innermost first. */
type Scope = readonly (readonly Directive[])[];

/** The value that counts in this scope: the innermost level that says anything. */
function inForce(scope: Scope, name: string, test: (directive: Directive) => boolean = () => true): Directive | undefined {
  for (const level of scope) {
    const here = level.filter((directive) => directive.name === name);
    if (here.length > 0) return here.findLast(test); // array directives (proxy_set_header) are inherited only where there is none
  }
  return undefined;
}

const header = (name: string) => (directive: Directive) => directive.args[0]?.toLowerCase() === name;

export function nginxFile(text: string, path: string): NginxFacts {
  let tree: readonly Directive[];
  try {
    tree = parse(text);
  } catch (error) {
    const what = `it can't be read: ${(error as Error).message}`;
    return { ...found({ is: "mistake", where: path, what, mend: "nginx -t says where" }), proxies: false, upstreams: [] };
  }
  const reads: Read[] = [];
  const upstreams = new Set<string>();
  let proxies = false;
  const every: Directive[] = [];
  const walk = (level: readonly Directive[], above: Scope): void => {
    const scope = [level, ...above];
    for (const directive of level) {
      every.push(directive);
      if (directive.name === "proxy_pass") {
        proxies = true;
        const [target] = /^https?:\/\/([^/$]+)/.exec(directive.args[0] ?? "")?.slice(1) ?? [];
        if (target !== undefined) upstreams.add(target);
        reads.push(found(...judge(scope, directive, path)));
      }
      if (directive.name === "alias" || (directive.name === "root" && above.length > 1)) reads.push(files(directive, path));
      if (directive.block !== undefined) walk(directive.block, scope);
    }
  };
  walk(tree, []);
  reads.push(found(...zones(every, path)));
  for (const { name, args, block } of every)
    if (name === "upstream" && upstreams.delete(args[0] ?? ""))
      for (const server of block ?? []) if (server.name === "server") upstreams.add(server.args[0] ?? "");
  return { ...together(reads), proxies, upstreams: [...upstreams] };
}

function files({ name, args, line }: Directive, path: string): Read {
  const where = `${path}:${line}`;
  const [directory = ""] = args;
  if (name === "root" || !/static|public|assets|dist/.test(directory))
    return found({ is: "ignored", where, what: `${name} ${directory}`, why: "nginx goes on serving these files by itself" });
  return mapped({ name, text: directory, where }, "static_dir", directory.replace(/(.)\/$/, "$1"));
}

/** What goes wrong at one proxy_pass. */
function* judge(scope: Scope, pass: Directive, path: string): Generator<Finding> {
  const at = (directive = pass): string => `${path}:${directive.line}`;
  const valid = inForce(scope, "proxy_cache_valid");
  const cache = inForce(scope, "proxy_cache");
  const cached = cache !== undefined && cache.args[0] !== "off";
  if (valid !== undefined && cache === undefined)
    yield {
      is: "mistake",
      where: at(valid),
      what: `proxy_cache_valid ${valid.args.join(" ")} without a proxy_cache: nothing is cached`,
      mend: "it needs proxy_cache ZONE and a proxy_cache_path: config/nginx.conf has both",
    };
  const ignored = inForce(scope, "proxy_ignore_headers");
  const careless = ignored?.args.some((word) => /^(?:Cache-Control|Set-Cookie)$/i.test(word)) === true;
  if (cached && careless && inForce(scope, "proxy_no_cache") === undefined)
    yield {
      is: "mistake",
      where: at(ignored),
      what: `proxy_ignore_headers ${ignored.args.join(" ")} in a cache: one client's answers are kept, and given to others`,
      mend: "take it away, or say what may be kept with proxy_no_cache as config/nginx.conf does",
    };
  const xff = inForce(scope, "proxy_set_header", header("x-forwarded-for"));
  if (xff === undefined) {
    const dropped = scope.slice(1).some((level) => level.some((one) => one.name === "proxy_set_header" && header("x-forwarded-for")(one)));
    yield {
      is: "mistake",
      where: at(),
      what: dropped
        ? "X-Forwarded-For is set further out, and lost here: a proxy_set_header takes all of those away"
        : "no X-Forwarded-For: behind it everybody has the address 127.0.0.1, and limits count all clients as one",
      mend: "proxy_set_header X-Forwarded-For $remote_addr; (drover does not read X-Real-IP)",
    };
  } else
    yield {
      is: "maps",
      where: at(xff),
      what: `X-Forwarded-For ${xff.args[1] ?? ""}`,
      to: "the client's address, once DROVER_TRUSTED_PROXIES names this proxy",
    };
  if (inForce(scope, "proxy_set_header", header("x-forwarded-proto")) === undefined)
    yield {
      is: "mistake",
      where: at(),
      what: "no X-Forwarded-Proto: cookies are not marked Secure behind https",
      mend: "proxy_set_header X-Forwarded-Proto $scheme;",
    };
  if (inForce(scope, "proxy_http_version")?.args[0] !== "1.1")
    yield {
      is: "mistake",
      where: at(),
      what: "proxy_http_version is 1.0: a connection for every request, and no WebSockets",
      mend: 'proxy_http_version 1.1; proxy_set_header Connection ""; and keepalive 64; in the upstream',
    };
  const control = inForce(scope, "add_header", header("cache-control"));
  const expires = inForce(scope, "expires");
  if (
    control !== undefined &&
    /public|max-age|immutable/.test(control.args[1] ?? "") &&
    !/^\/(?:static|assets)/.test(locationOf(scope, pass))
  )
    yield {
      is: "mistake",
      where: at(control),
      what: `add_header Cache-Control ${control.args[1] ?? ""} on what drover answers, private answers and errors of a user too`,
      mend: "take it away: drover says of each answer who may keep it",
    };
  else if (expires !== undefined && expires.args[0] !== "off")
    yield {
      is: "mistake",
      where: at(expires),
      what: `expires ${expires.args.join(" ")} overrides what drover says of each answer`,
      mend: "take it away, or keep it to files that nginx serves itself",
    };
  const accel = inForce(scope, "proxy_ignore_headers", (one) => one.args.includes("X-Accel-Buffering"));
  if (accel !== undefined && inForce(scope, "proxy_buffering")?.args[0] !== "off")
    yield {
      is: "mistake",
      where: at(accel),
      what: "X-Accel-Buffering is ignored: events wait until a buffer is full",
      mend: "proxy_buffering off; for /api/events",
    };
}

/** The paths of the location that a proxy_pass stands in. */
function locationOf(scope: Scope, pass: Directive): string {
  const own = scope[1]?.find((directive) => directive.block?.includes(pass) === true);
  return own?.args.at(-1) ?? "";
}

/** Zones that are used and not made here, or made and not used. */
function* zones(every: readonly Directive[], path: string): Generator<Finding> {
  const made = new Set(
    every
      .filter(({ name }) => name === "proxy_cache_path")
      .map(({ args }) => /^keys_zone=([^:]+)/.exec(args.find((word) => word.startsWith("keys_zone=")) ?? "")?.[1] ?? ""),
  );
  for (const { name, args, line } of every) {
    const [zone = ""] = args;
    if (name === "proxy_cache" && zone !== "off" && !made.has(zone))
      yield {
        is: "ignored",
        where: `${path}:${line}`,
        what: `proxy_cache ${zone}`,
        why: `its proxy_cache_path with keys_zone=${zone} is not in this file: nginx -t fails where there is none`,
      };
    if (name === "limit_req_zone")
      yield { is: "ignored", where: `${path}:${line}`, what: `limit_req_zone ${zone}`, why: "it goes on counting in nginx, before drover" };
  }
}
