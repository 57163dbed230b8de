/**
 * Writes the sample workbook, the data of a city-wide game of tag ("killer") in Lyon over one weekend:
 *
 *   node src/emulator/sample-generate.ts [FOLDER]      default: config/sample
 *
 * The same bytes every time: all chance comes from one seed.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { csvRow } from "./csv.ts";
import { random } from "./latency.ts";
import { NAMES } from "./sample-names.ts";

const PLAYERS = 500;
const ACTIONS = 40;
const SEED = 20_260_509;
/** Letters and digits that no one mistakes for another; a secret is eight of them, as XXXX-XXXX. */
const ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789";

type Row = readonly (string | number)[];
type Table = readonly Row[];

const next = random(SEED);
const below = (n: number): number => Math.floor(next() * n);
const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
const pad = (n: number, width: number): string => String(n).padStart(width, "0");
/** Minutes after the game began, Saturday 9 May 2026, 10:00 in Lyon. */
const at = (minutes: number): string => new Date(Date.UTC(2026, 4, 9, 8, minutes)).toISOString().replace(".000", "");

const QUARTERS = [
  "Croix-Rousse",
  "Vieux Lyon",
  "Presqu'île",
  "Confluence",
  "Guillotière",
  "Part-Dieu",
  "Fourvière",
  "Gerland",
  "Monplaisir",
  "Vaise",
];
const BEASTS: readonly (readonly [string, string])[] = [
  ["Lynx", "#d9822b"],
  ["Hérons", "#4a6fa5"],
  ["Salamandres", "#c0392b"],
  ["Chouettes", "#6c5b7b"],
  ["Loutres", "#2e8b57"],
];

/** Two teams a quarter and five more: 25 of twenty players. */
const TEAMS = Array.from({ length: 25 }, (_, i) => {
  const [beast, colour] = BEASTS[i % BEASTS.length] as readonly [string, string];
  const quarter = QUARTERS[Math.floor((i * QUARTERS.length) / 25)] as string;
  return { id: `t${pad(i + 1, 2)}`, name: `${beast} ${quarter}`, colour, quarter };
});

function unique(make: () => string, taken: Set<string>): string {
  for (;;) {
    const made = make();
    if (taken.has(made)) continue;
    taken.add(made);
    return made;
  }
}

const fullName = (): string => {
  const { given, family } = pick(NAMES);
  return `${pick(given.split(" "))} ${pick(family.split(" "))}`;
};
const secret = (): string => Array.from({ length: 8 }, (_, i) => (i === 4 ? "-" : "") + pick(ALPHABET.split(""))).join("");

/** Three in five are still in the game on Sunday morning. */
const STATUSES = ["alive", "alive", "alive", "out", "out", "alive", "alive", "out", "safe", "alive"] as const;

const names = new Set<string>();
const secrets = new Set<string>();
const players = Array.from({ length: PLAYERS }, (_, i) => {
  const status = i % 83 === 82 ? "withdrawn" : pick(STATUSES);
  const score = status === "withdrawn" ? 0 : below(4) * 50 + below(6) * 10 + (status === "alive" ? 20 : 0);
  const team = TEAMS[i % TEAMS.length] as (typeof TEAMS)[number];
  return { id: `p${pad(i + 1, 3)}`, name: unique(fullName, names), team: team.name, status, score, code: unique(secret, secrets) };
});

const NOTES: Readonly<Record<string, readonly string[]>> = {
  tag: [
    "tram T1, between two stops",
    "on the stairs of the montée de la Grande-Côte",
    "in the queue at the bakery",
    "place des Terreaux, at the fountain",
    "“I never saw it coming”",
    "",
  ],
  escape: ["jumped into the funicular", "through the traboule, rue Saint-Jean", "lost them at the market, Croix-Rousse", ""],
  report: [
    "seen near the Part-Dieu, moving north",
    "two of them wait at the footbridge",
    "hides in the parc de la Tête d'Or, by the greenhouses",
  ],
  immunity: ["won at the noon challenge", "badge checked by the referee"],
  dispute: ["says the tag was inside a safe zone, referee asked", "both claim the tag, within the same minute"],
};
const KINDS = ["tag", "tag", "tag", "tag", "escape", "escape", "report", "report", "immunity", "dispute"] as const;

function actions(): Table {
  let minutes = 4;
  return Array.from({ length: ACTIONS }, (_, i) => {
    minutes += 3 + below(34);
    const kind = pick(KINDS);
    const player = below(PLAYERS);
    const other = (player + 1 + below(PLAYERS - 1)) % PLAYERS;
    const target = kind === "immunity" ? "" : (players[other]?.id ?? "");
    return [`a${pad(i + 1, 4)}`, players[player]?.id ?? "", kind, target, pick(NOTES[kind] ?? [""]), at(minutes)];
  });
}

function teams(): Table {
  return TEAMS.map(({ id, name, colour, quarter }) => {
    const members = players.filter((p) => p.team === name);
    const points = members.reduce((sum, p) => sum + p.score, 0);
    const alive = members.filter((p) => p.status === "alive" || p.status === "safe").length;
    return [id, name, colour, quarter, members[0]?.id ?? "", members.length, alive, points];
  });
}

