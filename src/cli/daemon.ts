/**
 * Puts the master together: the supervisor's loop, the listening sockets, the generations' plans, the watch over the machine,
 * and what systemd, the workers and the operator hear of it.
 */
import { dirname } from "node:path";
import { systemClock } from "../base/clock.ts";
import { compactor } from "../base/compact.ts";
import type { LogSink } from "../base/log.ts";
import type { Health, Question, ToChild } from "../base/protocol.ts";
import { appName, nameProcess } from "../base/title.ts";
import { seconds } from "../base/units.ts";
import type { UpstreamReport } from "../base/upstreamreport.ts";
import type { Master } from "../master/core/model.ts";
import { createArbiter, type Arbiter } from "../master/shell/arbiter.ts";
import { send } from "../master/shell/children.ts";
import type { ControlAnswer } from "../master/shell/control.ts";
import { createFurtherSockets } from "../master/shell/further-sockets.ts";
import { createMeasures } from "../master/shell/measures.ts";
import type { Notifier } from "../master/shell/notify.ts";
import { warnOfSilence } from "../master/shell/silence.ts";
import { createTotals } from "../master/shell/totals.ts";
import { feedWatchdog } from "../master/shell/watchdog.ts";
import type { World } from "../master/shell/world.ts";
import type { Wrapper } from "../master/shell/wrapper.ts";
import { brokerLost, healthOf, sessionStoreOf, slotsOf, upstreamOf } from "../master/snapshot.ts";
import type { Settings } from "../settings/table.ts";
import { createAnnouncer } from "./announcer.ts";
import { CERTIFICATE_EVERY, watchCertificate } from "./certificate-watch.ts";
import { createHooks } from "./hooks.ts";
import { createMonitor } from "./monitor.ts";
import { createOffspring, type OffspringParts } from "./offspring.ts";
import { brokerOf, createQuestions } from "./questions.ts";
import { takeSettingsBack } from "./reload.ts";
import { masterSnapshot, type Reporting } from "./snapshot.ts";
import type { SlotKeeper } from "./slots/keeper.ts";
import { policyOf } from "./state.ts";
import { limitedBy, logStats } from "./stats.ts";
import { statusLine } from "./status-line.ts";
import { createWatch } from "./watch.ts";

export interface DaemonParts extends OffspringParts {
  readonly sink: LogSink;
  readonly wrapper: Wrapper;
  readonly notifier: Notifier;
  readonly demo: boolean;
  readonly keeper: SlotKeeper;
  /** Everything became ready for the first time. */
  ready(): void;
  exit(code: number): void;
}

export interface Daemon extends Reporting {
  health(): Health;
  /** What the broker reports of Google; undefined: there is none, or it has not reported yet. */
  upstream(): Pick<UpstreamReport, "state" | "message"> | undefined;
  /** Asks the broker about the sessions that hold slots. */
  ask(question: Question): Promise<ControlAnswer>;
  /** Opens the log files again. @returns why the master's can't be. */
  reopen(): string | undefined;
}

const SAMPLE_EVERY = seconds(5);
const SILENCE_EVERY = seconds(0.5);
const STATS_EVERY = seconds(60);
const HOOKS_EVERY = seconds(1);
const DELIVERIES_EVERY = seconds(1);

