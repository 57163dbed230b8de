/** The columns of the table, each with what it shows, what it sorts by, and when a narrow terminal loses it. */
import type { ChildView, PlaceView } from "../../master/snapshot.ts";
import { mib, millis, percent, rate, span } from "../terminal/figures.ts";
import type { Tone } from "../terminal/line.ts";
import type { Rates } from "./rates.ts";

/** One process of a place, or the place without one. */
export interface Row {
  readonly place: PlaceView;
  readonly part: "main" | "next" | "leaving";
  readonly child: ChildView | null;
  readonly rates: Rates;
  /** Wall clock of the daemon, milliseconds. */
  readonly at: number;
}

export type ColumnName =
  | "slot"
  | "pid"
  | "gen"
  | "state"
  | "up"
  | "reqs"
  | "busy"
  | "conn"
  | "elu"
  | "delay"
  | "rss"
  | "cpu"
  | "died"
  | "death";

export interface Column {
  readonly name: ColumnName;
  readonly title: string;
  readonly width: number;
  readonly align: "left" | "right";
  /** The highest go first when there is no room; 0 stays. */
  readonly sheds: number;
  text(row: Row): string;
  /** Sorted by; null comes last either way. */
  value(row: Row): number | string | null;
}

const whole = (n: number | null | undefined): string => (n === null || n === undefined ? "–" : String(n));
/** Columns are narrow: "12%", "89M". */
const tight = (text: string): string => text.replace(" %", "%").replace(" MiB", "M");
const perSecond = ({ child, rates }: Row): number | null => (child === null ? null : (rates.get(child.pid)?.perSecond ?? null));
const generationOf = ({ child, place }: Row): number => child?.generation ?? place.generation;
const isMain = (row: Row): boolean => row.part === "main";

export const COLUMNS: readonly Column[] = [
  column("slot", "SLOT", { width: 8, sheds: 0, align: "left" }, slotText, ({ place }) => place.slot),
  column(
    "pid",
    "PID",
    { width: 7, sheds: 6 },
    ({ child }) => whole(child?.pid),
    ({ child }) => child?.pid,
  ),
  column("gen", "GEN", { width: 3, sheds: 10 }, (row) => whole(generationOf(row)), generationOf),
  column("state", "STATE", { width: 8, sheds: 0, align: "left" }, stateText, stateText),
  column(
    "up",
    "UP",
    { width: 6, sheds: 9 },
    ({ child }) => span(child?.uptime ?? null),
    ({ child }) => child?.uptime,
  ),
  column("reqs", "REQ/S", { width: 5, sheds: 1 }, (row) => rate(perSecond(row)), perSecond),
  column(
    "busy",
    "BUSY",
    { width: 4, sheds: 8 },
    ({ child }) => whole(child?.inFlight),
    ({ child }) => child?.inFlight,
  ),
  column("conn", "CONN", { width: 5, sheds: 11 }, connectionsText, ({ child }) => child?.connections),
  column(
    "elu",
    "ELU",
    { width: 4, sheds: 4 },
    ({ child }) => tight(percent(child?.elu ?? null)),
    ({ child }) => child?.elu,
  ),
  column("delay", "DELAY", { width: 5, sheds: 7 }, delayText, ({ child }) => child?.delayP99),
  column(
    "rss",
    "RSS",
    { width: 5, sheds: 3 },
    ({ child }) => tight(mib(child?.rss ?? null)),
    ({ child }) => child?.rss,
  ),
  column(
    "cpu",
    "CPU",
    { width: 4, sheds: 2 },
    ({ child }) => tight(percent(child?.cpu ?? null)),
    ({ child }) => child?.cpu,
  ),
  column(
    "died",
    "DIED",
    { width: 4, sheds: 5 },
    (row) => (isMain(row) ? whole(row.place.restarts) : ""),
    ({ place }) => place.restarts,
  ),
  column("death", "LAST DEATH", { width: 12, sheds: 12, align: "left" }, deathText, ({ place }) => place.lastDeath?.at),
];

interface Shape {
  readonly width: number;
  readonly sheds: number;
  readonly align?: "left";
}

type Value = number | string | null | undefined;

function column(
  name: ColumnName,
  title: string,
  { width, sheds, align }: Shape,
  text: (row: Row) => string,
  value: (row: Row) => Value,
): Column {
  return { name, title, width, sheds, align: align ?? "right", text, value: (row) => value(row) ?? null };
}

function slotText({ place, part }: Row): string {
  if (part !== "main") return ` ${part}`;
  return place.role === "worker" ? String(place.slot) : place.role;
}

/** The state; of a place that backs off, for how long still. */
function stateText({ place, part, child }: Row): string {
  const state = part === "main" ? place.state : (child?.state ?? "–");
  return state === "waiting" && place.retryIn !== null ? `in ${span(place.retryIn)}` : state;
}

function connectionsText({ child }: Row): string {
  return `${whole(child?.connections)}${child?.full === true ? "!" : ""}`;
}

/** A worker that is stuck tells nothing of its delay: then how long it has been silent is what there is to see. */
const SILENT = 3_000;
const isSilent = ({ child }: Row): boolean => (child?.beatAge ?? 0) >= SILENT;

function delayText(row: Row): string {
  const late = row.child?.delayP99 ?? null;
  if (isSilent(row)) return `>${span(row.child?.beatAge ?? null)}`;
  return late === null || late < 1_000 ? millis(late).replace(" ", "") : `${(late / 1_000).toFixed(late < 10_000 ? 1 : 0)}s`;
}

/** How much a row wants to be seen. */
export function toneOf(row: Row): Tone {
  const state = row.part === "main" ? row.place.state : (row.child?.state ?? "vacant");
  if (["waiting", "examined", "killed"].includes(state) || isSilent(row)) return "bad";
  return state === "ready" ? "plain" : "warn";
}

function deathText({ place, part, at }: Row): string {
  const { lastDeath } = place;
  if (part !== "main" || lastDeath === null) return "";
  return `${lastDeath.name} ${span(at - lastDeath.at)} ago, ${lastDeath.how}`;
}

/** The columns that have room: every one if it can be, else without those that are given up first. One blank between them. */
export function columnsFor(width: number): readonly Column[] {
  let chosen = [...COLUMNS];
  const needed = (): number => chosen.reduce((sum, column) => sum + column.width + 1, -1);
  while (needed() > width && chosen.some((column) => column.sheds > 0)) {
    const most = Math.max(...chosen.map((column) => column.sheds));
    const loser = chosen.findLast((column) => column.sheds === most);
    chosen = chosen.filter((column) => column !== loser);
  }
  return chosen;
}
