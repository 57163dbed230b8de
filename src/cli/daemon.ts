/**
 * Puts the master together: the supervisor's loop, the listening sockets, the generations' plans, the watch over the machine,
 * and what systemd, the workers and the operator hear of it.
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../base/clock.ts";
import { errnoOf } from "../base/errors.ts";
import type { AdminKeys } from "../base/adminkeys.ts";
import type { LogSink } from "../base/log.ts";
import type { Health, Question, ToChild } from "../base/protocol.ts";
import { ownModule } from "../base/place.ts";
import { seconds, type Instant } from "../base/units.ts";
import type { Master } from "../master/core/model.ts";
import { createArbiter, type Arbiter, type World } from "../master/shell/arbiter.ts";
import { send, type Child } from "../master/shell/children.ts";
import type { ControlAnswer } from "../master/shell/control.ts";
import type { Listener } from "../master/shell/listeners.ts";
import type { Notifier } from "../master/shell/notify.ts";
import { warnOfSilence } from "../master/shell/silence.ts";
import { findWrapper, spawnChild } from "../master/shell/spawn.ts";
import { feedWatchdog } from "../master/shell/watchdog.ts";
import { createMeasures } from "../master/shell/measures.ts";
import { createTotals, type Totals } from "../master/shell/totals.ts";
import { CERTIFICATE_EVERY, watchCertificate } from "./certificate-watch.ts";
import type { Settings } from "../settings/table.ts";
import { childEnv, nodeFlags } from "./child-env.ts";
import { configureMessage } from "./configure.ts";
import type { Generations } from "./generations.ts";
import type { Plan } from "./plan.ts";
import { createHooks, type DaemonHooks } from "./hooks.ts";
import { healthOf, slotsOf, upstreamOf } from "../master/snapshot.ts";
import { createMonitor, type Monitor } from "./monitor.ts";
import { brokerOf, createQuestions } from "./questions.ts";
import { masterSnapshot } from "./snapshot.ts";
import { policyOf } from "./state.ts";
import { statusLine } from "./status-line.ts";
import { limitedBy, logStats } from "./stats.ts";
import { createWatch, type Watch } from "./watch.ts";

export interface DaemonParts {
  readonly sink: LogSink;
  readonly listeners: readonly Listener[];
  /** Where the embedded emulator listens, in demo. */
  readonly emulator: Listener | undefined;
  readonly generations: Generations;
  readonly notifier: Notifier;
  readonly demo: boolean;
  /** Who may administer: told to each worker of a generation as it starts; undefined: its application is not ours, and is told nothing. */
  adminKeys(generation: number): AdminKeys | undefined;
  /** A generation's plan with what operators have changed since. */
  adjusted(plan: Plan): Plan;
  /** Everything became ready for the first time. */
  ready(): void;
  exit(code: number): void;
}

export interface Daemon {
  readonly arbiter: Arbiter;
  readonly watch: Watch;
  readonly hooks: DaemonHooks;
  readonly monitor: Monitor;
  readonly totals: Totals;
  readonly startedAt: Instant;
  readonly listeners: readonly Listener[];
  readonly demo: boolean;
  health(): Health;
  limitedBy(): ReturnType<typeof limitedBy>;
  /** Asks the broker about the sessions that hold slots. */
  ask(question: Question): Promise<ControlAnswer>;
  reopen(): void;
}

const CHILD = fileURLToPath(ownModule("cli/child"));
const SAMPLE_EVERY = seconds(5);
const SILENCE_EVERY = seconds(0.5);
const STATS_EVERY = seconds(60);
const HOOKS_EVERY = seconds(1);
const HEALTH_EVERY = seconds(1);
const DELIVERIES_EVERY = seconds(1);
/** Numbers of the status line; what matters shows within a second. */
const STATUS_EVERY = seconds(5);
/** systemd's timeouts are pushed ahead by this much, this often, while a boot, a roll or a drain goes on: each has deadlines of its own. */
const EXTEND_EVERY = seconds(5);
const EXTEND_BY = seconds(15);