const SCHEDULE: Table = [
  ["s01", at(-60), at(0), "Registration and badges", "Place Bellecour", "done"],
  ["s02", at(0), at(15), "Opening: the first targets are drawn", "Place Bellecour", "done"],
  ["s03", at(15), at(120), "Hunt, first round", "the whole city", "done"],
  ["s04", at(120), at(165), "Noon challenge for immunity", "Amphithéâtre des Trois Gaules", "done"],
  ["s05", at(165), at(420), "Hunt, second round", "the whole city", "done"],
  ["s06", at(420), at(480), "Truce: nobody may be tagged", "everywhere", "done"],
  ["s07", at(480), at(660), "Night hunt, with lamps", "Presqu'île and Vieux Lyon", "done"],
  ["s08", at(1_380), at(1_440), "Breakfast and new targets", "Parc de la Tête d'Or", "running"],
  ["s09", at(1_440), at(1_620), "Hunt, last round: the map shrinks every 30 minutes", "see zones", "planned"],
  ["s10", at(1_620), at(1_680), "Final, between whoever is left", "Place Bellecour", "planned"],
  ["s11", at(1_680), at(1_740), "Prizes", "Place Bellecour", "planned"],
];

const ANNOUNCEMENTS: Table = [
  ["n01", at(-90), "info", "Welcome!", "Fetch your badge before ten. Without a badge you can neither tag nor be tagged."],
  [
    "n02",
    at(2),
    "info",
    "The game is on",
    "500 players, 25 teams. Keep your secret code to yourself: whoever tags you must ask you for it.",
  ],
  ["n03", at(64), "rule", "Trams and metro", "Tags are valid on platforms and in carriages, never on escalators. Safety first."],
  ["n04", at(118), "info", "Noon challenge", "Twelve badges of immunity at the amphitheatre; first come, first served."],
  [
    "n05",
    at(171),
    "warning",
    "Quai closed",
    "The lower quai of the Rhône is closed between pont Morand and pont Lafayette, because of high water.",
  ],
  ["n06", at(305), "rule", "Disputes", 'Two claims within a minute: both players stay in until the referee has spoken, "no exceptions".'],
  ["n07", at(415), "info", "Truce at five", "Drink something, charge your phone, find your team."],
  ["n08", at(478), "info", "Night hunt", "Lamps on. Only the Presqu'île and Vieux Lyon are open tonight."],
  ["n09", at(662), "info", "Good night", "Scores stand until nine. Sleep well; your hunter does."],
  ["n10", at(1_378), "warning", "New targets", "Last night's targets are void. Read your new one at breakfast."],
];

const ZONES: Table = [
  ["z01", "Hôpital Édouard-Herriot", "forbidden", "Monplaisir", 45.7436, 4.8809, 400, "Not even to pass through."],
  ["z02", "Gare de la Part-Dieu", "forbidden", "Part-Dieu", 45.7605, 4.8595, 250, "Travellers are not part of the game."],
  ["z03", "Place Bellecour", "safe", "Presqu'île", 45.7578, 4.832, 120, "Base: water, first aid, referees."],
  ["z04", "Parc de la Tête d'Or", "open", "Part-Dieu", 45.7772, 4.8524, 900, "Closes at ten at night."],
  ["z05", "Fourvière", "open", "Fourvière", 45.7623, 4.8226, 350, "The basilica itself is forbidden."],
  ["z06", "Traboules of Vieux Lyon", "open", "Vieux Lyon", 45.7627, 4.8276, 300, "People live here: walk, whisper."],
  ["z07", "Musée des Confluences", "safe", "Confluence", 45.7327, 4.8182, 150, "Second base, Sunday only."],
  ["z08", "Amphithéâtre des Trois Gaules", "open", "Croix-Rousse", 45.7707, 4.8306, 100, "Noon challenge."],
  ["z09", "Berges du Rhône", "open", "Guillotière", 45.7549, 4.8419, 600, "Lower quai partly closed: see announcements."],
  ["z10", "Schools and playgrounds", "forbidden", "everywhere", "", "", "", "All of them, all day."],
];

const MESSAGES = [
  "two of us, looking for the north gate",
  "tagged one, resting",
  "anyone from our team here?",
  "quiet so far",
  "leaving in ten minutes",
  "",
];

/** Who has said where they are on Sunday morning: one row a player, under their name. */
function checkins(): Table {
  const places = ZONES.filter(([, , kind]) => kind !== "forbidden").map(([, name]) => String(name));
  const there = players.filter(({ status }) => status === "alive" || status === "safe").filter((_, i) => i % 23 === 5);
  return there.map(({ name }, i) => [name, pick(places), pick(MESSAGES), at(1_380 + 4 * i)]);
}

const WORKBOOK: Readonly<Record<string, readonly [header: readonly string[], rows: Table]>> = {
  players: [["id", "name", "team", "status", "score", "code"], players.map((p) => [p.id, p.name, p.team, p.status, p.score, p.code])],
  actions: [["id", "player", "kind", "target", "note", "at"], actions()],
  teams: [["id", "name", "colour", "quarter", "captain", "members", "alive", "points"], teams()],
  schedule: [["id", "starts", "ends", "title", "place", "status"], SCHEDULE],
  announcements: [["id", "at", "kind", "title", "text"], ANNOUNCEMENTS],
  checkins: [["player", "zone", "message", "at"], checkins()],
  zones: [["id", "name", "kind", "quarter", "lat", "lon", "radius_m", "note"], ZONES],
};

const folder = process.argv[2] ?? fileURLToPath(new URL("../../config/sample/", import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [name, [header, rows]] of Object.entries(WORKBOOK))
  writeFileSync(join(folder, `${name}.csv`), [header, ...rows].map(csvRow).join(""));
