/** `drover serve`: from a command line to a running daemon. Every step that can fail does so before anything is forked. */
import { stat } from "node:fs/promises";
import { systemClock } from "../base/clock.ts";
import { compactOnceIdle } from "../base/compact.ts";
import { holdReserve, MASTER_RESERVE } from "../base/descriptors.ts";
import { DroverError, messageOf } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import { createLog, type Logger, type LogSink } from "../base/log.ts";
import { dropRoot, isRoot } from "../base/owner.ts";
import { removeSocket } from "../base/socketfile.ts";
import { readableStack } from "../base/sources.ts";
import { storageError } from "../base/storage.ts";
import { appName, nameProcess } from "../base/title.ts";
import { ms } from "../base/units.ts";
import { openAccount } from "../tools/emulator/service-account.ts";
import { queueOnly } from "../base/held.ts";
import { endSoon } from "./ending.ts";
import { emulatorKey } from "./plan.ts";
import { selfTestHandles } from "../base/heldtest.ts";
import { activatedSockets } from "../master/shell/activation.ts";
import { checkBind, locateSockets } from "../master/shell/activation-check.ts";
import { bindAddress, type Listener } from "../master/shell/listeners.ts";
import { lockDataDir } from "../master/shell/lock.ts";
import { createNotifier } from "../master/shell/notify.ts";
import type { HeldSignals } from "../master/shell/signals.ts";
import { findWrapper } from "../master/shell/wrapper.ts";
import { addressName, type BindAddress } from "../settings/addresses.ts";
import { demoIsOn } from "../settings/demo.ts";
import type { Resolved } from "../settings/resolve.ts";
import type { Settings } from "../settings/table.ts";
import { sourceText } from "../settings/source.ts";
import { accountOf, checkReadable, enterAccount, ROOT_WARNING, type Account } from "./account.ts";
import { createAdministration } from "./administration.ts";
import { createCommands } from "./commands-control.ts";
import { brokerSocket } from "./configure.ts";
import { openControl } from "./control-socket.ts";
import { createDaemon, type Daemon } from "./daemon.ts";
import { handOver } from "./directories.ts";
import { createGenerations, type Generations } from "./generations.ts";
import { greet, sayStart } from "./greet.ts";
import { heldSignals } from "./first.ts";
import { finishRestore } from "../tools/backup/swap.ts";
import { keyModeWarnings } from "./key-mode.ts";
import { readOptions, type Options } from "./options.ts";
import type { Plan } from "./plan.ts";
import { noteRunning, prepareDirectories } from "./places.ts";
import { createSlotKeeper } from "./slots/keeper.ts";
import { undoAll, type Undo } from "./undo.ts";
import { createUpkeep } from "./upkeep.ts";

export async function serve(argv: readonly string[]): Promise<number> {
  endSoon();
  holdReserve(MASTER_RESERVE);
  const early = heldSignals();
  const options = readServeOptions(argv);
  const underSystemd = process.env["SYSTEMD_EXEC_PID"] === String(process.pid) || process.env["NOTIFY_SOCKET"] !== undefined;
  const { settings } = options.resolved;
  nameProcess("master", 0, appName(settings.app));
  const demo = demoIsOn(settings, {
    command: options.own.has("from-npm-start") ? "start" : "serve",
    underSystemd,
    container: options.machine.container,
    app: settings.app,
  });
  const account = accountOf(settings);
  if (account !== undefined) {
    handOver(settings, account);
    enterAccount(account); // before anything in a directory of this user's is opened
  }
  const narrowed = prepareDirectories(settings, options.machine.container);
  const sink = openLog(settings);
  for (const text of narrowed) sink.log.warn(text);
  const undo: Undo[] = [];
  const leave = (): void => undoAll(undo, sink.log);
  endOnFault(sink, leave);
  try {
    return await run({ options, demo, sink, undo, early, account });
  } catch (error) {
    sink.log.fatal({ err: error }, `drover can't start: ${messageOf(error)}`);
    throw error;
  } finally {
    leave();
  }
}

/** What nobody caught ends the master, as it must: its state can't be trusted any more. But the log says why, and nothing is left behind. */
function endOnFault({ log }: LogSink, leave: () => void): void {
  process.once("uncaughtException", (error) => {
    log.fatal({ err: error }, `a fault of drover ends it (please report it): ${messageOf(error)}`);
    process.stderr.write(`drover: ${messageOf(error)} (a fault of drover: please report it)\n${readableStack(error.stack ?? "")}\n`);
    leave();
    process.exit(EXIT.bug.code);
  });
}