export function createDaemon(parts: DaemonParts): Daemon {
  const { sink, generations, notifier, demo } = parts;
  const log = sink.log;
  const totals = createTotals();
  const measures = createMeasures(directories(generations.settings()));
  const wrapper = findWrapper();
  if (wrapper.missing !== "") log.warn(wrapper.missing);
  const fatal = sayOnce((text) => void process.stderr.write(`drover: ${text}\n`));
  const hooks = createHooks({ log, generations, wrapper, complain: fatal });
  const certificate = watchCertificate(log, systemClock);
  let published = "";
  let told = "";

  const upstream = () => upstreamOf(arbiter.state(), arbiter);
  const health = (): Health => healthOf(arbiter.state(), demo, upstream(), slots());
  const slots = () => slotsOf(arbiter.state(), arbiter);
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

  /** Tells the workers, and systemd, what has changed. */
  const publish = (): void => {
    const record = health();
    const text = JSON.stringify(record);
    if (text === published) return;
    published = text;
    arbiter.publish(record);
    tellStatus();
  };

  const line = (): string =>
    statusLine({ state: arbiter.state(), health: health(), upstream: upstream(), slots: slots(), children: arbiter.children.values() });
  const tellStatus = (): void => {
    const text = line();
    if (text !== told) notifier.status(text);
    told = text;
  };

  const announce = (what: "ready" | "reloading" | "stopping", state: Master): void => {
    if (what === "stopping") hooks.stopping(state);
    if (what === "ready") {
      measures.sample(arbiter.children.values());
      notifier.ready((told = line()));
      publish();
      hooks.ready({
        generation: state.generation,
        workers: state.target,
        addresses: parts.listeners.map(({ url }) => url),
      });
      parts.ready();
    } else {
      notifier[what]();
      notifier.extend(EXTEND_BY * 1_000); // the unit's timeout may be shorter than EXTEND_EVERY
      tellStatus();
    }
  };

  const world: World = {
    clock: systemClock,
    log,
    totals,
    announce,
    fatal,
    beat: (child, beat) => measures.add(child, beat),
    born: (child) => hooks.born(child),
    died: (child, death) => (measures.forget(child.pid), hooks.died(child, death)),
    told: (answer) => questions.told(answer),
    posted: (answer) => monitor.posted(answer),
    rolesForTables: () => (demo ? ["emulator", "broker"] : ["broker"]),
    policy: () => policyOf(generations.settings()),
    fork: (role, nr, generation) => {
      const { settings, app } = generations.plan(generation);
      return spawnChild(
        {
          role,
          slot: nr,
          entry: CHILD,
          nodeFlags: nodeFlags(role, { ...settings, ownCode: role !== "worker" || app === undefined }),
          env: childEnv(process.env),
        },
        wrapper,
      );
    },
    configure: (role, nr, generation) =>
      configureMessage(role, nr, parts.adjusted(generations.plan(generation)), {
        listeners: parts.listeners,
        emulatorUrl: parts.emulator?.url,
      }),
    lend(child) {
      lend(child, parts);
      if (child.role === "worker") send(child, { type: "health", health: health() }); // others follow when something changes
    },
    kill,
    inspectable: (generation) => generations.plan(generation).settings.autopsy,
    changed(state) {
      hooks.changed(state);
      certificate.served(generations.plan(state.generation).certificate);
      forgetOld(state, generations);
    },
    exit(code) {
      const { log_file: target } = generations.settings();
      if (code !== 0 && "file" in target) world.fatal(`what happened before stands in ${target.file}`);
      monitor.close();
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

  const underWay = (): boolean => {
    const { mode, booted, roll } = arbiter.state();
    return mode.is === "stopping" || !booted || roll !== undefined;
  };
  arbiter.agenda.every(HEALTH_EVERY, () => {
    publish();
    if (underWay()) tellStatus(); // how far it is
  });
  arbiter.agenda.every(STATUS_EVERY, tellStatus);
  const monitor = createMonitor({
    log,
    measures,
    snapshot: () => masterSnapshot(daemon),
    settings: () => generations.settings(),
    refusedReload: () => generations.refusal ?? null,
    send: (post) => toBroker({ type: "post", post }),
  });
  arbiter.agenda.every(SAMPLE_EVERY, () => {
    watch.round();
    arbiter.oom.sample();
    measures.sample(arbiter.children.values());
    monitor.look();
  });
  arbiter.agenda.every(DELIVERIES_EVERY, () => monitor.tick());
  arbiter.agenda.every(SILENCE_EVERY, () =>
    warnOfSilence(log, arbiter.state(), arbiter.children, { at: systemClock.now(), timeout: generations.settings().timeout }),
  );
  arbiter.agenda.every(CERTIFICATE_EVERY, () => certificate.look());
  arbiter.agenda.every(STATS_EVERY, stats);
  arbiter.agenda.every(HOOKS_EVERY, () => hooks.look());
  arbiter.agenda.every(EXTEND_EVERY, () => {
    if (underWay()) notifier.extend(EXTEND_BY * 1_000);
  });

  const { watchdog: interval, alive } = notifier;
  if (interval !== undefined) feedWatchdog({ clock: systemClock, log, interval, pulse: arbiter.pulse, alive }, arbiter.agenda);

  const daemon: Daemon = {
    arbiter,
    watch,
    hooks,
    monitor,
    totals,
    startedAt: systemClock.now(),
    listeners: parts.listeners,
    demo,
    health,
    limitedBy: limit,
    ask: (question) => questions.ask(question),
    reopen() {
      sink.reopen();
      arbiter.tellAll({ type: "reopen" });
      log.info("log files are open again");
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

function lend(child: Child, { listeners, emulator, adminKeys }: DaemonParts): void {
  if (child.role === "broker") return;
  const keys = child.role === "worker" ? adminKeys(child.generation) : undefined;
  if (keys !== undefined) send(child, { type: "admin", keys });
  const own = child.role === "worker" ? listeners : emulator === undefined ? [] : [emulator];
  for (const [address, listener] of own.entries()) send(child, { type: "handle", address }, listener.handle);
}

/** Signals a process that we forked and that has not been reaped: its pid can't be another's. */
function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errnoOf(error) !== "ESRCH") throw error; // it died by itself a moment ago
  }
}

function forgetOld(state: Master, generations: Generations): void {
  let oldest = Math.min(state.generation, state.roll?.from ?? Infinity); // a roll may lead back
  for (const place of state.places.values()) {
    oldest = Math.min(oldest, place.generation); // what a place that waits will start
    for (const slot of [place.incumbent, place.successor, ...place.leaving])
      if ("generation" in slot) oldest = Math.min(oldest, slot.generation);
  }
  generations.forget(oldest);
}
