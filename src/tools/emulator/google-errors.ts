/** Answers before they are written, and Google's refusals: the error envelope, and pages of its front end. */

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Page {
  readonly status: number;
  readonly html: string;
}

/** google.rpc.Code, as far as answers of the Sheets API carry it. */
const STATUSES: Readonly<Record<number, string>> = {
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
};

/** Google's texts without particulars; 500 and 503 as users have quoted them. */
const MESSAGES: Readonly<Record<number, string>> = {
  403: "The caller does not have permission",
  404: "Requested entity was not found.",
  500: "Internal error encountered.",
  503: "The service is currently unavailable.",
  504: "The request timed out.",
};

/** A call that Google would refuse. */
export class GoogleError extends Error {
  readonly answer: Answer;

  /** @param details objects with "@type", in Google's order. */
  constructor(
    status: number,
    message = MESSAGES[status] ?? "Unknown Error.",
    details: readonly unknown[] = [],
    headers?: Answer["headers"],
  ) {
    super(message);
    this.name = "GoogleError";
    const envelope = { code: status, message, status: STATUSES[status] ?? "UNKNOWN" };
    const error = details.length === 0 ? envelope : { ...envelope, details };
    this.answer = { status, body: { error }, ...(headers === undefined ? {} : { headers }) };
  }
}

export const errorInfo = (reason: string, metadata: Readonly<Record<string, string>>): object => ({
  "@type": "type.googleapis.com/google.rpc.ErrorInfo",
  reason,
  domain: "googleapis.com",
  metadata,
});

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c);

/** @param text HTML */
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

export function notFoundPage(path: string): Page {
  const shown = escapeHtml(path.slice(0, 2_000));
  const text = `The requested URL <code>${shown}</code> was not found on this server.`;
  return errorPage(404, "Not Found", text);
}
