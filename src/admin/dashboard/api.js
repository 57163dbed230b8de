/** The page's side of the admin API. The session is a cookie that scripts can't read; orders carry its CSRF token. */

let csrf = "";

/** @returns {status, body}; status 0 when nothing answered. */
async function call(method, path, body) {
  const headers = method === "POST" ? { "Content-Type": "application/json", "X-Drover-CSRF": csrf } : {};
  const init = { method, headers, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(12_000) };
  try {
    const res = await fetch(path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
    const text = await res.text();
    return { status: res.status, body: text === "" ? {} : JSON.parse(text) };
  } catch (error) {
    return { status: 0, body: { detail: error instanceof Error ? error.message : String(error) } };
  }
}

const signedIn = ({ status, body }) => {
  if (status !== 200 || typeof body.csrf !== "string") return undefined;
  csrf = body.csrf;
  return body.role;
};

/** @returns the role of who is logged in, or undefined. */
export const session = async () => signedIn(await call("GET", "/api/admin/session"));

/** @param key {token} or {ticket}. @returns {role} or {status}. */
export async function login(key) {
  const answer = await call("POST", "/api/admin/login", key);
  const role = signedIn(answer);
  return role === undefined ? { status: answer.status } : { role };
}

export const logout = () => call("POST", "/api/admin/logout", {});
export const history = () => call("GET", "/api/admin/history");
/** @param since the number of the last event that is known. */
export const stats = (since) => call("GET", `/api/admin/stats${since > 0 ? `?since=${since}` : ""}`);
/** Writes that Google has refused for good, the oldest first. */
export const aside = (most) => call("GET", `/api/admin/writes?most=${most}`);
export const order = (name, body) => call("POST", `/api/admin/${name}`, body);
