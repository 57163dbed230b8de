/** MAX + 1 people come: the last is told that the server is full, and all slots are given back. */
import { counted } from "../terminal/figures.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../base/errors.ts";
import { seconds } from "../../base/units.ts";
import { LOGIN } from "../../load/profile.ts";
import type { Person } from "../../load/traffic.ts";
import { time, type Drill, type Scene } from "./drill.ts";
import { LeftOut } from "./report.ts";
import type { Reply } from "../../tools/http.ts";
import type { Service } from "./service.ts";

/** In the demo the limit is lowered to this many above who is in: there are fewer players than slots. */
const ROOM = 3;
/** The broker's beat, and the pause of the master's. */
const SEEN_WITHIN = seconds(15);
/** How long a login that a Ctrl-C met is waited for: its session is to be ended, too. */
const LATE = seconds(3);

/** Who is in by the drill's doing. */
interface Inside {
  readonly cookies: string[];
  /** A login without an answer so far. */
  entering: Promise<unknown> | undefined;
}

export const full = {
  name: "full",
  shows: "MAX + 1 people log in; the last is refused, and the slots are given back",
  run,
} as const satisfies Drill;

async function run({ service, report, undo, people }: Scene): Promise<void> {
  const before = await service.capacity();
  if (people === undefined) throw new LeftOut("nobody can log in: name test accounts with --users FILE (lines USER,CODE)");
  if ((await service.status()).slots === null) throw new LeftOut("nobody logs in here: the tables file names no users");
  const room = service.isDemo ? ROOM : before.max - before.current;
  const needed = Math.max(0, room) + 1;
  if (people.length < needed)
    throw new LeftOut(`${counted(needed, "test account")} would be needed to fill ${before.max} slots, and ${people.length} are named`);
  if (service.isDemo) await lower(service, { report, undo }, before);
  const { max } = await service.capacity();
  const inside: Inside = { cookies: [], entering: undefined };
  undo.later("no session of the drill is left", () => leaveAll(service, inside));
  const [last, ...first] = people.slice(0, needed).toReversed();
  let taken = 0;
  for (const person of first) {
    service.goOn();
    taken += (await enter(service, person, inside)).status === 200 ? 1 : 0;
  }
  report.must(
    taken === first.length,
    `${taken} of ${counted(first.length, "login")} got a slot: ${before.current + taken} of ${max} are taken`,
  );
  if (last !== undefined) refusedIn(await enter(service, last, inside), report);
  const seen = await service.until(SEEN_WITHIN, ({ slots }) => slots?.status === "FULL" && slots);
  report.step(
    seen !== undefined,
    seen === undefined ? "drover status does not say FULL" : `drover status says FULL (${seen.used}/${seen.max})`,
  );
  const health = await service.get("/healthz");
  report.step(health.status === 200, `who is in goes on being served: /healthz answers ${health.status}`);
  await leaveAll(service, inside);
  const free = await service.until(SEEN_WITHIN, ({ slots }) => slots !== null && slots.used <= before.current && slots);
  report.step(
    free !== undefined,
    free === undefined ? "the slots were not given back" : `the slots are given back: ${free.used} of ${free.max} are taken`,
  );
}

async function lower(
  service: Service,
  { report, undo }: Pick<Scene, "report" | "undo">,
  before: { current: number; max: number },
): Promise<void> {
  undo.later(`${before.max} slots again`, async () => {
    await service.admin("limits", { max_slots: before.max });
    await service.until(SEEN_WITHIN, ({ slots }) => slots?.max === before.max);
  });
  await service.admin("limits", { max_slots: before.current + ROOM });
  const seen = await service.until(SEEN_WITHIN, ({ slots }) => slots?.max === before.current + ROOM);
  report.must(seen !== undefined, `for the drill there are ${before.current + ROOM} slots instead of ${before.max}`);
}

async function enter(service: Service, { user, code }: Person, inside: Inside): Promise<Reply> {
  const fill = (text: string): string => JSON.stringify(text).slice(1, -1);
  const body = LOGIN.body.replace("{user}", () => fill(user)).replace("{code}", () => fill(code));
  const entering = service.request("POST", LOGIN.path, body, { outlasts: true }).then((reply) => {
    const [cookie] = (reply.headers["set-cookie"] ?? []).map((line) => line.split(";", 1)[0] ?? "");
    if (reply.status === 200 && cookie !== undefined) inside.cookies.push(cookie);
    inside.entering = undefined;
    return reply;
  });
  inside.entering = entering.catch(() => (inside.entering = undefined)); // who waits for the reply hears of it
  return await service.orInterrupted(entering);
}

/** Who could not be logged out stays in `inside`. @throws when there is anybody. */
async function leaveAll(service: Service, inside: Inside): Promise<void> {
  const late = new AbortController();
  await Promise.race([inside.entering, sleep(LATE, undefined, { signal: late.signal }).catch(() => {})]);
  late.abort();
  const stay: string[] = [];
  let why = inside.entering === undefined ? "" : `a login is not answered within ${time(LATE)}`;
  for (const cookie of inside.cookies.splice(0)) {
    const left = await service
      .request("POST", "/api/logout", "", { headers: { cookie } })
      .then(({ status }) => (status < 300 ? "" : `status ${status}`), messageOf);
    if (left === "") continue;
    stay.push(cookie);
    why = left;
  }
  inside.cookies.push(...stay);
  const count = stay.length + (inside.entering === undefined ? 0 : 1);
  service.goOn();
  if (count > 0) throw new Error(`${counted(count, "session")} of the drill could not be ended (${why}): they end with their leases`);
}

function refusedIn({ status, headers }: Reply, report: Scene["report"]): void {
  const reason = headers["x-drover-refused"];
  const wait = Number(headers["retry-after"]);
  report.step(status === 503 && reason === "full", `one more is refused: ${status}${reason === undefined ? "" : ` ${String(reason)}`}`);
  report.step(
    Number.isInteger(wait) && wait > 0,
    `and told to come again in ${Number.isNaN(wait) ? "no time that is named" : `${wait} s`}`,
  );
}
