/** The dialog in which one logs in, and what it says to those who are not let in. */
import { BOARD } from "../config.js";
import { h } from "../dom.js";
import { again } from "../notices.js";

/** What a refusal of a login is to people. @returns {kind, title, text, more, until} */
export function refusalOf(answer, now, say) {
  if (answer.is === "unreachable") return { kind: "later", title: say("busyTitle"), text: say("unreachable") };
  const { status, code, text, wait } = answer;
  const until = wait > 0 ? now + wait * 1_000 : undefined;
  if (code === "full") return { kind: "full", title: say("fullTitle"), text, more: say("fullMore"), until };
  if (code === "bad-login") return { kind: "wrong", text: say("badLogin") };
  if (code === "no-login") return { kind: "wrong", text: say("noLogin") };
  if (code === "too-many-sessions") return { kind: "later", title: say("busyTitle"), text: say("sessions"), until };
  if (status === 429) return { kind: "later", title: say("limitedTitle"), text: say("limitedLogin"), until };
  return { kind: status >= 500 ? "later" : "wrong", title: say("busyTitle"), text, until };
}

export function loginDialog(c) {
  const { login, health, now } = c.state;
  const { problem, busy, shown } = login;
  const waits = problem?.until !== undefined && problem.until > now;
  const submit = (event) => {
    event.preventDefault();
    const { name, secret } = event.target.elements;
    c.act.enterWith({ name: name.value, secret: secret.value });
  };
  const known = health?.demo === true ? BOARD.demo : [];
  const label = waits
    ? again(problem.until, now, c.say).action
    : c.say(busy ? "loginSending" : problem === undefined || problem.kind === "wrong" ? "loginSend" : "again");
  return [
    h(
      "div",
      { class: "head", key: "head" },
      h("h2", { id: "login-title" }, c.say("loginTitle")),
      h("button", { type: "button", class: "quiet", on: { click: () => c.act.closeLogin() } }, c.say("close")),
    ),
    h("p", { class: "soft", key: "lead" }, c.say("loginLead")),
    h(
      "form",
      { key: "form", on: { submit }, novalidate: true },
      h(
        "label",
        { class: "field" },
        h("span", null, c.say("name")),
        h("input", {
          name: "name",
          id: "login-name",
          autocomplete: "username",
          autocapitalize: "words",
          spellcheck: "false",
          maxlength: 256,
          "aria-invalid": problem?.kind === "wrong" ? "true" : null,
          "aria-describedby": "login-problem",
        }),
      ),
      h(
        "label",
        { class: "field" },
        h("span", null, c.say("secret")),
        h(
          "span",
          { class: "with-button" },
          h("input", {
            name: "secret",
            id: "login-secret",
            type: shown ? "text" : "password",
            autocomplete: "current-password",
            autocapitalize: "characters",
            spellcheck: "false",
            maxlength: 256,
            "aria-invalid": problem?.kind === "wrong" ? "true" : null,
            "aria-describedby": "login-problem",
          }),
          h(
            "button",
            { type: "button", class: "quiet", "aria-pressed": String(shown), on: { click: () => c.act.showSecret() } },
            c.say(shown ? "hide" : "show"),
          ),
        ),
      ),
      h(
        "div",
        { id: "login-problem", role: "alert", class: "problem", "data-kind": problem?.kind ?? "", hidden: problem === undefined },
        problem?.title === undefined ? null : h("strong", null, problem.title),
        h("p", null, problem?.text ?? ""),
        problem?.more === undefined ? null : h("p", { class: "soft" }, problem.more),
      ),
      h("button", { class: "main", id: "login-send", disabled: busy || waits }, label),
    ),
    known.length === 0
      ? null
      : h(
          "div",
          { class: "demo", key: "demo" },
          h("p", null, c.say("demoCode")),
          known.map(({ name, secret }) =>
            h(
              "button",
              { type: "button", key: name, on: { click: () => c.act.take({ name, secret }) } },
              h("span", null, name),
              " ",
              h("code", null, secret),
            ),
          ),
        ),
  ];
}
