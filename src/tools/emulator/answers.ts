/** Google's error envelope and pages: the bodies that are the transport's, not a method's. */
import type { Violation } from "./api/validate.ts";

/** An answer before it is written: a JSON body, or a page. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Page {
  readonly status: number;
  readonly html: string;
}

/** The names of google.rpc.Code that answers of the Sheets API carry. */
const STATUS = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  409: "ABORTED",
  429: "RESOURCE_EXHAUSTED",
  499: "CANCELLED",
  500: "INTERNAL",
  501: "UNIMPLEMENTED",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
} as const;

/** What Google says when it has nothing particular to say; 503 and 500 as users have quoted them. */
const MESSAGES: Readonly<Record<number, string>> = {
  404: "Requested entity was not found.",
  403: "The caller does not have permission",
  500: "Internal error encountered.",
  503: "The service is currently unavailable.",
  504: "The request timed out.",
};

/** @param details objects with "@type", in Google's order; left out when empty. */
export function googleError(
  status: number,
  message = MESSAGES[status] ?? "Unknown Error.",
  details: readonly unknown[] = [],
): Answer {
  const name = (STATUS as Readonly<Record<number, string>>)[status] ?? "UNKNOWN";
  return {
    status,
    body: {
      error: { code: status, message, status: name, ...(details.length > 0 ? { details } : {}) },
    },
  };
}

/** 400 with one line a violation, and all of them in google.rpc.BadRequest. */
export function badRequest(violations: readonly Violation[]): Answer {
  const message = violations.map((v) => v.description).join("\n");
  return googleError(400, message, [
    { "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: violations },
  ]);
}

export const errorInfo = (reason: string, metadata: Readonly<Record<string, string>>): object => ({
  "@type": "type.googleapis.com/google.rpc.ErrorInfo",
  reason,
  domain: "googleapis.com",
  metadata,
});

const escapeHtml = (text: string): string =>
  text.replace(
    /[&<>"']/g,
    (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c] ?? c,
  );

/** Pages as Google's front end makes them: they come for wrong paths, for overload and from its proxies. */
export function errorPage(status: number, title: string, text: string): Page {
  const html = `<!DOCTYPE html>
<html lang=en>
  <meta charset=utf-8>
  <meta name=viewport content="initial-scale=1, minimum-scale=1, width=device-width">
  <title>Error ${status} (${escapeHtml(title)})!!1</title>
  <p><b>${status}.</b> <ins>That’s an error.</ins>
  <p>${text}  <ins>That’s all we know.</ins>
`;
  return { status, html };
}

export const notFoundPage = (path: string): Page =>
  errorPage(
    404,
    "Not Found",
    `The requested URL <code>${escapeHtml(path.slice(0, 2_000))}</code> was not found on this server.`,
  );
