/** Google is slow, or refuses for the quota: readers notice nothing, and writers wait. */
import { ms, seconds, type Ms } from "../../base/units.ts";
import { plural, time, type Drill, type Scene } from "./drill.ts";
import type { EmulatorOrders } from "./emulator.ts";
import { millis, type Answers, type Load } from "./load.ts";
import { DrillOver, LeftOut } from "./report.ts";
import type { Service } from "./service.ts";

/** Faults end by themselves, should the drill be killed. */
const FAULTS_LAST = seconds(240);
/** Of reads from memory while Google is slow: generous, for a machine that has much else to do. */
const FAST = ms(250);
/** Google's window of a minute, a second, and then a call. */
const LOCKED = seconds(61);
const SOON = seconds(20);
/** Between two looks at what takes a minute. */
const NOW_AND_THEN = ms(500);
/** How long the tables' rows may count as fresh for the drill to wait until they are not. */
const LONGEST_TTL = seconds(150);

export const slowUpstream = {
  name: "slow-upstream",
  shows: "Google is slow; reads stay fast, and what has expired is served as it is",
  needsEmulator: true,
  run: slow,
} as const satisfies Drill;

export const quota = {
  name: "quota",
  shows: "Google refuses for the quota; reads stay 200, writes are taken and land later",
  needsEmulator: true,
  run: refused,
} as const satisfies Drill;

async function emulatorOf({ service, undo }: Scene): Promise<EmulatorOrders> {
  const { emulator } = service;
  if (emulator === undefined) throw new LeftOut("the service does not read from an emulator that takes orders from here");
  const waiting = await emulator.waiting();
  if (waiting > 0) throw new DrillOver(`${plural(waiting, "fault")} of somebody else's wait in the emulator: clear them first`);
  undo.later("no fault waits in the emulator", () => emulator.clear());
  return emulator;
}

/** The public table whose rows expire first, and when at the latest. */
async function quickest(service: Service, load: Load): Promise<{ readonly path: string; readonly expires: Ms }> {
  const { upstream } = await service.status();
  const tables = (upstream?.tables ?? []).flatMap(({ name, ttl, stretchedTo }) => {
    const path = `/api/tables/${name}`;
    const fresh = Math.max(ttl ?? 0, stretchedTo ?? 0);
    return fresh > 0 && load.endpoints.some((one) => one.path === path) ? [{ path, expires: ms(fresh) }] : [];
  });
  const [first] = tables.toSorted((a, b) => a.expires - b.expires);
  if (first === undefined) throw new LeftOut("no table can be read by everybody");
  if (first.expires > LONGEST_TTL)
    throw new LeftOut(`no table's rows expire within ${time(LONGEST_TTL)}: ${first.path} keeps them for ${time(first.expires)}`);
  return first;
}

async function slow(scene: Scene): Promise<void> {
  const { service, report } = scene;
  const emulator = await emulatorOf(scene);
  const load = await scene.load();
  const { path, expires } = await quickest(service, load);
  // Not so slow that calls fail: that is another thing.
  const delay = Math.max(500, Math.min(4_000, Math.round(service.settings.upstream_timeout / 2)));
  await emulator.order(`latency=${delay}ms,method=read,for=${FAULTS_LAST}ms`);
  report.step(true, `every call to the emulator now takes ${time(delay)} more`);
  report.say(`waiting until the rows of ${path} expire (${time(expires)})`);
  const stale = await service.poll(ms(expires + delay + SOON), async () => {
    const reply = await service.get(path);
    return reply.headers["x-cache"] === "STALE" && reply;
  });
  report.must(
    stale !== undefined,
    stale === undefined
      ? `${path} was never served stale`
      : `expired rows are served as they are: X-Cache: STALE, Age: ${String(stale.headers["age"])}, in ${millis(stale.tookMs)}`,
  );
  const answers = await load.stop();
  steady(report, answers, "while Google was slow");
  report.step(answers.p95 <= FAST, `95 % of them within ${millis(answers.p95)} (at most ${FAST} ms)`);
  await emulator.clear();
  const fresh = await service.poll(ms(delay + SOON), async () => {
    const reply = await service.get(path);
    return reply.headers["x-cache"] === "HIT" && reply;
  });
  report.step(
    fresh !== undefined,
    fresh === undefined ? "the rows did not become fresh again" : "Google is fast again, and so are the rows: X-Cache: HIT",
  );
}

