/** What the daemon's events are for the user's hooks: which one hears what, and how long a stop waits for them. */
import { fileURLToPath } from "node:url";
import type { HookEvents, HookName, SettingChange } from "../base/hooks.ts";
import type { Logger } from "../base/log.ts";
import { ownModule } from "../base/place.ts";
import { appName } from "../base/title.ts";
import { ms, type Ms } from "../base/units.ts";
import type { Death } from "../master/core/death.ts";
import type { Master } from "../master/core/model.ts";
import type { Child } from "../master/shell/children.ts";
import { createFence, type HooksView } from "../master/shell/hooks/hooks.ts";
import { spawnChild } from "../master/shell/spawn.ts";
import type { Wrapper } from "../master/shell/wrapper.ts";
import type { SettingsDiff } from "../settings/diff.ts";
import { childEnv } from "./child-env.ts";
import type { Generations } from "./generations.ts";
import { policyOf } from "./state.ts";

const ENTRY = fileURLToPath(ownModule("cli/hooks-child"));
/** Hooks tell others what happened; what computes belongs elsewhere. */
const FLAGS = ["--disable-warning=ExperimentalWarning", "--disable-sigusr1", "--max-old-space-size=128"];

export interface DaemonHooks {
  born(child: Child): void;
  died(child: Child, death: Death): void;
  /** Everything serves: told once, however often a reload ends with it. */
  ready(event: Omit<HookEvents["onReady"], "at" | "master">): void;
  /** A generation is tried. Asked for again before it has begun, it is told once. */
  reload(generation: number, diff: SettingsDiff): void;
  stopping(state: Master): void;
  /** The state changed: the hooks of a generation serve once that has proved itself. */
  changed(state: Master): void;
  look(): void;
  /** Waits for what is queued, for as long as the stop may still take. */
  close(): Promise<void>;
  hurry(): void;
  view(): HooksView;
}

export interface HooksParts {
  readonly log: Logger;
  readonly generations: Generations;
  readonly wrapper: Wrapper;
  complain(text: string): void;
}

export function createHooks({ log, generations, wrapper, complain }: HooksParts): DaemonHooks {
  const settings = () => generations.settings();
  const fence = createFence({
    log,
    complain,
    limits: () => ({ call: settings().hook_timeout, load: settings().boot_timeout }),
    fork: () =>
      spawnChild(
        {
          role: "hooks",
          slot: 0,
          name: appName(settings().app),
          entry: ENTRY,
          nodeFlags: FLAGS,
          env: childEnv(process.env, false),
          batch: false,
        },
        wrapper,
      ),
  });
  const fire = <N extends HookName>(hook: N, event: Omit<HookEvents[N], "at">): void =>
    fence.fire({ hook, event: { at: new Date().toISOString(), ...event } } as never);
  let serving = 1;
  let told = 0;
  let until: number | undefined;
  let wasReady = false;
  fence.adopt(generations.plan(serving).hooks, serving);

  return {
    born({ role, nr, pid, generation }) {
      if (role === "worker") fire("onWorkerReady", { slot: nr, pid, generation });
    },
    died({ role, nr, pid, generation, found }, { name, how, expected }) {
      if (role !== "worker") return;
      const reason = name === "stuck" && found !== undefined ? found.text : how;
      fire("onWorkerExit", { slot: nr, pid, generation, death: name, reason, expected });
    },
    ready(event) {
      if (!wasReady) fire("onReady", { master: process.pid, ...event });
      wasReady = true;
    },
    reload(generation, diff) {
      const changes = changesOf(diff);
      if (generation === told && changes.length === 0) return;
      told = generation;
      fire("onReload", { generation, changes });
    },
    stopping({ mode }) {
      if (mode.is !== "stopping") return;
      const { gracefulTimeout, quickTimeout } = policyOf(settings());
      until = performance.now() + Math.min(settings().hook_timeout, mode.quick ? quickTimeout : gracefulTimeout);
      fire("onStop", { master: process.pid, exit: mode.exit, quick: mode.quick });
    },
    changed({ lastRoll, roll }) {
      if (roll !== undefined || lastRoll?.is !== "done" || lastRoll.generation === serving) return;
      serving = lastRoll.generation;
      fence.adopt(generations.plan(serving).hooks, serving);
    },
    look: () => fence.look(),
    close: () => fence.close(remaining(until)),
    hurry: () => fence.hurry(),
    view: () => fence.view(),
  };
}

const remaining = (until: number | undefined): Ms => ms(Math.max(0, (until ?? 0) - performance.now()));

const changesOf = (diff: SettingsDiff): SettingChange[] =>
  (["live", "roll", "restart"] as const).flatMap((reload) =>
    diff[reload].map(({ name, before, after }) => ({ setting: name, before, after, reload })),
  );
