/** The board itself: who is still in, the standings, one's own row, who says where they are, news. */
import { BOARD } from "../config.js";
import { h } from "../dom.js";
import { ago, ranked, sorted, textOf } from "../format.js";
import { hasStates, partOf } from "../parts.js";
import { checkinForm } from "./forms.js";
import { chip, titleOf } from "./parts.js";

const { people, teams, checkins, news } = BOARD;

export function home(c) {
  const has = (part) => partOf(c.state, part) !== undefined && c.state.tables[BOARD[part].table] !== undefined;
  return h(
    "div",
    { class: "home", key: "home" },
    h("h1", { class: "view-title visually-hidden", tabindex: -1, key: "title" }, titleOf(c)),
    has("people") && hasStates(c.state) ? figures(c, has) : null,
    h(
      "div",
      { class: "columns", key: "columns" },
      h("div", { class: "column", key: "first" }, has("people") ? own(c) : null, has("teams") ? standings(c) : null),
      h("div", { class: "column", key: "second" }, has("checkins") ? whoIsIn(c) : null, has("news") ? latest(c) : null),
    ),
  );
}

const isIn = (row) => people.isIn.includes(row[people.state]);
const number = (n, c) => new Intl.NumberFormat(c.state.locale).format(n);

function figures(c, has) {
  const { tables, locale } = c.state;
  const { rows } = tables[people.table];
  const left = rows.filter(isIn).length;
  const [first] = has("teams") ? ranked(tables[teams.table].rows, teams.points, locale) : [];
  const there = has("checkins") ? tables[checkins.table].rows.length : undefined;
  const share = rows.length === 0 ? 0 : left / rows.length;
  return h(
    "section",
    { class: "figures", "aria-label": c.say("board"), key: "figures" },
    h(
      "div",
      { class: "figure wide", key: "in" },
      h("p", { class: "big" }, number(left, c), h("small", null, " ", c.say("stillIn"))),
      h("div", { class: "meter", style: { "--share": share.toFixed(4) }, "aria-hidden": "true" }),
      h("p", { class: "soft" }, c.say("ofPeople", { n: number(rows.length, c) })),
    ),
    first === undefined
      ? null
      : h(
          "div",
          { class: "figure", key: "first" },
          h("p", { class: "big name" }, String(first.row[teams.name] ?? "")),
          h("p", { class: "soft" }, `${c.say("leading")} · ${textOf(first.row[teams.points], locale)} ${c.say("points")}`),
        ),
    there === undefined
      ? null
      : h(
          "div",
          { class: "figure", key: "there" },
          h("p", { class: "big" }, number(there, c)),
          h("p", { class: "soft" }, c.say("hereNow")),
        ),
  );
}

/** @returns the row of who is logged in. */
export const ownRow = ({ me, tables }) =>
  me === undefined ? undefined : tables[people.table]?.rows.find((row) => row[people.name] === me.name);

function own(c) {
  const { me, tables, locale, canLogin, session } = c.state;
  if (me === undefined)
    return canLogin && session.is !== "ended"
      ? h(
          "section",
          { class: "card invite", key: "own" },
          h("div", null, h("h2", null, c.say("inviteTitle")), h("p", null, c.say("inviteText"))),
          h("button", { type: "button", class: "main", on: { click: () => c.act.login() } }, c.say("login")),
        )
      : null;
  const row = ownRow(c.state);
  const hasPoints = tables[people.table].columns.includes(people.points);
  const place = hasPoints ? ranked(tables[people.table].rows, people.points, locale).find((one) => one.row === row)?.place : undefined;
  const facts =
    row === undefined
      ? c.say("noRow", { table: c.label(people.table) })
      : [row[people.group], place === undefined ? null : c.say("place", { n: place })].filter(Boolean).join(" · ");
  return h(
    "section",
    { class: "card own", "aria-labelledby": "own-title", key: "own" },
    h("p", { class: "eyebrow", id: "own-title" }, c.say("yourRow")),
    h(
      "div",
      { class: "person" },
      h("div", null, h("h2", null, me.name), h("p", { class: "soft" }, facts)),
      row === undefined || !hasPoints
        ? null
        : h("p", { class: "score" }, textOf(row[people.points], locale), h("small", null, c.say("points"))),
    ),
    row?.[people.state] ? h("p", { class: "standing" }, chip(c, row[people.state])) : null,
    checkinForm(c),
  );
}

