/** `GET /` and `GET /static/*`: the operator's own client, or the board that comes with drover, which is a folder like any other. */
import { stat } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import type { SendResult } from "@fastify/send";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { DroverError, messageOf } from "../../base/errors.ts";
import type { Encoding } from "../../base/encoding.ts";
import { ownPath } from "../../base/place.ts";
import { CompressedBodies, encodingFor, tagIn } from "../compressed.ts";
import { Files, type ServedFile } from "../files.ts";
import { hasTag } from "../fixed.ts";
import { CLIENT_CSP, PAGE_CSP } from "../headers.ts";
import { problem, sendProblem } from "../problem.ts";
import { quoted } from "../query/model.ts";

/** The compiler copies no assets. */
const BOARD = ownPath("src/app/page/static");

/** @param staticDir the operator's directory, absolute; undefined: the board. */
export async function siteRoutes(fastify: FastifyInstance, staticDir: string | undefined): Promise<void> {
  if (staticDir !== undefined) await mustBeDirectory(staticDir);
  const files = new Files(staticDir ?? BOARD);
  const compressed = new CompressedBodies();
  const csp = staticDir === undefined ? PAGE_CSP : CLIENT_CSP;
  const sendFile = async (request: FastifyRequest, reply: FastifyReply, path: string): Promise<FastifyReply> => {
    const none = (): FastifyReply => sendProblem(request, reply, problem(404, "unknown-path", `there is no file ${quoted(path)}`));
    const file = await files.find(path);
    if (file === undefined) return none();
    const encoding = encodingOf(request.headers, file);
    const tag = tagIn(file.etag, encoding);
    const vary = TEXT.test(file.name) ? { Vary: "Accept-Encoding" } : {};
    const headers = { "Content-Security-Policy": csp, "Cache-Control": file.cacheControl, ETag: `"${tag}"`, ...vary };
    if (!applyConditions(request.headers, tag)) return sendProblem(request, reply.headers(headers), CHANGED);
    if (hasTag(request.headers["if-none-match"], tag)) return reply.headers(headers).code(304).send();
    const sent = await opened(request, files.root, file.name);
    if (sent === undefined) return none();
    reply.headers(headers);
    if (sent.type === "error") throw sent.metadata.error;
    const packed = encoding === "identity" ? undefined : await compressed.get(file.etag, encoding, () => files.read(file));
    if (packed !== undefined) {
      sent.stream.destroy();
      const { "Content-Type": type = OCTETS } = sent.headers;
      return reply.headers({ "Content-Type": type, "Content-Encoding": encoding }).send(packed);
    }
    return reply
      .code(sent.statusCode)
      .headers({ "Content-Type": OCTETS, ...sent.headers })
      .send(sent.stream);
  };
  fastify.get<{ Params: { "*": string } }>("/static/*", (request, reply) => sendFile(request, reply, request.params["*"]));
  fastify.get("/", (request, reply) => sendFile(request, reply, "index.html"));
}

/** Files of text: they are sent compressed. */
const TEXT = /\.(?:html?|m?js|css|svg|json|webmanifest|map|txt|xml)$/i;

/** A part of a file is one of the file as it is. */
const encodingOf = (headers: IncomingHttpHeaders, { name, size }: ServedFile): Encoding =>
  TEXT.test(name) && headers.range === undefined ? encodingFor(headers["accept-encoding"], size) : "identity";

/** Of a name that says nothing, so that no browser guesses. */
const OCTETS = "application/octet-stream";

/**
 * Files.find has decided what is served; the library, which only those workers load that are asked for a file, streams it (types, ranges).
 * @returns undefined when the file has gone since, or a directory stands in its place: a release is switched.
 */
async function opened(request: FastifyRequest, root: string, name: string): Promise<SendResult | undefined> {
  const { default: send } = await import("@fastify/send");
  const sent = await send(request.raw, encodeURI(name), { root, etag: false, lastModified: false, cacheControl: false, dotfiles: "deny" });
  return sent.type === "directory" || (sent.type === "error" && [403, 404].includes(sent.statusCode)) ? undefined : sent;
}

const CHANGED = problem(412, "changed", "the file is not the one that If-Match names");

/**
 * The conditions that need the file's tag, which the library does not know: what is left is for it. A part of a file is given only
 * to those who have the rest of the same (RFC 9110 §13.1.5); without Last-Modified there is no date to compare with (§13.1.4).
 * @returns false when If-Match says that the client wants another file (§13.1.1).
 */
function applyConditions(headers: IncomingHttpHeaders, tag: string): boolean {
  const { "if-match": match, "if-range": range } = headers;
  if (match !== undefined && !hasTag(match, tag, "strong")) return false;
  if (range !== undefined && range !== `"${tag}"`) delete headers.range;
  for (const done of ["if-match", "if-range", "if-unmodified-since"]) delete headers[done];
  return true;
}

/** @throws DroverError at the start rather than a 404 for every file later. */
async function mustBeDirectory(path: string): Promise<void> {
  const found = await stat(path).catch((e: unknown) => messageOf(e));
  if (typeof found === "string") throw new DroverError("DROVER_E_APP", `DROVER_STATIC_DIR can't be read: ${found}`);
  if (!found.isDirectory()) throw new DroverError("DROVER_E_APP", `DROVER_STATIC_DIR is ${path}: expected a directory`);
}