async function refused(scene: Scene): Promise<void> {
  const { service, report } = scene;
  const emulator = await emulatorOf(scene);
  const load = await scene.load();
  const refusal = (method: string): string => `quota=${seconds(5)}ms,method=${method},times=1,for=${FAULTS_LAST}ms`;
  await emulator.order(refusal("write"));
  const row = await write(scene, load);
  if (row !== undefined) {
    const shut = await service.until(SOON, ({ upstream }) => (upstream?.writes?.quota.lockedUntil ?? 0) > 0);
    report.must(
      shut !== undefined,
      shut === undefined ? "its way to the sheet met no 429" : "its way to the sheet meets a 429, as if the quota of writes were used up",
    );
  }
  await emulator.order(refusal("read"));
  await service.admin("cache/purge");
  const locked = await service.until(SOON, ({ upstream }) => upstream?.state === "locked");
  report.must(
    locked !== undefined,
    locked === undefined ? "reading the sheet met no 429" : "reading the sheet meets a 429, too: drover asks no more for a minute",
  );
  const [path = "/"] = load.endpoints.flatMap((one) => (one.class === "read" ? [one.path] : []));
  const read = await service.get(path);
  report.step(read.status === 200, `${path} answers ${read.status} from memory: X-Cache: ${String(read.headers["x-cache"])}`);
  if (row !== undefined) await landed(scene, row);
  const open = await service.until(ms(LOCKED + SOON), ({ upstream }) => upstream?.state === "ok");
  report.step(open !== undefined, open === undefined ? "Google is not asked again" : "Google is asked again");
  steady(report, await load.stop(), "while Google refused");
}

interface Row {
  readonly id: string;
  readonly key: string;
  readonly table: string;
  readonly at: number;
}

/** A row where everybody may add one, and only to a demo. */
async function write({ service, report, undo }: Scene, load: Load): Promise<Row | undefined> {
  const endpoint = load.endpoints.find((one) => one.class === "write");
  if (endpoint?.body === undefined) {
    report.say("nothing is written: rows are only added to a demo whose table everybody may add to");
    return undefined;
  }
  const table = endpoint.path.replace("/api/tables/", "");
  const at = performance.now();
  service.goOn();
  const reply = await service.request("POST", endpoint.path, endpoint.body.replaceAll("{n}", "of a drill"), { outlasts: true }); // a row that is taken is deleted again
  const written =
    reply.status === 201 ? (JSON.parse(reply.body) as { write: { id: string; key: string; state: string } }).write : undefined;
  report.must(
    written !== undefined,
    written === undefined
      ? `a row was refused: ${reply.status} ${reply.body.slice(0, 200)}`
      : `a row is taken: ${reply.status} in ${millis(reply.tookMs)}, ${written.state} on this machine's disk`,
  );
  const { id, key } = written as { id: string; key: string };
  undo.later(`the row ${key} is gone from ${table}`, async () => {
    const { spreadsheetId } = await sheetOf(service);
    await service.poll(ms(LOCKED + SOON), async () => ["landed", "parked"].includes(await stateOf(service, id)), NOW_AND_THEN);
    await service.emulator?.remove(spreadsheetId, table, key);
    await service.admin("cache/purge", { table });
  });
  return { id, key, table, at };
}

async function landed({ service, report }: Scene, { id, at }: Row): Promise<void> {
  report.say(`waiting for the end of Google's minute (${time(LOCKED)})`);
  const there = await service.poll(ms(LOCKED + SOON), async () => (await stateOf(service, id)) === "landed", NOW_AND_THEN);
  report.step(
    there !== undefined,
    there === undefined ? "the row did not land" : `the row is in the spreadsheet after ${time(performance.now() - at)}`,
  );
}

const stateOf = async (service: Service, id: string): Promise<string> =>
  (JSON.parse((await service.get(`/api/writes/${id}`)).body) as { write?: { state?: string } }).write?.state ?? "";

async function sheetOf(service: Service): Promise<{ readonly spreadsheetId: string }> {
  const [first] = (await service.status()).upstream?.spreadsheets ?? [];
  if (first === undefined) throw new Error("the status names no spreadsheet");
  return { spreadsheetId: first.id };
}

function steady(report: Scene["report"], { requests, lost, refused: no, whys }: Answers, when: string): void {
  const bad = lost + no;
  report.step(bad === 0 && requests > 0, `${bad} of ${plural(requests, "read")} failed ${when}${whys === "" ? "" : ` (${whys})`}`);
}