function standings(c) {
  const { tables, locale } = c.state;
  const all = ranked(tables[teams.table].rows, teams.points, locale);
  const most = Math.max(1, Number(all[0]?.row[teams.points]) || 1);
  const mine = ownRow(c.state)?.[people.group];
  const line = ({ row, place }) => {
    const points = Number(row[teams.points]) || 0;
    const colour = /^#[0-9a-f]{6}$/i.test(row[teams.colour] ?? "") ? row[teams.colour] : "var(--accent)";
    const is = row[teams.name] === mine ? "mine" : null;
    return h(
      "tr",
      { key: String(row[tables[teams.table].key]), class: is, style: { "--colour": colour, "--share": (points / most).toFixed(4) } },
      h("td", { class: "rank" }, place),
      h(
        "th",
        { scope: "row" },
        h("span", { class: "swatch", "aria-hidden": "true" }),
        String(row[teams.name] ?? ""),
        h("span", { class: "bar", "aria-hidden": "true" }),
      ),
      h("td", { class: "number left" }, `${textOf(row[teams.left], locale)}/${textOf(row[teams.size], locale)}`),
      h("td", { class: "number" }, textOf(row[teams.points], locale)),
    );
  };
  const shown = all.slice(0, 8);
  const own = all.find(({ row }) => row[teams.name] === mine);
  const head = [
    h("th", { scope: "col" }, h("abbr", { title: c.say("standings") }, c.say("rank"))),
    h("th", { scope: "col" }, c.label(teams.name)),
    h("th", { scope: "col", class: "number" }, c.say("stillIn")),
    h("th", { scope: "col", class: "number" }, c.say("points")),
  ];
  return h(
    "section",
    { class: "card", "aria-labelledby": "standings-title", key: "standings" },
    title(c, "standings", teams.table),
    h(
      "table",
      { class: "ranking" },
      h("thead", null, h("tr", null, head)),
      h("tbody", null, [...shown, ...(own === undefined || shown.includes(own) ? [] : [own])].map(line)),
    ),
  );
}

const title = (c, text, table) =>
  h(
    "div",
    { class: "head" },
    h("h2", { id: `${text}-title` }, c.say(text)),
    h("a", { href: `#${encodeURIComponent(table)}` }, c.say("allOf"), h("span", { class: "visually-hidden" }, ` · ${c.label(table)}`)),
  );

function whoIsIn(c) {
  const { now, locale } = c.state;
  const list = sorted(
    c.rowsOf(checkins.table).map(({ row, entry }) => ({ ...row, entry })),
    { column: checkins.at, down: true },
    locale,
  ).slice(0, 7);
  const line = (row) => {
    const [place, message] = checkins.fields.map((name) => row[name]);
    const at = Date.parse(row[checkins.at]);
    return h(
      "li",
      { key: String(row[checkins.who]), class: row.entry === undefined ? null : "pending" },
      h("p", null, h("strong", null, String(row[checkins.who] ?? c.state.me?.name ?? ""))),
      h(
        "p",
        { class: "message" },
        h("span", { class: "where" }, String(place ?? "")),
        place && message ? " · " : null,
        String(message ?? ""),
      ),
      Number.isNaN(at)
        ? null
        : h("p", { class: "soft when" }, now - at < 86_400_000 ? ago((now - at) / 1_000, locale) : textOf(row[checkins.at], locale)),
    );
  };
  return h(
    "section",
    { class: "card", "aria-labelledby": "whoIsIn-title", key: "whoIsIn" },
    title(c, "whoIsIn", checkins.table),
    list.length === 0 ? h("p", { class: "soft" }, c.say("nobody")) : h("ul", { class: "people" }, list.map(line)),
  );
}

function latest(c) {
  const { tables, locale } = c.state;
  const { rows, key } = tables[news.table];
  const item = (row) =>
    h(
      "li",
      { key: String(row[key]), "data-kind": String(row[news.kind] ?? "") },
      h("h3", null, String(row[news.title] ?? ""), " ", row[news.kind] && row[news.kind] !== "info" ? chip(c, row[news.kind]) : null),
      h("p", null, String(row[news.text] ?? "")),
      h("p", { class: "soft when" }, textOf(row[news.at], locale)),
    );
  const list = sorted(rows, { column: news.at, down: true }, locale).slice(0, 3);
  return h(
    "section",
    { class: "card", "aria-labelledby": "news-title", key: "news" },
    title(c, "news", news.table),
    list.length === 0 ? h("p", { class: "soft" }, c.say("nothing")) : h("ul", { class: "news" }, list.map(item)),
  );
}
