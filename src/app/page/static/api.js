/** One request, and one of three answers: there is no fourth, and nothing is thrown. */

/** How long a request may take before it counts as unanswered, ms. */
const PATIENCE = 20_000;

/**
 * @param language what refusals are to be worded in.
 * @returns {is:"ok", status, body, headers} · {is:"refused", status, code, reason, text, wait, column} with `wait` in seconds ·
 *   {is:"unreachable"}: nobody knows whether it was done.
 */
export async function ask(path, { method = "GET", json, once, etag, language = "en", as = "json" } = {}) {
  const headers = { "Accept-Language": language };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  if (once !== undefined) headers["Idempotency-Key"] = once;
  if (etag !== undefined) headers["If-None-Match"] = etag;
  try {
    const response = await fetch(path, {
      method,
      headers,
      cache: "no-store",
      credentials: "same-origin",
      signal: AbortSignal.timeout(PATIENCE),
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    if (response.ok || response.status === 304) return await understood(response, as);
    return refused(response, await response.json().catch(() => undefined));
  } catch {
    return { is: "unreachable" };
  }
}

async function understood(response, as) {
  const { status, headers } = response;
  if (as === "blob") return { is: "ok", status, headers, body: await response.blob() };
  const isJson = /\bjson\b/.test(headers.get("content-type") ?? "");
  return { is: "ok", status, headers, body: isJson && status !== 304 && status !== 204 ? await response.json() : undefined };
}

function refused({ status, headers }, problem) {
  return {
    is: "refused",
    status,
    code: problem?.code ?? "",
    reason: headers.get("x-drover-refused") ?? "",
    text: problem?.detail ?? `HTTP ${status}`,
    wait: Number(headers.get("retry-after")) || 0,
    column: problem?.column,
  };
}

/** crypto.randomUUID is there on https alone. */
export const randomKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Hands a file to the browser under the name that the server gave it. */
export function save(blob, disposition, otherwise) {
  const name = /filename="([^"]+)"/.exec(disposition ?? "")?.[1] ?? otherwise;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
