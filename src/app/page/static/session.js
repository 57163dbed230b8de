/** Who is logged in, and what the page makes of a session that is over or of a server that is full. */
import { refusalOf } from "./views/login.js";

/** Reasons of a 401 that mean: there was a session, and it is no more. */
const ENDED = ["taken-over", "revoked", "expired"];

/** Asks who one is. @returns seconds to wait before the next try, if the server asks for it. */
export async function readMe(page) {
  const { state } = page;
  const answer = await page.ask("/api/me");
  if (answer.is === "ok") {
    const isNew = state.me?.name !== answer.body.name;
    Object.assign(state, { me: answer.body, full: undefined, session: { is: "in" } });
    if (isNew) page.entered();
  } else if (answer.is === "refused" && answer.status === 401) outOf(page, answer.code);
  else if (answer.is === "refused" && answer.code === "full") state.full = { text: answer.text, until: Date.now() + 1_000 * answer.wait };
  page.changed();
  return answer.is === "refused" && answer.status !== 401 ? answer.wait : 0;
}

/** The session is over, by what the server says. */
export function outOf(page, code) {
  const { state } = page;
  if (ENDED.includes(code)) state.session = { is: "ended", why: code };
  const was = state.me;
  Object.assign(state, { me: undefined, full: undefined });
  if (was !== undefined) page.left();
}

export async function logIn(page, { name, secret }) {
  const { state, say } = page;
  const { login } = state;
  if (name.trim() === "" || secret.trim() === "") login.problem = { kind: "wrong", text: say("loginEmpty") };
  else {
    Object.assign(login, { busy: true });
    page.changed();
    const answer = await page.ask("/api/login", { method: "POST", json: { name, secret } });
    login.busy = false;
    if (answer.is === "ok") {
      Object.assign(state, { me: answer.body, full: undefined, session: { is: "in" } });
      page.entered();
      page.tell(say("hiLogin", { name: answer.body.name }));
    } else login.problem = refusalOf(answer, Date.now(), say);
  }
  page.changed();
}

export async function logOut(page) {
  const { state, say } = page;
  const answer = await page.ask("/api/logout", { method: "POST" });
  if (answer.is !== "ok") return page.tell(answer.text ?? say("unreachable"));
  Object.assign(state, { me: undefined, session: { is: "none" }, outbox: state.outbox.filter(({ user }) => user === undefined) });
  page.left();
  page.tell(say("byeLogin"));
  page.changed();
}
