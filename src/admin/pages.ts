/** The dashboard's files: a handful, held in memory, the same for everybody. They hold no figure and no key. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { gzipSync } from "node:zlib";
import { ownPath } from "../base/place.ts";
import { GUARD, type AdminAnswer } from "./request.ts";

/** The compiler copies no assets: from src/admin and from dist/admin alike they are those of the package's src. */
const DIRECTORY = ownPath("src/admin/dashboard/");

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** Its own files and nothing else; styles are set by the CSSOM, which needs no 'unsafe-inline'. */
const CSP = [
  "default-src 'none'",
  ...["script-src", "style-src", "img-src", "connect-src"].map((what) => `${what} 'self'`),
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

interface Page {
  readonly type: string;
  readonly etag: string;
  readonly plain: Buffer;
  readonly gzip: Buffer;
}

export interface Pages {
  /** @param path `/admin` or below. @returns undefined when there is no such file. */
  answer(path: string, headers: IncomingHttpHeaders): AdminAnswer | undefined;
}

/** Reads every file once, when the first is asked for: a start that nobody watches there has no use for them. */
export function readPages(): Pages {
  let pages: ReadonlyMap<string, Page> | undefined;
  return {
    answer(path, headers) {
      pages ??= readAll();
      const page = pages.get(path === "/admin/" ? "/admin" : path);
      return page === undefined ? undefined : send(page, headers);
    },
  };
}

function readAll(): ReadonlyMap<string, Page> {
  const pages = new Map<string, Page>();
  for (const name of readdirSync(DIRECTORY)) {
    const type = TYPES[name.split(".").at(-1) ?? ""];
    if (type !== undefined)
      pages.set(name === "index.html" ? "/admin" : `/admin/${name}`, pageOf(readFileSync(`${DIRECTORY}${name}`), type));
  }
  return pages;
}

function pageOf(plain: Buffer, type: string): Page {
  const etag = createHash("sha256").update(plain).digest("base64url").slice(0, 20);
  return { type, etag, plain, gzip: gzipSync(plain, { level: 9 }) };
}

function send({ type, etag, plain, gzip }: Page, headers: IncomingHttpHeaders): AdminAnswer {
  const zipped =
    /\bgzip\b/.test(headers["accept-encoding"] ?? "") && !/\bgzip;\s*q=0(?:\.0+)?(?:,|$)/.test(headers["accept-encoding"] ?? "");
  const tag = `"${etag}${zipped ? "-gzip" : ""}"`;
  const common = { ...GUARD, "Content-Security-Policy": CSP, "Cache-Control": "no-cache", ETag: tag, Vary: "Accept-Encoding" };
  const known = (headers["if-none-match"] ?? "").split(",").some((item) => item.trim().replace(/^W\//, "") === tag);
  if (known) return { status: 304, headers: common, body: "" };
  const encoding: Record<string, string> = zipped ? { "Content-Encoding": "gzip" } : {};
  return { status: 200, headers: { ...common, "Content-Type": type, ...encoding }, body: zipped ? gzip : plain };
}
