/** The children of each generation as the master has them: forked, told what they are, lent the sockets they accept from, and signalled. */
import { fileURLToPath } from "node:url";
import type { AdminKeys } from "../base/adminkeys.ts";
import { ownModule } from "../base/place.ts";
import { appName } from "../base/title.ts";
import type { World } from "../master/shell/world.ts";
import { send, type Child } from "../master/shell/children.ts";
import type { Listener } from "../master/shell/listeners.ts";
import { spawnChild } from "../master/shell/spawn.ts";
import type { Wrapper } from "../master/shell/wrapper.ts";
import { WORKER_VARIABLE } from "../settings/names.ts";
import { childEnv, nodeFlags, wantsBatch } from "./child-env.ts";
import { configureMessage } from "./configure.ts";
import type { Generations } from "./generations.ts";
import type { Plan } from "./plan.ts";

export interface OffspringParts {
  readonly listeners: readonly Listener[];
  /** Where the embedded emulator listens, in demo. */
  readonly emulator: Listener | undefined;
  readonly generations: Generations;
  /** Arguments of the user's application: what it finds behind its own name in process.argv. */
  readonly appArgs: readonly string[];
  /** Who may administer: told to each worker of a generation as it starts; undefined: its application is not ours, and is told nothing. */
  adminKeys(generation: number): AdminKeys | undefined;
  /** A generation's plan with what operators have changed since. */
  adjusted(plan: Plan): Plan;
}

const OWN = fileURLToPath(ownModule("cli/child"));
const APPLICATION = fileURLToPath(ownModule("cli/worker-child"));

/** What tells an application which of its workers it is; the first name is the one that PM2 has. */
const numbered = (nr: number): NodeJS.ProcessEnv => ({ NODE_APP_INSTANCE: String(nr), [WORKER_VARIABLE]: String(nr) });

/**
 * What the loop needs of the world for them.
 * @param notBatch hears why a worker that is to run under SCHED_BATCH does not.
 */
export function createOffspring(
  parts: OffspringParts,
  wrapper: Wrapper,
  notBatch: (why: string) => void,
): Pick<World, "fork" | "configure" | "lend" | "inspectable" | "beatTimeout"> {
  const { generations, appArgs } = parts;
  return {
    fork: (role, nr, generation) => {
      const { settings, app } = generations.plan(generation);
      const ownCode = role !== "worker" || app === undefined;
      const batch = role === "worker" && wantsBatch(settings.worker_scheduling, ownCode);
      if (batch && wrapper.noBatch !== "") notBatch(wrapper.noBatch);
      return spawnChild(
        {
          role,
          slot: nr,
          name: appName(settings.app),
          entry: ownCode ? OWN : APPLICATION,
          nodeFlags: nodeFlags(role, { ...settings, ownCode }),
          env: { ...childEnv(process.env, ownCode), ...(ownCode ? {} : numbered(nr)) },
          args: ownCode ? [] : appArgs,
          batch,
        },
        wrapper,
      );
    },
    configure: (role, nr, generation) =>
      configureMessage(role, nr, parts.adjusted(generations.plan(generation)), {
        listeners: parts.listeners,
        emulatorUrl: parts.emulator?.url,
      }),
    lend: (child) => lend(child, parts),
    inspectable: (generation) => generations.plan(generation).settings.autopsy,
    beatTimeout: (generation) => generations.plan(generation).settings.timeout,
  };
}

function lend(child: Child, { listeners, emulator, adminKeys }: OffspringParts): void {
  if (child.role === "broker") return;
  const keys = child.role === "worker" ? adminKeys(child.generation) : undefined;
  if (keys !== undefined) send(child, { type: "admin", keys });
  const own = child.role === "worker" ? listeners : emulator === undefined ? [] : [emulator];
  for (const [address, listener] of own.entries()) send(child, { type: "handle", address }, listener.handle);
}