/** Everything that lives as long as the master does. */
export function createDaemon(parts: DaemonParts): Daemon {
  const { sink, generations, notifier, demo, wrapper, keeper } = parts;
  const log = sink.log;
  const totals = createTotals();
  const further = createFurtherSockets(log, send);
  const measures = createMeasures(directories(generations.settings()));
  if (wrapper.missing !== "") log.warn(wrapper.missing);
  const fatal = sayOnce((text) => void process.stderr.write(`drover: ${text}\n`));
  const hooks = createHooks({ log, generations, wrapper, complain: fatal });
  const certificate = watchCertificate(log, systemClock);
  const notBatch = sayOnce((text) => (generations.settings().worker_scheduling === "batch" ? log.warn(text) : log.info(text)));
  const offspring = createOffspring(parts, wrapper, notBatch);

  const upstream = () => upstreamOf(arbiter.state(), arbiter);
  const health = (): Health =>
    healthOf(arbiter.state(), {
      demo,
      upstream: upstream(),
      slots: slots(),
      sessionStore: sessionStoreOf(arbiter.state(), arbiter),
      brokerLost: brokerLost(arbiter),
    });
  const slots = () => slotsOf(arbiter.state(), { children: arbiter.children, slots: arbiter.slots() });
  const limit = () => limitedBy(watch.over, upstream(), arbiter.children.values());
  const stats = (): void =>
    logStats(log, {
      state: arbiter.state(),
      totals,
      children: arbiter.children.values(),
      machine: watch.machine(),
      upstream: upstream(),
      limitedBy: limit(),
    });

  const announcer = createAnnouncer({
    notifier,
    state: () => arbiter.state(),
    health,
    line: () =>
      statusLine({ state: arbiter.state(), health: health(), upstream: upstream(), slots: slots(), children: arbiter.children.values() }),
    publish: (record) => arbiter.publish(record),
  });

  const announce = (what: "ready" | "reloading" | "stopping", state: Master): void => {
    if (what === "stopping") hooks.stopping(state);
    if (what === "ready") {
      measures.sample(arbiter.children.values());
      announcer.ready();
      hooks.ready({
        generation: state.generation,
        workers: state.target,
        addresses: parts.listeners.map(({ url }) => url),
      });
      parts.ready();
    } else announcer.begins(what);
  };

  const compactSoon = compactor();
  let rolling = false;
  const world: World = {
    ...offspring,
    clock: systemClock,
    log,
    totals,
    further,
    announce,
    fatal,
    beat: (child, beat) => measures.add(child, beat),
    born: (child) => hooks.born(child),
    died: (child, death) => {
      measures.forget(child.pid);
      further.left(child);
      hooks.died(child, death);
    },
    worn: (child) => watch.wore(child),
    told: (answer) => questions.told(answer),
    rolesForTables: () => (demo ? ["emulator", "broker"] : ["broker"]),
    policy: () => policyOf(generations.settings()),
    lend(child) {
      offspring.lend(child);
      if (child.role === "worker") send(child, { type: "health", health: health() }); // others follow when something changes
    },
    changed(state) {
      hooks.changed(state);
      nameProcess("master", 0, appName(generations.plan(state.generation).settings.app));
      certificate.served(generations.plan(state.generation).certificate);
      if (rolling && state.roll === undefined) compactSoon();
      rolling = state.roll !== undefined;
      generations.forget(state);
      const workers = takeSettingsBack(log, generations, state);
      if (workers !== undefined) arbiter.feed({ type: "scale", to: workers });
      further.settle(state);
    },
    exit(code) {
      const { log_file: target } = generations.settings();
      if (code !== 0 && "file" in target) world.fatal(`what happened before stands in ${target.file}`);
      monitor.close();
      further.close();
      void hooks.close().then(() => parts.exit(code));
    },
  };
  const arbiter: Arbiter = createArbiter(world, process.pid);
  const toBroker = (message: ToChild): boolean => {
    const broker = brokerOf(arbiter.state());
    const child = broker === undefined ? undefined : arbiter.children.get(broker);
    if (child !== undefined) send(child, message);
    return child !== undefined;
  };
  const questions = createQuestions(toBroker);
  const watch = createWatch({ log, arbiter, settings: () => generations.settings(), crossed: () => stats() });

  announcer.schedule(arbiter.agenda);
  const monitor = createMonitor({
    log,
    measures,
    snapshot: () => masterSnapshot(daemon),
    settings: () => generations.settings(),
    refusedReload: () => generations.refusal ?? null,
    keeper,
  });
  arbiter.agenda.every(SAMPLE_EVERY, () => {
    watch.round();
    arbiter.oom.sample();
    measures.sample(arbiter.children.values());
    keeper.look(masterSnapshot(daemon), measures.minuteP95());
    monitor.look();
  });
  arbiter.agenda.every(DELIVERIES_EVERY, () => monitor.tick());
  arbiter.agenda.every(SILENCE_EVERY, () => warnOfSilence(log, arbiter.state(), arbiter.children, systemClock.now()));
  arbiter.agenda.every(CERTIFICATE_EVERY, () => certificate.look());
  arbiter.agenda.every(STATS_EVERY, stats);
  arbiter.agenda.every(HOOKS_EVERY, () => hooks.look());

  const { watchdog: interval, alive } = notifier;
  if (interval !== undefined) feedWatchdog({ clock: systemClock, log, interval, pulse: arbiter.pulse, alive }, arbiter.agenda);

  const daemon: Daemon = {
    arbiter,
    watch,
    hooks,
    monitor,
    keeper,
    totals,
    startedAt: systemClock.now(),
    listeners: parts.listeners,
    demo,
    health,
    upstream,
    limitedBy: limit,
    ask: (question) => questions.ask(question),
    reopen() {
      const why = sink.reopen();
      arbiter.tellAll({ type: "reopen" });
      if (why === undefined) log.info("log files are open again");
      return why;
    },
  };
  return daemon;
}

/** Whose file systems may fill up. */
function directories({ data_dir, log_file: target }: Settings) {
  const log = "file" in target ? [{ name: "log" as const, path: dirname(target.file) }] : [];
  return [{ name: "data" as const, path: data_dir }, ...log];
}

/** Every worker fails to load an application for the same reason. */
function sayOnce(say: (text: string) => void): (text: string) => void {
  const said = new Set<string>();
  return (text) => {
    if (!said.has(text)) say(text);
    said.add(text);
  };
}