/** @throws DroverError naming the file and the setting when it can't be written. */
function openLog({ log_level: level, log_file: target }: Settings): LogSink {
  try {
    return createLog({ role: "master" }, level, target);
  } catch (error) {
    const advice = `Make it a file that this user (uid ${process.geteuid?.() ?? "?"}) may write, or set another path`;
    throw storageError("DROVER_LOG_FILE: lines can't be written there", error, { advice });
  }
}

function readServeOptions(argv: readonly string[]): Options {
  const named = (positional: readonly string[], rest: readonly string[]) => positional.slice(0, positional.length - rest.length);
  const options = readOptions(argv, [{ name: "from-npm-start" }], (positional, rest) => named(positional, rest)[0]);
  const { positional, rest, resolved } = options;
  const files = named(positional, rest);
  if (files.length > 1)
    throw new DroverError("DROVER_E_USAGE", `drover serve takes one application, not ${files.length}: ${files.join(" ")}`);
  if (rest.length > 0 && resolved.settings.app === undefined)
    throw new DroverError(
      "DROVER_E_USAGE",
      `the words behind -- are an application's arguments, and none is named: drover serve FILE -- ARGUMENTS`,
    );
  return options;
}

interface Run {
  readonly options: Options;
  readonly demo: boolean;
  readonly sink: LogSink;
  readonly undo: Undo[];
  readonly early: HeldSignals;
  readonly account: Account | undefined;
}

async function run({ options, demo, sink, undo, early, account }: Run): Promise<number> {
  const { resolved } = options;
  const { settings } = resolved;
  const log = sink.log;
  const notifier = createNotifier(process.env, log);
  await stat("/"); // libuv's threads are made at their first use, and where that fails it aborts: not later, under a limit of processes
  const lock = lockDataDir(settings.data_dir);
  undo.push(() => lock.release());
  if (finishRestore(settings.data_dir, new Date())) log.warn(`a restore into ${settings.data_dir} had been interrupted: it is done now`);
  if (lock.noPidfile !== undefined) log.warn(`drover runs without its drover.pid in ${settings.data_dir}: ${lock.noPidfile}`);
  const listeners = await listenOn(resolved, sink, undo);
  const own = await listenForAdmin(settings, sink, undo);
  if (account !== undefined) dropRoot(account); // the sockets are bound: nothing needs root any more
  const tried = Promise.all([findWrapper(), selfTestHandles()]); // what follows takes as long as they wait
  tried.catch(() => {}); // it is heard below
  const emulator = demo ? await prepareEmulator(resolved.settings, sink) : undefined;
  const generations = createGenerations(resolved, demo, emulator?.url);
  const plan = generations.plan(1); // fails here, before anything is forked, when there is nothing to serve
  if (account !== undefined) checkReadable(account, plan, resolved.envFile);
  for (const warning of keyModeWarnings(plan)) warn(log, warning);
  undo.push(noteRunning());
  undo.push(() => removeSocket(brokerSocket(settings)));
  sayStart(options, sink, listeners);
  if (account === undefined && isRoot()) warn(log, ROOT_WARNING);
  let ask: Daemon["ask"] | undefined;
  const keeper = createSlotKeeper({
    clock: systemClock,
    log,
    settings: () => generations.settings(),
    ask: async (question) => (await ask?.(question)) ?? { ok: false, message: "drover is starting" },
  });
  undo.push(() => keeper.close());
  const administration = createAdministration({ generations, log, listeners, own, keeper });
  const [wrapper] = await tried;

  return await new Promise<number>((resolve, reject) => {
    const daemon = createDaemon({
      sink,
      wrapper,
      listeners,
      emulator,
      generations,
      appArgs: options.rest,
      notifier,
      demo,
      keeper,
      adminKeys: (generation) => administration.keys(generation),
      adjusted: (plan) => administration.adjusted(plan),
      exit: resolve,
      ready: once(() => {
        greet({ options, generations, listeners, administration, google: () => googleOf(daemon, plan) });
        compactOnceIdle();
      }),
    });
    ask = daemon.ask;
    const commands = createCommands({
      daemon,
      generations,
      log,
      resolve: () => readServeOptions(process.argv.slice(2).filter((word, i) => !(i === 0 && word === "serve"))).resolved,
      dashboard: (body) => administration.dashboard(body),
      admin: administration.onControl,
    });
    if (options.own.has("from-npm-start")) stopWithParent(daemon);
    const sockets = async () =>
      [await openControl(settings, commands.handlers, log), await administration.begin(daemon, commands)] as const;
    sockets().then(([control, admin]) => {
      undo.push(() => admin.close());
      undo.push(() => control.close());
      const { arbiter } = daemon;
      const upkeep = createUpkeep({
        log,
        lock,
        sockets: [control, admin],
        listeners,
        own,
        workers: () => [...arbiter.children.values()].filter((child) => child.role === "worker"),
        adopt: (listener, former) => admin.adopt(listener, former),
        logIsRemoved: () => sink.isRemoved(),
        reopen: () => daemon.reopen(),
        logFile: "file" in settings.log_file ? settings.log_file.file : "-",
      });
      arbiter.agenda.every(UPKEEP_EVERY, upkeep);
      const begin = (): void => daemon.arbiter.feed({ type: "start", roles: firstRoles(generations, demo), workers: settings.workers });
      undo.push(early.hand(commands.signal, begin));
    }, reject);
  });
}

