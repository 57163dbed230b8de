/** A worker is lost under load, killed or stopped: the others answer, another takes its place. */
import { counted } from "../terminal/figures.ts";
import { errnoOf, messageOf } from "../../base/errors.ts";
import { ms, seconds, type Ms } from "../../base/units.ts";
import { time, type Drill, type Scene } from "./drill.ts";
import { millis, type Answers } from "./load.ts";
import { DrillOver } from "./report.ts";
import { victimOf, workersOf, type Service } from "./service.ts";

/** A worker that dies is replaced at once; this is for a machine that has much else to do. */
const REPLACED_WITHIN = seconds(20);
/** Beyond the timeout: the examination, the kill, the start of another. */
const AFTER_TIMEOUT = seconds(25);
/** What the load goes on for after it. */
const AFTERWARDS = seconds(1);

/** Until a worker says how many connections it has: its beat. */
const HOLDS_WITHIN = seconds(3);

/** Seconds without an answer. Readers pause for half a second to one and a half each: where they are few, a second is empty by chance. */
const SILENT = 2;
/** As it is said: in tenths of a second. */
export const isSilent = (silence: number): boolean => Math.round(silence * 10) / 10 >= SILENT;

type Death = "killed" | "stopped";

export const killWorker = {
  name: "kill-worker",
  shows: "a worker is killed under load; the others answer, and another takes its place",
  run: (scene) => lose(scene, "killed"),
} as const satisfies Drill;

export const stuck = {
  name: "stuck",
  shows: "a worker hangs; the others answer, and it is replaced after DROVER_TIMEOUT",
  run: (scene) => lose(scene, "stopped"),
} as const satisfies Drill;

interface Victim {
  readonly id: string;
  readonly slot: number;
  readonly pid: number;
  /** How long it may be silent: DROVER_TIMEOUT as the daemon had it when the worker started. */
  readonly timeout: Ms;
  /** Connections in its hands, as it said last. */
  readonly connections: number;
}

async function lose(scene: Scene, how: Death): Promise<void> {
  const { service, report } = scene;
  const { workers } = await ready(service, report);
  const load = await scene.load();
  const victim = await chosen(service, performance.now());
  const begun = performance.now();
  strike(scene, victim, how);
  const within = how === "killed" ? REPLACED_WITHIN : ms(victim.timeout + AFTER_TIMEOUT);
  const does = how === "killed" ? "killed (SIGKILL)" : `stopped (SIGSTOP), as one that hangs; it may be silent for ${time(victim.timeout)}`;
  report.step(true, `worker ${victim.slot} (pid ${victim.pid}) is ${does}`);
  if (how === "stopped") await noticed(scene, victim, within);
  const back = await service.until(within, (now) =>
    now.places.find(({ id, state, child }) => id === victim.id && state === "ready" && child?.pid !== victim.pid),
  );
  const took = performance.now() - begun;
  report.must(
    back !== undefined,
    back === undefined
      ? "no other worker took its place"
      : `worker ${victim.slot} (pid ${back.child?.pid ?? 0}) serves in its place after ${time(took)}`,
  );
  await service.pause(AFTERWARDS);
  judge(report, await load.stop(), { victim, workers, lasted: took });
}

/** @throws DrillOver when it is not. */
async function noticed({ service, report }: Scene, { id, pid }: Victim, within: Ms): Promise<void> {
  const begun = performance.now();
  const gone = await service.until(within, ({ places }) => places.find((each) => each.id === id && each.lastDeath?.pid === pid)?.lastDeath);
  const took = time(performance.now() - begun);
  report.must(
    gone !== undefined && gone !== null,
    gone === undefined ? `nobody noticed within ${took}` : `it was noticed and killed after ${took}`,
  );
  report.step(gone?.name === "stuck", `drover calls it ${gone?.name ?? "nothing"}: ${gone?.how ?? ""}`);
}

/** @throws DrillOver when it is in no state for a drill. */
async function ready(service: Service, report: Scene["report"]): Promise<{ readonly workers: number }> {
  const status = await service.until(REPLACED_WITHIN, (now) => now.state === "running" && now.workers.ready >= now.workers.target && now);
  if (status === undefined) throw new DrillOver("not all workers are ready");
  const { ready: there, target } = status.workers;
  report.step(true, `${there} of ${counted(target, "worker")} are ready`);
  return { workers: target };
}

/** @param since when all readers had connected, monotonic ms: what it said before counts some of their connections. */
async function chosen(service: Service, since: number): Promise<Victim> {
  const seen = await service.until(HOLDS_WITHIN, (now) => {
    const { connections, beatAge } = victimOf(now)?.child ?? {};
    return (connections ?? 0) > 0 && (beatAge ?? Infinity) < performance.now() - since && now;
  });
  const status = seen ?? (await service.status());
  const place = victimOf(status);
  if (place?.child === undefined || place.child === null)
    throw new DrillOver(`none of ${counted(workersOf(status).length, "worker")} is ready`);
  return {
    id: place.id,
    slot: place.slot,
    pid: place.child.pid,
    timeout: place.child.beatTimeout ?? service.settings.timeout,
    connections: place.child.connections ?? 0,
  };
}

/** The pid is that of a child which the master has not reaped, as of a moment ago. */
function strike({ undo, service }: Scene, { id, pid }: Victim, how: Death): void {
  try {
    process.kill(pid, how === "killed" ? "SIGKILL" : "SIGSTOP");
  } catch (error) {
    const why = errnoOf(error) === "EPERM" ? "it is another user's: use sudo" : messageOf(error);
    throw new DrillOver(`worker pid ${pid} could not be ${how}: ${why}`);
  }
  if (how === "killed") return;
  undo.later(`pid ${pid} is not stopped any more`, async () => {
    const { places } = await service.status();
    if (places.some((place) => place.id === id && place.child?.pid === pid)) process.kill(pid, "SIGCONT");
  });
}

/** @param lasted ms that the worker was missed. */
function judge(
  report: Scene["report"],
  answers: Answers,
  { victim, workers, lasted }: { victim: Victim; workers: number; lasted: Ms | number },
): void {
  const { good, lost, requests, p95, whys, silence } = answers;
  if (workers > 1)
    report.step(
      good > 0 && !isSilent(silence),
      `the other ${counted(workers - 1, "worker")} answered meanwhile: ${good} reads, 95 % within ${millis(p95)}${silence === 0 ? "" : `; nobody was answered for ${time(silence * 1_000)}`}`,
    );
  else
    report.step(
      good > 0,
      `it is the only worker: clients waited up to ${time(lasted)} in the kernel's queue, and ${good} reads were answered`,
    );
  const most = Math.max(1, victim.connections);
  report.step(
    lost <= most,
    `${lost} of ${requests} reads were lost${whys === "" ? "" : ` (${whys})`}; it held ${counted(victim.connections, "connection")}`,
  );
}
