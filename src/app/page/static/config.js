/**
 * What to change first: which tables the board knows, and how it shows them. A table that is not named here is shown as it stands in the
 * sheet, and a named one that is not there, or lacks a column, is left out: the board works with any spreadsheet.
 */
export const BOARD = {
  /** `null`: the words of texts.js. */
  title: null,
  /** Who may log in, and when they count as in. */
  people: { table: "players", name: "name", group: "team", points: "score", state: "status", isIn: ["alive", "safe"] },
  /** The standings. */
  teams: { table: "teams", name: "name", points: "points", colour: "colour", size: "members", left: "alive" },
  /** Who says where they are: one row a person, which is their own. `choices` offers the values of another table's column. */
  checkins: { table: "checkins", who: "player", at: "at", fields: ["zone", "message"], choices: { zone: ["zones", "name"] } },
  news: { table: "announcements", at: "at", kind: "kind", title: "title", text: "text" },
  /** Forms for tables that take rows: without a word here a form has every column but the key. */
  forms: {
    actions: {
      fields: ["kind", "note"],
      choices: { kind: ["tag", "escape", "report", "dispute"] },
      /** Filled in by the page: a column of one's own row among `people`, or `now`. */
      fill: { player: "id", at: "now" },
    },
  },
  /** Tables in the order of the tabs; all others follow. */
  order: ["teams", "players", "checkins", "actions", "announcements", "schedule", "zones"],
  /** Columns that narrow screens do without. */
  minor: { teams: ["quarter", "captain", "members"], zones: ["lat", "lon"] },
  /** Tables that narrow screens show as tables; of others with over three columns each row becomes a block of lines. */
  compact: ["players", "teams"],
  /** Columns that are no use to readers. */
  hidden: { teams: ["id", "colour"], players: ["id"], actions: ["id"], announcements: ["id"], schedule: ["id"], zones: ["id"] },
  /** Columns that hold keys of another table's rows: what is shown in their place. */
  refers: { player: ["players", "name"], captain: ["players", "name"], target: ["players", "name"] },
  /** The order that a table begins in. */
  sort: {
    teams: { column: "points", down: true },
    players: { column: "score", down: true },
    actions: { column: "at", down: true },
    announcements: { column: "at", down: true },
    checkins: { column: "at", down: true },
  },
  /** Columns whose values are one of a few words. */
  chips: ["status", "kind"],
  /** Offered on the login form of the demo: players of the sample workbook, and of nothing else. */
  demo: [
    { name: "Haruka Hayashi", secret: "ZJKR-CX5X" },
    { name: "Hugo Fournier", secret: "3FE8-D6Y8" },
  ],
};

/** Names of tables, columns and values in the other languages. What is not here stands as it stands in the sheet. */
export const NAMES = {
  en: {
    players: "Players",
    teams: "Standings",
    checkins: "Who is in",
    actions: "Log",
    announcements: "News",
    schedule: "Schedule",
    zones: "Zones",
    radius_m: "radius (m)",
    alive: "still in",
    at: "when",
  },
  fr: {
    players: "Joueurs",
    teams: "Classement",
    checkins: "Qui est là",
    actions: "Journal",
    announcements: "Annonces",
    schedule: "Programme",
    zones: "Zones",
    name: "nom",
    team: "équipe",
    status: "état",
    score: "points",
    player: "joueur",
    kind: "genre",
    note: "note",
    at: "quand",
    quarter: "quartier",
    captain: "capitaine",
    members: "membres",
    points: "points",
    title: "titre",
    text: "texte",
    starts: "début",
    ends: "fin",
    place: "lieu",
    radius_m: "rayon (m)",
    message: "message",
    zone: "zone",
    alive: "en jeu",
    out: "éliminé",
    safe: "protégé",
    withdrawn: "forfait",
    tag: "touché",
    escape: "fuite",
    report: "signalement",
    immunity: "immunité",
    dispute: "litige",
    info: "info",
    rule: "règle",
    warning: "attention",
    done: "terminé",
    running: "en cours",
    planned: "à venir",
    forbidden: "interdit",
    open: "ouvert",
  },
};