/** What is known of Google: of the built-in service before its broker has reported, that there was no answer yet. */
const googleOf = (daemon: Daemon, { app }: Plan): ReturnType<Daemon["upstream"]> =>
  daemon.upstream() ?? (app === undefined ? { state: "never", message: "" } : undefined);

/** systemd's sockets if it passed any, else the addresses of the settings. */
async function listenOn(resolved: Resolved, sink: LogSink, undo: Undo[]): Promise<readonly Listener[]> {
  const { bind } = resolved.settings;
  const { fds } = activatedSockets(process.env, process.pid);
  const passed = locateSockets(fds);
  const source = resolved.sources.bind;
  checkBind(passed, source.from === "default" ? undefined : { addresses: bind.map(addressName), source: sourceText(source) });
  const wanted: readonly BindAddress[] = passed.length > 0 ? passed.map(({ fd }) => ({ kind: "fd", fd })) : bind;
  const listeners: Listener[] = [];
  for (const address of wanted) {
    const listener = await bindAddress(address, sink.log);
    const plain = resolved.settings.tls_cert === undefined || listener.port === undefined;
    listeners.push(plain ? listener : { ...listener, url: listener.url.replace(/^http:/, "https:") });
    undo.push(() => listener.remove());
  }
  return listeners;
}

/** The administration's own addresses. */
async function listenForAdmin({ admin_bind: bind }: Settings, { log }: LogSink, undo: Undo[]): Promise<readonly Listener[]> {
  const listeners: Listener[] = [];
  for (const address of bind ?? []) {
    const listener = await bindAddress(address, log);
    listeners.push(listener);
    undo.push(() => listener.remove());
  }
  return listeners;
}

const EMULATOR_BACKLOG = 64;

/** The emulator's address, held like the others, and its account's key, which the broker reads at its start. */
async function prepareEmulator(settings: Settings, { log }: LogSink): Promise<Listener> {
  const listener = await bindAddress({ kind: "tcp", host: "127.0.0.1", port: 0 }, log);
  queueOnly(listener.handle, EMULATOR_BACKLOG); // the broker may ask before the emulator is up
  await openAccount(emulatorKey(settings), new URL("/token", listener.url).href);
  return listener;
}

const firstRoles = (generations: Generations, demo: boolean): readonly ("worker" | "broker" | "emulator")[] => {
  const { app } = generations.plan(1);
  if (app !== undefined) return ["worker"]; // an application that wants tables asks for them
  return demo ? ["emulator", "broker", "worker"] : ["broker", "worker"];
};

function warn(log: Logger, text: string): void {
  log.warn(text);
  process.stderr.write(`drover: ${text}\n`);
}

const PARENT_LOOKED_AT = ms(500);
const UPKEEP_EVERY = ms(1_000);

/** npm was killed: whoever typed `npm start` is gone, and with it everything it started. */
function stopWithParent(daemon: Daemon): void {
  const parent = process.ppid;
  let told = false;
  daemon.arbiter.agenda.every(PARENT_LOOKED_AT, () => {
    if (process.ppid === parent || told) return;
    told = true;
    daemon.arbiter.feed({ type: "stop", quick: true });
  });
}

const once = (run: () => void): (() => void) => {
  let done = false;
  return () => {
    if (!done) run();
    done = true;
  };
};
