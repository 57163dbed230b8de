/** The administration and the daemon it is of: each needs the other, so this is made first, and begins when the daemon is there. */
import { Access, type Configured } from "../admin/access/access.ts";
import type { Master, Outcome } from "../admin/source.ts";
import type { AdminKeys } from "../base/adminkeys.ts";
import { systemClock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { SlotsState } from "../base/slots.ts";
import { seconds } from "../base/units.ts";
import type { ControlAnswer, ControlHandlers } from "../master/shell/control.ts";
import { send } from "../master/shell/children.ts";
import type { Listener } from "../master/shell/listeners.ts";
import type { Settings } from "../settings/table.ts";
import { createAdjustments } from "./adjustments.ts";
import { asideOf, dealtOutcome } from "./aside.ts";
import { createAdmin, SAMPLE_SECONDS, type Admin, type AdminSocket } from "./admin.ts";
import type { Commands } from "./commands-control.ts";
import type { Daemon } from "./daemon.ts";
import type { Generations } from "./generations.ts";
import type { Plan } from "./plan.ts";
import { statusOf } from "./snapshot.ts";
import { boundOf } from "./state.ts";
import type { LaunchOrder } from "./slots/launch.ts";
import type { SlotKeeper } from "./slots/keeper.ts";

export interface Administration {
  /** What workers of a generation are told; undefined: nothing, their application is not ours. */
  keys(generation: number): AdminKeys | undefined;
  adjusted(plan: Plan): Plan;
  readonly dashboard: Admin["dashboard"];
  readonly onControl: NonNullable<ControlHandlers["admin"]>;
  /** The first start's link, or any other's; undefined: no browser gets there. */
  link(): string | undefined;
  begin(daemon: Daemon, commands: Commands): Promise<AdminSocket>;
}

interface Parts {
  readonly generations: Generations;
  readonly log: Logger;
  readonly listeners: readonly Listener[];
  /** DROVER_ADMIN_BIND's. */
  readonly own: readonly Listener[];
  readonly keeper: SlotKeeper;
}

const LOOK_EVERY = seconds(1);

export function createAdministration({ generations, log, listeners, own, keeper }: Parts): Administration {
  const settings = (): Settings => generations.settings();
  const adjustments = createAdjustments(keeper);
  let daemon: Daemon | undefined;
  let commands: Commands | undefined;
  const isOurs = (generation: number): boolean => generations.plan(generation).app === undefined;
  const tell = (keys: AdminKeys): void => {
    for (const child of daemon?.arbiter.children.values() ?? [])
      if (child.role === "worker" && isOurs(child.generation)) send(child, { type: "admin", keys });
  };
  const access = new Access({
    dataDir: settings().data_dir,
    clock: systemClock,
    log,
    configured: configuredBy(settings()),
    changed: tell,
  });
  const there = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error("the administration is asked before the daemon is there");
    return part;
  };
  const master = masterOf({
    generations,
    adjustments,
    daemon: () => there(daemon),
    order: (verb, body) => there(commands).order(verb, body),
    schedule: (order) => keeper.order(order),
  });
  const url = (): string | undefined => {
    const foreign = generations.plan(daemon?.arbiter.state().generation ?? 1).app !== undefined;
    const there = own.length > 0 ? own : foreign ? [] : listeners;
    return there.find((listener) => listener.url.startsWith("http"))?.url;
  };
  const monitoring = { ack: (name: string) => there(daemon).monitor.ack(name), metrics: () => there(daemon).monitor.metrics() };
  const admin = createAdmin({
    log,
    settings,
    access,
    master,
    monitoring,
    health: () => there(daemon).health(),
    monitored: () => there(daemon).monitor.monitored(),
    url,
  });
  let configured = JSON.stringify(configuredBy(settings()));
  const configure = (): void => {
    const now = configuredBy(settings());
    if (JSON.stringify(now) === configured) return;
    configured = JSON.stringify(now);
    access.configure(now);
  };
  return {
    keys: (generation) => (isOurs(generation) ? access.keys() : undefined),
    adjusted: (plan) => adjustments.adjusted(plan),
    dashboard: admin.dashboard,
    onControl: admin.onControl,
    link: admin.link,
    async begin(running, orders) {
      [daemon, commands] = [running, orders];
      running.arbiter.agenda.every(seconds(SAMPLE_SECONDS), () => admin.sample());
      running.arbiter.agenda.every(LOOK_EVERY, () => (configure(), admin.look()));
      return await admin.listen(own);
    },
  };
}

const configuredBy = ({ admin_token: operator, admin_viewer_token: viewer }: Settings): Configured => ({ operator, viewer });

interface MasterParts {
  readonly generations: Generations;
  readonly adjustments: ReturnType<typeof createAdjustments>;
  daemon(): Daemon;
  readonly order: Commands["order"];
  schedule(order: LaunchOrder): ControlAnswer;
}

/** What the API may ask, in the daemon's terms. */
function masterOf({ generations, adjustments, daemon, order, schedule }: MasterParts): Master {
  const now = (answer: ReturnType<Commands["order"]>): Outcome => {
    if (answer instanceof Promise) throw new Error("this order is answered at once");
    return answer;
  };
  let last: SlotsState | undefined;
  return {
    snapshot() {
      const status = statusOf(daemon(), generations, 0);
      // Between two brokers nobody says how many are in: it is as many as before.
      if (status.slots !== null) last = status.slots;
      return status.slots === null && last !== undefined ? { ...status, slots: last } : status;
    },
    reload: () => now(order("reload", {})),
    scale: (to) => now(order("scale", { to })),
    recycle: (slot) => now(order("recycle", slot === undefined ? {} : { slot })),
    stack: async (slot) => await order("stack", { slot }),
    async maxSlots(max) {
      const answer = await daemon().ask({ do: "max", max });
      return answer.ok ? (adjustments.setMaxSlots(max, generations.settings()) ?? answer) : answer;
    },
    schedule: (verb) => schedule({ do: verb }),
    purge: (table) => daemon().ask({ do: "purge", table }),
    reap: () => daemon().ask({ do: "reap" }),
    aside: async (most) => asideOf(await daemon().ask({ do: "aside", most })),
    deal: async (verb, ids) => dealtOutcome(verb, await daemon().ask({ do: verb, ids: ids ?? null })),
    slotsWanted: () => adjustments.maxSlots(generations.settings()),
    leastWorkers: () => boundOf(generations.settings()).least,
    mostWorkers: () => boundOf(generations.settings()).most,
  };
}
